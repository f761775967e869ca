// Loads the server with the code that V8 made of it when the package was built.
// A grain has no place to keep such a thing, and its first page waits for it. If
// V8 does not want it, it compiles again.
"use strict";

const fs = require("node:fs");
const path = require("node:path");
const vm = require("node:vm");

const file = path.join(__dirname, "server.js");
const kept = path.join(__dirname, "server.code");

exports.load = () => {
	const script = new vm.Script(`(function (exports, require, module, __dirname) {${fs.readFileSync(file, "utf8")}\n})`, {
		filename: file, cachedData: fs.existsSync(kept) ? fs.readFileSync(kept) : undefined,
	});
	const made = {exports: {}};
	script.runInThisContext()(made.exports, require, made, __dirname);
	return {server: made.exports, script, fast: script.cachedDataRejected === false};
};

if (require.main === module) exports.load().server.start();
