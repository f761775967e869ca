// The live connection: JSON messages as EtherCalc's pages send them, over a plain
// WebSocket. Nothing is passed on as it came.
"use strict";

const {WebSocketServer} = require("ws");

const sheet = require("./sheet");
const store = require("./store");
const {from} = require("../../internal/node/visitor");

exports.room = "sheet";

// Larger messages end the connection. A paste is one command.
const maxMessage = 4 * 1024 * 1024; // bytes

// What each page of a writer says first. Readers' pages need to hear it, and draw
// an empty sheet only if they are told something.
const first = "set sheet defaulttextvalueformat text-wiki";

const peers = new Set();
const cursors = new Map(); // page -> cell

const send = (peer, data) => peer.socket.send(JSON.stringify(data));
const others = (peer, data, to) => {
	for (const other of peers) if (other !== peer && (to === undefined || other.page === to)) send(other, data);
};

// people tells everybody who is here.
const people = () => {
	const names = [...new Map([...peers].map(({visitor}) => [visitor.id || visitor.tab, visitor.name])).values()];
	for (const peer of peers) send(peer, {type: "people", names});
};

const isCell = (x) => typeof x === "string" && /^[A-Z]{1,3}[1-9][0-9]{0,6}$/.test(x);
const isPage = (x) => typeof x === "string" && /^[\w.]{1,40}$/.test(x);

// EtherCalc's messages, each with what it takes.
const kinds = {
	"ask.log"(peer, {room}) {
		// A page asks for a second room, with the answers of a form; there is none.
		if (room !== exports.room) return send(peer, {type: "log", room: String(room), log: [], chat: [], snapshot: ""});
		const {snapshot, log} = store.read();
		send(peer, {type: "log", room, log: [first, ...log], chat: [], snapshot});
	},
	// Other sheets, which formulas name: there is one.
	"ask.recalc"(peer, {room}) {
		const own = room === exports.room;
		const {snapshot, log} = own ? store.read() : {snapshot: "", log: []};
		send(peer, {type: "recalc", room: String(room), snapshot, log});
	},
	"execute"(peer, {room, cmdstr, saveundo}) {
		if (!peer.visitor.editor || room !== exports.room && room !== undefined || typeof cmdstr !== "string" || cmdstr === "") return;
		if (cmdstr.trim() === first) return;
		try {
			store.append(cmdstr);
		} catch (err) {
			console.error("Saving failed:", err.message);
			return send(peer, {type: "lost"});
		}
		others(peer, {type: "execute", room: exports.room, user: peer.page, cmdstr, saveundo: Boolean(saveundo)});
		sheet.grow();
	},
	"ask.ecell"(peer) {
		others(peer, {type: "ask.ecell", room: exports.room, user: peer.page});
	},
	"ask.ecells"(peer) {
		send(peer, {type: "ecells", room: exports.room, ecells: Object.fromEntries(cursors)});
	},
	"ecell"(peer, {ecell, original, to}) {
		if (!peer.visitor.editor || !isCell(ecell)) return;
		cursors.set(peer.page, ecell);
		others(peer, {type: "ecell", room: exports.room, user: peer.page, ecell, original: isCell(original) ? original : undefined}, isPage(to) ? to : undefined);
	},
};

const hear = (peer, text) => {
	let message;
	try {
		message = JSON.parse(text);
	} catch {
		return;
	}
	if (typeof message !== "object" || message === null || !Object.hasOwn(kinds, message.type)) return;
	// A page names itself, once.
	if (peer.page === undefined && isPage(message.user)) peer.page = message.user;
	if (peer.page !== undefined) kinds[message.type](peer, message);
};

exports.listen = (server) => {
	const sockets = new WebSocketServer({noServer: true, maxPayload: maxMessage, perMessageDeflate: false});
	server.on("upgrade", (request, socket, head) => {
		const visitor = from(request);
		if (!visitor || request.url !== "/live") {
			socket.end("HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
			return;
		}
		sockets.handleUpgrade(request, socket, head, (open) => {
			const peer = {visitor, socket: open, page: undefined};
			peers.add(peer);
			open.on("message", (text) => hear(peer, text));
			open.on("error", (err) => console.error("A connection failed:", err.message));
			open.on("close", () => {
				peers.delete(peer);
				cursors.delete(peer.page);
				people();
			});
			people();
		});
	});
};
