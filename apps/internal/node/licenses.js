// The licences of all npm packages that esbuild put into a program.
"use strict";

const fs = require("node:fs");
const path = require("node:path");

// keep copies them to a folder, given what esbuild says of what it made.
exports.keep = (results, to) => {
	const packages = new Set();
	for (const input of results.flatMap((result) => Object.keys(result.metafile.inputs))) {
		const match = /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(path.resolve(input));
		if (match) packages.add(match[1]);
	}
	for (const dir of packages) exports.copy(dir, to);
};

// copy copies those of one package.
exports.copy = (dir, to) => {
	const {name, version, license} = JSON.parse(fs.readFileSync(path.join(dir, "package.json"), "utf8"));
	const folder = path.join(to, name);
	fs.mkdirSync(folder, {recursive: true});
	fs.writeFileSync(path.join(folder, "package"), `${name} ${version} ${JSON.stringify(license ?? "see its files")}\n`);
	for (const file of fs.readdirSync(dir)) {
		if (/^(licen[cs]e|legal|copying|notice)/i.test(file)) fs.copyFileSync(path.join(dir, file), path.join(folder, file));
	}
};
