// Makes programs of our server: server.js, and worker.js for the thread with the
// spreadsheet's own program.
// node bundle.mjs NODE_MODULES SERVER OUT LICENSES
import path from "node:path";
import {createRequire} from "node:module";

import {copy, keep} from "../../internal/node/licenses.js";

const [modules, server, out, licenses] = process.argv.slice(2).map((p) => path.resolve(p));
const esbuild = createRequire(path.join(modules, "x.js"))("esbuild");

const settings = {
	bundle: true, platform: "node", target: "node26", nodePaths: [modules], metafile: true, legalComments: "eof", logLevel: "warning",
	minify: true, keepNames: true, external: ["bufferutil", "utf-8-validate", "./socialcalc.js", "./xlsx.js"],
};
const made = [
	await esbuild.build({...settings, entryPoints: [path.join(server, "main.js")], outfile: path.join(out, "server.js")}),
	await esbuild.build({...settings, entryPoints: [path.join(server, "worker.js")], outfile: path.join(out, "worker.js")}),
];
// Files of their own: one is rarely needed, one cannot be read as strict code.
for (const name of ["socialcalc", "xlsx"]) {
	made.push(await esbuild.build({...settings, stdin: {contents: `module.exports = require("${name}");`, resolveDir: modules}, outfile: path.join(out, name + ".js")}));
}
keep(made, licenses);
copy(path.join(modules, "ethercalc"), licenses);
