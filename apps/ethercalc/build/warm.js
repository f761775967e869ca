// Runs the server for a moment, so that V8's compiled code can go along with it.
// node --predictable --hash-seed=1 --random-seed=1 warm.js APP
"use strict";

const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");

const {keep} = require("../../internal/node/code");

const app = path.resolve(process.argv[2]);
const dir = fs.mkdtempSync(path.join(os.tmpdir(), "warm"));

const headers = {"x-sandstorm-permissions": "view,edit", "x-sandstorm-user-id": "00", "x-sandstorm-tab-id": "00", "x-sandstorm-username": "Warm"};

const main = async () => {
	const {server: sheet, script} = require(path.join(app, "start.js")).load();
	const server = await sheet.start(path.join(dir, "sheet.sqlite"), 0);
	for (const url of ["/", "/sheet", "/static/grain.css?v=1", "/sheet.csv"]) {
		const answer = await fetch(`http://127.0.0.1:${server.address().port}${url}`, {headers});
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
