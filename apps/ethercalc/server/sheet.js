// What needs the spreadsheet's own program, in a thread that ends afterwards: its
// memory is given back, and a sheet that calculates for ever stops nobody.
"use strict";

const path = require("node:path");
const {Worker} = require("node:worker_threads");

const store = require("./store");

const patience = 20_000; // ms
const many = 500; // commands; each page that opens carries out all since the snapshot

const run = (type, content) => new Promise((done, fail) => {
	const worker = new Worker(path.join(__dirname, "worker.js"), {workerData: {type, snapshot: content.snapshot, log: content.log}, resourceLimits: {maxOldGenerationSizeMb: 256}});
	const timer = setTimeout(() => finish(fail, new Error("the sheet takes too long")), patience);
	const finish = (how, what) => {
		clearTimeout(timer);
		worker.terminate();
		how(what);
	};
	worker.once("message", ({result, problem}) => problem ? finish(fail, new Error(problem)) : finish(done, result));
	worker.once("error", (err) => finish(fail, err));
	worker.once("exit", () => finish(fail, new Error("the thread ended")));
});

let last = Promise.resolve(); // one thread at a time

const queue = (work) => {
	const result = last.then(work);
	last = result.catch(() => {});
	return result;
};

// convert returns the sheet as a file of another type: csv, html, ods or xlsx.
exports.convert = (type) => queue(() => run(type, store.read()));

let compacting = false;

// grow is told of each command.
exports.grow = () => {
	if (compacting || store.size() < many) return;
	compacting = true;
	queue(async () => {
		const content = store.read();
		store.compact(await run("snapshot", content), content.last);
	}).catch((err) => console.error("No snapshot was made:", err.message)).finally(() => { compacting = false; });
};
