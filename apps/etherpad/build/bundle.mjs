// Makes two files of our server and of the parts of Etherpad that it reaches:
// server.js, and import.js for what only imports need.
// node bundle.mjs NODE_MODULES SERVER OUT LICENSES
import fs from "node:fs";
import path from "node:path";
import {createRequire} from "node:module";

import {keep} from "../../internal/node/licenses.js";

const [modules, server, out, licenses] = process.argv.slice(2).map((p) => path.resolve(p));
const esbuild = createRequire(path.join(modules, "x.js"))("esbuild");

// What stands for Etherpad's own; see there.
const ours = {
	"node/utils/Settings": "settings.js", "node/db/DB": "database.js", "node/stats": "stats.js", "node/eejs": "template.js",
	"node/utils/ImportEtherpad": "history.js",
};

// Half of the program reads HTML and forms, when somebody imports them.
const forImport = ["cheerio", "formidable", "rehype", "rehype-minify-whitespace"];

const oneOf = (names) => new RegExp(`^(?:${names.join("|")})$`);

const {version} = JSON.parse(fs.readFileSync(path.join(modules, "ep_etherpad-lite/package.json"), "utf8"));

const replace = {
	name: "replace",
	setup(build) {
		// Pages ask for files with the version; so must what they are told later.
		build.onLoad({filter: /server\/settings\.js$/}, ({path: file}) => ({contents: fs.readFileSync(file, "utf8").replace('"VERSION"', JSON.stringify(version))}));
		build.onResolve({filter: /^log4js$/}, () => ({path: path.join(server, "log.js")}));
		// The rest of its package serves many machines.
		build.onResolve({filter: /^rate-limiter-flexible$/}, () => ({path: path.join(modules, "rate-limiter-flexible/lib/RateLimiterMemory.js")}));
		build.onLoad({filter: /RateLimiterMemory\.js$/}, ({path: file}) => ({contents: fs.readFileSync(file, "utf8") + "\nmodule.exports.RateLimiterMemory = module.exports;"}));
		// Never reached: converters, ways of live connections but WebSocket, what
		// WebSocket's client needs.
		const empty = () => ({path: "nothing", namespace: "empty"});
		build.onResolve({filter: /\/(Abiword|LibreOffice|TidyHtml|polling-xhr|polling-jsonp)$/}, empty);
		build.onResolve({filter: /^(https|tls)$/}, empty);
		build.onLoad({filter: /.*/, namespace: "empty"}, () => ({contents: ""}));
		build.onResolve({filter: oneOf(forImport)}, ({path: name, namespace}) => namespace === "import" ? undefined : {path: name, namespace: "later"});
		build.onLoad({filter: /.*/, namespace: "later"}, ({path: name}) => ({contents: `module.exports = require("./import.js")[${JSON.stringify(name)}];`}));
		build.onResolve({filter: /^\.\/import\.js$/}, () => ({path: "./import.js", external: true}));
		build.onResolve({filter: /^\./}, ({path: name, resolveDir}) => {
			const inside = path.relative(path.join(modules, "ep_etherpad-lite"), path.resolve(resolveDir, name)).replace(/\.js$/, "");
			if (ours[inside]) return {path: path.join(server, ours[inside])};
		});
	},
};

const settings = {
	bundle: true, platform: "node", target: "node26", nodePaths: [modules], loader: {".html": "text"}, metafile: true,
	legalComments: "eof", logLevel: "warning", minify: true, keepNames: true, external: ["bufferutil", "utf-8-validate"],
};
const made = [
	await esbuild.build({...settings, entryPoints: [path.join(server, "main.js")], outfile: path.join(out, "server.js"), plugins: [replace]}),
	await esbuild.build({
		...settings, outfile: path.join(out, "import.js"),
		stdin: {contents: forImport.map((name) => `exports[${JSON.stringify(name)}] = require(${JSON.stringify(name)});`).join("\n"), resolveDir: modules},
	}),
];

keep(made, licenses);
