// Makes the files that browsers get: Etherpad renders its pages and packs its
// scripts once, here, instead of in each grain.
// node pages.js NODE_MODULES OUT
"use strict";

const fs = require("node:fs");
const http = require("node:http");
const Module = require("node:module");
const path = require("node:path");

const {Site} = require("../../internal/node/site");

const [modules, out] = process.argv.slice(2).map((p) => path.resolve(p));
const etherpad = path.join(modules, "ep_etherpad-lite");
const server = path.join(__dirname, "..", "server");

// Etherpad looks for its files in ROOT/src, and for libraries below that.
const root = path.join(modules, ".etherpad"), src = path.join(root, "src");
fs.rmSync(root, {recursive: true, force: true});
fs.mkdirSync(src, {recursive: true});
for (const name of fs.readdirSync(etherpad)) if (name !== "node_modules") fs.symlinkSync(path.join(etherpad, name), path.join(src, name));
fs.symlinkSync(modules, path.join(src, "node_modules"));

const ours = {"node/utils/Settings": "settings.js", "node/db/DB": "database.js", "node/stats": "stats.js"};
const resolve = Module._resolveFilename;
Module._resolveFilename = function (name, parent, ...rest) {
	if (name === "log4js") return path.join(server, "log.js");
	if (name.startsWith(".")) {
		const inside = path.relative(etherpad, path.resolve(path.dirname(parent.filename), name)).replace(/\.js$/, "");
		if (ours[inside]) return path.join(server, ours[inside]);
	} else if (name === "ep_etherpad-lite/node/utils/Settings") return path.join(server, ours["node/utils/Settings"]);
	return resolve.call(this, name, parent, ...rest);
};
const fromModules = Module.createRequire(path.join(modules, "x.js"));
const inside = (name) => fromModules("ep_etherpad-lite/" + name);

const {version} = inside("package.json");
const settings = require("../server/settings");
settings.root = root;
settings.randomVersionString = version;

inside("static/js/pluginfw/plugin_defs").plugins["ep_etherpad-lite"] = {parts: [], package: {path: etherpad, realPath: etherpad}};

const express = fromModules("express");
let editor; // for whom a page is rendered

const start = async () => {
	const app = express();
	app.use((req, res, next) => {
		req.session = {user: {readOnly: !editor, padAuthorizations: {pad: editor ? "create" : "readOnly"}}};
		next();
	});
	for (const part of ["express/static", "i18n", "express/specialpages"]) {
		await new Promise((done, fail) => {
			const ended = inside("node/hooks/" + part).expressCreateServer("expressCreateServer", {app}, done);
			if (ended?.then) ended.then(done, fail);
		});
	}
	const web = http.createServer(app);
	await new Promise((done) => web.listen(0, "127.0.0.1", done));
	return `http://127.0.0.1:${web.address().port}`;
};

const site = new Site(out);
const keep = (name, content) => site.keep(name, content);

// page lets ours in, and Etherpad's client of socket.io lie among the other
// scripts.
const page = (html, up) => {
	const v = "?v=" + version, mark = '<link rel="localizations"';
	html = html.replace(/socket\.io\/socket\.io\.js/, "static/js/socket.io.js");
	const ours = `<link rel="stylesheet" href="${up}static/grain.css${v}"><script src="${up}static/grain.js${v}"></script>`;
	if (!html.includes("static/js/socket.io.js") || !html.includes(mark)) throw new Error("an unknown page");
	return html.replace(mark, ours + "$&");
};

const scripts = "/javascripts/lib/ep_etherpad-lite/static/js/";

// inOrder has the editor's frame run its scripts in their order. Without, what
// the others need may come last, and their error ends up in the console.
const inOrder = (script) => {
	let found = 0;
	const better = script.replace(/(\w+)\.type="text\/javascript",/g, (_, name) => { found++; return `${name}.async=!1,`; });
	if (found !== 2) throw new Error("unknown scripts of the editor's frame");
	return better;
};

const main = async () => {
	const base = await start();
	const fetched = async (url) => {
		const answer = await fetch(base + url);
		if (!answer.ok) throw new Error(`${url}: ${answer.status}`);
		return Buffer.from(await answer.arrayBuffer());
	};
	for (editor of [true, false]) keep(editor ? "editor.html" : "reader.html", page(String(await fetched("/p/pad")), "../"));
	keep("timeslider.html", page(String(await fetched("/p/pad/timeslider")), "../../"));

	const get = async (url) => keep(url.slice(1), await fetched(url + (url.startsWith("/javascripts/") ? "?callback=require.define" : "")));
	keep(`${scripts.slice(1)}pad.js`, inOrder(String(await fetched(`${scripts}pad.js?callback=require.define`))));
	for (const name of ["ace2_common", "ace2_inner", "timeslider"]) await get(`${scripts}${name}.js`);
	for (const name of ["js/require-kernel.js", "js/vendors/html10n.js", "js/l10n.js"]) await get("/static/" + name);
	for (const dir of ["css", "font", "img", "skins/colibris"]) {
		const within = path.join(etherpad, "static", dir);
		for (const file of fs.readdirSync(within)) {
			// Style sheets in folders are part of those beside them.
			if (fs.statSync(path.join(within, file)).isFile() && !/^(admin|index|config)\.|\.(eot|svg)$/.test(file) || file === "brand.svg") await get(`/static/${dir}/${file}`);
		}
	}
	await get("/favicon.ico");
	keep("pluginfw/plugin-definitions.json", JSON.stringify({plugins: {}, parts: []}));
	await get("/locales.json");
	for (const language of Object.keys(inside("node/hooks/i18n").availableLangs)) await get(`/locales/${language}.json`);
	keep("static/js/socket.io.js", fs.readFileSync(fromModules.resolve("socket.io-client/dist/socket.io.js")));
	for (const name of ["grain.js", "grain.css"]) keep("static/" + name, fs.readFileSync(path.join(__dirname, "..", "page", name)));
	site.close();
	process.exit(0); // Etherpad's workers wait for more
};

main().catch((err) => {
	console.error(err);
	process.exit(1);
});
