// Files of the page, as site.js made them when the package was built. Whatever
// can be asked for is in one list, so no path of a request reaches the disk.
"use strict";

const fs = require("node:fs");
const path = require("node:path");

const types = {
	".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".json": "application/json; charset=utf-8",
	".html": "text/html; charset=utf-8", ".svg": "image/svg+xml", ".png": "image/png", ".gif": "image/gif", ".ico": "image/x-icon",
	".woff": "font/woff", ".woff2": "font/woff2", ".ttf": "font/ttf", ".otf": "font/otf",
};
const root = path.join(__dirname, "site");
// path -> a tag for its content, and whether there is a .gz beside it
const known = new Map(Object.entries(JSON.parse(fs.readFileSync(path.join(root, "index.json"), "utf8"))));

// send answers a request for a file of the site; false means that there is none.
exports.send = (request, response, name, caching) => {
	const file = known.get(name);
	if (!file) return false;
	const tag = `"${file.tag}"`;
	const headers = {"Content-Type": types[path.extname(name)] ?? "application/octet-stream", "Cache-Control": caching, ETag: tag};
	if (request.headers["if-none-match"] === tag) {
		response.writeHead(304, headers);
		response.end();
		return true;
	}
	const gzip = file.gzip && /\bgzip\b/.test(request.headers["accept-encoding"] ?? "");
	if (gzip) headers["Content-Encoding"] = "gzip";
	fs.readFile(path.join(root, gzip ? name + ".gz" : name), (err, content) => {
		if (err) {
			response.writeHead(500);
			response.end();
			return;
		}
		headers["Content-Length"] = content.length;
		response.writeHead(200, headers);
		response.end(request.method === "HEAD" ? undefined : content);
	});
	return true;
};
