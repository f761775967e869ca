// Starts Node-RED in a grain. Who may do what is said by the bridge in
// X-Sandstorm-Permissions: "edit" changes flows, "view" looks at them, "use"
// calls the addresses that flows serve, below /http/.
"use strict";

const path = require("path");

// Compiled code comes with the package: a grain could not keep it.
const library = path.resolve(__dirname, "..");
require("module").enableCompileCache({ directory: path.join(__dirname, "cache"), portable: true });

const crypto = require("crypto");
const fs = require("fs");
const http = require("http");
const { cleanName } = require("./visitor.js");
const warm = require("./warm.js");

const data = process.env.NODE_RED_DATA || "/var";
const home = path.join(data, "node-red");
const crashed = path.join(data, "crashed");
const flows = "/http/"; // of the addresses that flows serve; the package's apiPath
const patience = 5000; // ms for flows to start before the editor opens all the same

// --- who asks -------------------------------------------------------------------

// Node-RED takes a visitor from one header, and from messages of the editor's
// WebSocket as well: only we know how to begin one.
const header = "x-grain-visitor";
const secret = crypto.randomBytes(32).toString("hex");

function permissionsOf(request) {
	return (request.headers["x-sandstorm-permissions"] || "").split(",").map((s) => s.trim());
}

// tokens is what Node-RED asks for the visitor of a header.
async function tokens(token) {
	if (typeof token !== "string" || !token.startsWith(secret)) return null;
	return JSON.parse(Buffer.from(token.slice(secret.length), "base64url").toString());
}

// admit decides on a request, and tells Node-RED's editor who sent it. It
// returns an HTTP status if the request goes no further.
function admit(request) {
	delete request.headers[header];
	unwrap(request.headers);
	const permissions = permissionsOf(request);
	const pathname = request.url.split("?", 1)[0];
	if (pathname.startsWith(flows)) return permissions.includes("use") ? 0 : 403;
	if (!permissions.includes("view")) return permissions.includes("use") && pathname === "/" ? 303 : 403;
	const edit = permissions.includes("edit");
	if (!edit && !["GET", "HEAD", "OPTIONS"].includes(request.method)) return 403;
	const name = cleanName(request.headers["x-sandstorm-username"]) || "Anonymous";
	const visitor = { username: name, permissions: edit ? "*" : "read" };
	request.headers[header] = secret + Buffer.from(JSON.stringify(visitor)).toString("base64url");
	return 0;
}

// unwrap gives the editor's own header fields their names back: the bridge passes
// only such as page/shell.js makes of them.
function unwrap(headers) {
	for (const name of Object.keys(headers)) {
		if (name.startsWith("x-sandstorm-app-node-red-")) headers[name.slice("x-sandstorm-app-".length)] = headers[name];
	}
}

// forFlows is the last door before flows. Node-RED's router does not mind the
// case of /HTTP/, and what flows see of a request is theirs to show around.
function forFlows(request, response, next) {
	delete request.headers[header];
	if (permissionsOf(request).includes("use")) return next();
	refuse(response, 403);
}

function refuse(response, status) {
	if (status === 303) {
		response.writeHead(303, { Location: flows });
		response.end();
		return;
	}
	response.writeHead(status, { "Content-Type": "text/plain; charset=utf-8" });
	response.end("You may not do this here.\n");
}

// --- the server -----------------------------------------------------------------

const app = require(path.join(library, "node-red/node_modules/express"))();
const server = http.createServer((request, response) => {
	const status = admit(request);
	if (status) refuse(response, status);
	else app(request, response);
});
const emit = server.emit;
server.emit = function (event, request, socket, ...rest) {
	if (event === "upgrade" && admit(request)) {
		socket.end("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
		return true;
	}
	return emit.call(this, event, request, socket, ...rest);
};

// A flow that throws outside of its nodes ends the process, at each start
// again. The start after that leaves flows alone, so that they can be mended.
let flowsRun = false;
process.on("uncaughtException", (error) => {
	console.error("Node-RED ends:", error);
	if (flowsRun) try {
		fs.writeFileSync(crashed, "");
	} catch { /* the disk is full: then the next start tries the flows again */ }
	process.exit(1);
});
const safeMode = fs.existsSync(crashed);
fs.rmSync(crashed, { force: true });
fs.mkdirSync(path.join(data, "files"), { recursive: true });

const RED = require(path.join(library, "node-red/node_modules/node-red"));
RED.init(server, {
	...require("./settings.js"),
	userDir: home,
	fileWorkingDirectory: path.join(data, "files"),
	httpAdminRoot: "/",
	httpNodeRoot: flows,
	httpNodeMiddleware: forFlows,
	adminAuth: { tokens, tokenHeader: header },
	safeMode,
});
app.use(flows, RED.httpNode);
app.use("/", RED.httpAdmin);

// The first answer of a grain that slept may be a flow's: they come first.
const started = new Promise((done) => {
	RED.events.once("flows:started", done);
	RED.events.on("runtime-event", (e) => { if (e.id === "runtime-state" && e.payload) done(); });
});
RED.start()
	.then(() => { flowsRun = true; })
	.then(() => Promise.race([started, new Promise((done) => setTimeout(done, patience).unref())]))
	.then(() => {
		const port = Number(process.env.NODE_RED_PORT || 8000);
		server.listen(port, "127.0.0.1", () => { if (port === 0) warm(server.address().port); });
	})
	.catch((error) => {
		console.error("Node-RED does not start:", error);
		process.exit(1);
	});
