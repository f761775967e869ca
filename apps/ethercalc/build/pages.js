// Makes the files that browsers get, out of EtherCalc's.
// node pages.js NODE_MODULES OUT
"use strict";

const fs = require("node:fs");
const path = require("node:path");

const {Site} = require("../../internal/node/site");

const [modules, out] = process.argv.slice(2).map((p) => path.resolve(p));
const ethercalc = path.join(modules, "ethercalc");
const page = path.join(__dirname, "..", "page");
const {version} = JSON.parse(fs.readFileSync(path.join(ethercalc, "package.json"), "utf8"));
const site = new Site(out);

const theirs = (name) => site.keep(name, fs.readFileSync(path.join(ethercalc, name)));
const styles = ["socialcalc", "index", "vex", "vex-theme-flat-attack", "jquery-ui.min", "makeup"].map((name) => `static/${name}.css`);
for (const name of [...styles, "static/ethercalc.js", "favicon-32x32.png"]) theirs(name);
for (const dir of ["images", "static", "static/images"]) {
	for (const name of fs.readdirSync(path.join(ethercalc, dir))) if (/\.(gif|png)$/.test(name)) theirs(`${dir}/${name}`);
}
const languages = [];
for (const name of fs.readdirSync(path.join(ethercalc, "l10n"))) {
	theirs("l10n/" + name);
	languages.push(path.basename(name, ".json"));
}

// The scripts are functions that a framework would have sent.
for (const part of ["player", "player-broadcast", "player-graph"]) {
	let scripts;
	require(path.join(ethercalc, part + ".js")).include.call({client: (given) => { scripts = given; }});
	for (const [name, script] of Object.entries(scripts)) site.keep(name.slice(1), `zappa.run(${script});\n`);
}

const ours = (name, values) => fs.readFileSync(path.join(page, name), "utf8").replace(/\b(VERSION|STYLES|READER|LANGUAGES)\b/g, (key) => values[key]);
const values = {VERSION: version, LANGUAGES: JSON.stringify(languages), STYLES: styles.map((name) => `<link rel="stylesheet" href="${name}?v=${version}">`).join("\n")};
site.keep("editor.html", ours("sheet.html", {...values, READER: false}));
site.keep("reader.html", ours("sheet.html", {...values, READER: true}));
for (const name of ["grain.js", "grain.css"]) site.keep("static/" + name, ours(name, values));
site.close();
