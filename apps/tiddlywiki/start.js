// Starts TiddlyWiki's own server in a grain. What a visitor may do is said by
// the bridge in X-Sandstorm-Permissions; TiddlyWiki knows readers (anonymous)
// and writers (named in a header), so each request is told in its terms.
"use strict";

const fs = require("fs");
const http = require("http");
const path = require("path");

const wiki = "/var/wiki";
const library = "/usr/lib/tiddlywiki";
const writer = "x-writer"; // a header that only we can set

// The first start fills the empty grain: all or nothing.
if (!fs.existsSync(wiki)) {
	const fresh = wiki + ".new";
	fs.rmSync(fresh, { recursive: true, force: true });
	fs.mkdirSync(path.join(fresh, "tiddlers"), { recursive: true });
	fs.writeFileSync(path.join(fresh, "tiddlywiki.info"), JSON.stringify({
		description: "A wiki in a grain",
		plugins: ["tiddlywiki/tiddlyweb", "tiddlywiki/filesystem", "tiddlywiki/highlight", "tiddlywiki/markdown"],
		themes: ["tiddlywiki/vanilla", "tiddlywiki/snowwhite"],
	}, null, "\t") + "\n");
	fs.renameSync(fresh, wiki);
}

const createServer = http.createServer;
http.createServer = (handler) => createServer((request, response) => {
	const permissions = (request.headers["x-sandstorm-permissions"] || "").split(",");
	const name = request.headers["x-sandstorm-username"];
	delete request.headers[writer];
	if (permissions.includes("edit")) {
		request.headers[writer] = name || "Anonymous";
	}
	if (!permissions.includes("view") || (!["GET", "HEAD", "OPTIONS"].includes(request.method) && !request.headers[writer])) {
		response.writeHead(403, { "Content-Type": "text/plain; charset=utf-8" });
		response.end("You may not do this here.\n");
		return;
	}
	if (request.method === "GET" && request.url.startsWith("/login-basic")) {
		response.writeHead(303, { Location: "/" });
		response.end();
		return;
	}
	handler(request, response);
});

const $tw = require(path.join(library, "boot/boot.js")).TiddlyWiki();
$tw.boot.argv = [
	"+sandstorm", wiki, "--listen", "host=127.0.0.1", "port=8000",
	"readers=(anon)", "writers=(authenticated)", "authenticated-user-header=" + writer,
	"gzip=yes", "use-browser-cache=yes",
];
$tw.boot.boot();
