// A server for EtherCalc's pages in a grain: one sheet, whose visitors and their
// permissions the platform knows. EtherCalc's own server is for many sheets of
// many people, and stands on packages that nobody maintains.
"use strict";

const http = require("node:http");

const files = require("../../internal/node/files");
const live = require("./live");
const sheet = require("./sheet");
const store = require("./store");
const {from} = require("../../internal/node/visitor");

const types = {
	csv: "text/csv; charset=utf-8", html: "text/html; charset=utf-8",
	ods: "application/vnd.oasis.opendocument.spreadsheet", xlsx: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
};

const refuse = (response, code, text) => {
	response.writeHead(code, {"Content-Type": "text/plain; charset=utf-8"});
	response.end(text + "\n");
};

const answer = async (request, response) => {
	const visitor = from(request);
	if (!visitor) return refuse(response, 403, "You may not do this here.");
	if (request.method !== "GET" && request.method !== "HEAD") return refuse(response, 405, "You cannot do this here.");
	const {pathname, searchParams} = new URL(request.url, "http://grain");
	if (pathname === "/" + live.room) return files.send(request, response, visitor.editor ? "editor.html" : "reader.html", "private, no-cache");
	if (pathname === "/" || pathname === `/${live.room}/view`) {
		response.writeHead(303, {Location: "/" + live.room});
		return response.end();
	}
	const type = /^\/sheet\.(csv|html|ods|xlsx)$/.exec(pathname)?.[1];
	if (type) {
		const content = await sheet.convert(type);
		response.writeHead(200, {"Content-Type": types[type], "Content-Disposition": `attachment; filename="${live.room}.${type}"`, "Cache-Control": "no-store"});
		return response.end(content);
	}
	if (!files.send(request, response, pathname.slice(1), searchParams.has("v") ? "private, max-age=31536000, immutable" : "private, no-cache")) {
		refuse(response, 404, "There is no such page.");
	}
};

// start serves the sheet that is kept in a file. See start.js.
exports.start = async (file = "/var/sheet.sqlite", port = 8000) => {
	store.init(file);
	const server = http.createServer((request, response) => {
		answer(request, response).catch((err) => {
			console.error(request.method, request.url, err);
			if (!response.headersSent) refuse(response, 500, "Something went wrong.");
			else response.destroy();
		});
	});
	server.keepAliveTimeout = 0; // the bridge decides when a connection ends
	live.listen(server);
	await new Promise((done) => server.listen(port, "127.0.0.1", done));
	return server;
};
