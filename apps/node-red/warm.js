// When the package is built: makes the server answer once what editors ask for,
// so that the code for it is compiled, and writes that down.
"use strict";

const http = require("http");
const { flushCompileCache } = require("module");

const paths = ["/", "/settings", "/theme", "/nodes", "/icons", "/flows", "/plugins", "/locales/editor", "/locales/nodes", "/settings/user", "/http/none"];

const get = (port, path) => new Promise((done, fail) => {
	const headers = { accept: path === "/nodes" ? "text/html" : "application/json", "x-sandstorm-permissions": "view,edit,use", "x-sandstorm-username": "Builder" };
	http.get({ host: "127.0.0.1", port, path, headers, agent: false }, (response) => {
		response.resume().on("end", () => (response.statusCode < 500 ? done() : fail(new Error(`${path}: ${response.statusCode}`))));
	}).on("error", fail);
});

module.exports = async (port) => {
	for (const path of paths) await get(port, path);
	flushCompileCache();
	process.exit(0);
};
