// The pad as a file: export and import. Etherpad's handlers expect Express; they
// get the little of it that they use.
"use strict";

const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");

// Etherpad reads it once, when its handler is loaded.
const room = path.join(os.tmpdir(), "import");
os.tmpdir = () => room;

// Loaded when somebody asks: these are a third of the program.
const importer = () => require("ep_etherpad-lite/node/handler/ImportHandler");
const exporter = () => require("ep_etherpad-lite/node/handler/ExportHandler");

const dress = (response) => {
	response.status = (code) => { response.statusCode = code; return response; };
	response.attachment = (name) => response.setHeader("Content-Disposition", `attachment; filename="${name}"`);
	response.json = (value) => {
		response.setHeader("Content-Type", "application/json; charset=utf-8");
		response.end(JSON.stringify(value));
	};
	response.send = (value) => {
		if (typeof value !== "string") return response.json(value);
		if (!response.hasHeader("Content-Type")) response.setHeader("Content-Type", "text/plain; charset=utf-8");
		response.end(value);
	};
	return response;
};

const exportTypes = {txt: "text/plain; charset=utf-8", html: "text/html; charset=utf-8", etherpad: "application/json; charset=utf-8"};

// give answers with the pad, or with one of its revisions.
exports.give = async (request, response, revision, type) => {
	response.setHeader("Content-Type", exportTypes[type]);
	response.setHeader("Cache-Control", "no-store");
	request.params = {pad: "pad", rev: revision};
	await exporter().doExport(request, dress(response), "pad", null, type);
};

exports.types = Object.keys(exportTypes);

let last = Promise.resolve();

// take replaces the pad's text by an uploaded file. One at a time, since what an
// import that failed leaves behind would fill /tmp.
exports.take = (request, response) => {
	last = last.then(async () => {
		fs.rmSync(room, {recursive: true, force: true});
		fs.mkdirSync(room);
		await importer().doImport(request, dress(response), "pad");
	}).catch((err) => {
		console.error("Import:", err);
		if (!response.headersSent) dress(response).status(500).json({code: 2, message: "internalError"});
	}).finally(() => fs.rmSync(room, {recursive: true, force: true}));
	return last;
};
