// Runs the server for a moment, so that V8's compiled code can go along with it.
// node --predictable --hash-seed=1 --random-seed=1 warm.js APP
"use strict";

const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");

const {keep} = require("../../internal/node/code");

const app = path.resolve(process.argv[2]);
const dir = fs.mkdtempSync(path.join(os.tmpdir(), "warm"));
process.chdir(dir);

const headers = {"x-sandstorm-permissions": "view,edit", "x-sandstorm-user-id": "00", "x-sandstorm-tab-id": "00", "x-sandstorm-username": "Warm"};

const main = async () => {
	const {server: etherpad, script} = require(path.join(app, "start.js")).load();
	const server = await etherpad.start(path.join(dir, "pad.sqlite"), 0);
	const base = `127.0.0.1:${server.address().port}`;
	for (const url of ["/", "/p/pad", "/static/css/pad.css?v=1", "/p/pad/export/txt", "/p/pad/export/html"]) {
		const answer = await fetch("http://" + base + url, {headers});
		if (!answer.ok) throw new Error(`${url}: ${answer.status} ${await answer.text()}`);
		await answer.arrayBuffer();
	}
	keep(script, path.join(app, "server.code"));
	fs.rmSync(dir, {recursive: true});
	process.exit(0);
};

main().catch((err) => {
	console.error(err);
	process.exit(1);
});
