// Makes the folder that files.js serves, when a package is built.
"use strict";

const crypto = require("node:crypto");
const fs = require("node:fs");
const path = require("node:path");
const zlib = require("node:zlib");

exports.Site = class {
	#dir;
	#index = {};

	constructor(dir) {
		this.#dir = dir;
	}

	// keep adds a file, and beside it a compressed one if that is smaller.
	keep(name, content) {
		const file = path.join(this.#dir, name);
		fs.mkdirSync(path.dirname(file), {recursive: true});
		fs.writeFileSync(file, content);
		const small = zlib.gzipSync(content, {level: 9}), gzip = small.length < content.length * 0.9;
		if (gzip) fs.writeFileSync(file + ".gz", small);
		this.#index[name] = {tag: crypto.hash("sha256", content, "hex").slice(0, 16), gzip};
	}

	// close writes the list of all files.
	close() {
		fs.writeFileSync(path.join(this.#dir, "index.json"), JSON.stringify(this.#index));
	}
};
