// Keeps the code that V8 made of a program, for start.js.
"use strict";

const {execFileSync} = require("node:child_process");
const fs = require("node:fs");
const path = require("node:path");

const flags = 12; // where V8 writes which flags it ran with, in 4 bytes
const plain = "process.stdout.write(new (require('vm').Script)('0').createCachedData())";

// keep writes the code. Packages made of the same have to be the same, so this
// runs with --predictable and fixed seeds; they change the order of things in the
// code, not what it does. Grains run without, and V8 takes only code that says
// it was made so.
exports.keep = (script, file) => {
	const code = script.createCachedData();
	execFileSync(process.execPath, ["-e", plain]).copy(code, flags, flags, flags + 4);
	fs.writeFileSync(file, code);
	const check = `if (!require(${JSON.stringify(path.join(path.dirname(file), "start.js"))}).load().fast) throw new Error("V8 does not take its own code")`;
	execFileSync(process.execPath, ["-e", check], {stdio: ["ignore", "ignore", "inherit"]});
};
