// Etherpad's server in a grain: one pad, whose visitors and their permissions the
// platform knows.
"use strict";

process.env.NODE_ENV = "production";

const http = require("node:http");

const database = require("./database");
const documents = require("./documents");
const files = require("../../internal/node/files");
const live = require("./live");
const pads = require("ep_etherpad-lite/node/db/PadManager");
const {from} = require("../../internal/node/visitor");

// A bad message must not end the grain for everybody else.
process.on("unhandledRejection", (err) => console.error("Not handled:", err));

const forAYear = "private, max-age=31536000, immutable";
const askAgain = "private, no-cache";

const refuse = (response, code, text) => {
	response.writeHead(code, {"Content-Type": "text/plain; charset=utf-8"});
	response.end(text + "\n");
};

const redirect = (response, to) => {
	response.writeHead(303, {Location: to});
	response.end();
};

const get = async (request, response, visitor, {pathname, searchParams}) => {
	if (pathname === "/") return redirect(response, "/p/pad");
	if (pathname === "/p/pad") return files.send(request, response, visitor.editor ? "editor.html" : "reader.html", askAgain);
	if (pathname === "/p/pad/timeslider") return files.send(request, response, "timeslider.html", askAgain);
	const document = /^\/p\/pad(?:\/(\d{1,9}))?\/export\/(\w+)$/.exec(pathname);
	if (document && documents.types.includes(document[2])) return documents.give(request, response, document[1], document[2]);
	if (files.send(request, response, pathname.slice(1), searchParams.has("v") ? forAYear : askAgain)) return;
	refuse(response, 404, "There is no such page.");
};

const answer = async (request, response) => {
	const visitor = from(request);
	if (!visitor) return refuse(response, 403, "You may not do this here.");
	const url = new URL(request.url, "http://grain");
	switch (request.method) {
	case "GET":
	case "HEAD":
		return get(request, response, visitor, url);
	case "POST":
		if (url.pathname === "/p/pad/import") {
			return visitor.editor ? documents.take(request, response) : refuse(response, 403, "You may not do this here.");
		}
		// The page reports its troubles; its "reconnect" button is a form.
		request.resume();
		if (url.pathname === "/jserror" || url.pathname.endsWith("/connection-diagnostic-info")) {
			response.writeHead(204);
			return response.end();
		}
		if (url.pathname === "/ep/pad/reconnect") return redirect(response, "/p/pad");
		return refuse(response, 404, "There is no such page.");
	default:
		return refuse(response, 405, "You cannot do this here.");
	}
};

// start serves the pad that is kept in a file. See start.js.
exports.start = async (file = "/var/pad.sqlite", port = 8000) => {
	database.init(file);
	const server = http.createServer((request, response) => {
		answer(request, response).catch((err) => {
			console.error(request.method, request.url, err);
			if (!response.headersSent) refuse(response, 500, "Something went wrong.");
			else response.destroy();
		});
	});
	server.keepAliveTimeout = 0; // the bridge decides when a connection ends
	live.listen(server);
	await pads.getPad("pad"); // whoever comes first may be a reader
	await new Promise((done) => server.listen(port, "127.0.0.1", done));
	return server;
};
