// The live connection. Etherpad believes what a page says about itself; here the
// bridge says who it is, and each message is corrected before Etherpad sees it.
"use strict";

const socketio = require("socket.io");

const authors = require("ep_etherpad-lite/node/db/AuthorManager");
const hooks = require("ep_etherpad-lite/static/js/pluginfw/plugin_defs").hooks;
const messages = require("ep_etherpad-lite/node/handler/PadMessageHandler");
const router = require("ep_etherpad-lite/node/handler/SocketIORouter");
const {cleanName, from} = require("../../internal/node/visitor");

// Larger ones end the connection. A paste is one message.
const maxMessage = 1024 * 1024; // bytes

// secret is by what Etherpad finds the author of a text: one for an account,
// wherever it comes from, one for each tab of somebody unknown.
const secret = (visitor) => visitor.id ? "t." + visitor.id : "t.tab-" + visitor.tab;

// rights is what Etherpad calls a user's settings.
const rights = ({editor}) => ({readOnly: !editor, canCreate: editor, padAuthorizations: {pad: editor ? "create" : "readOnly"}});

const isObject = (x) => typeof x === "object" && x !== null && !Array.isArray(x);

// correct makes a message say who really sent it; false drops it.
const correct = async (visitor, message) => {
	message.padId = "pad";
	message.token = secret(visitor);
	delete message.sessionID;
	if (message.type === "CLIENT_READY") {
		const author = await authors.getAuthor4Token(secret(visitor));
		const stored = await authors.getAuthorName(author);
		if (visitor.id ? stored !== visitor.name : !stored) await authors.setAuthorName(author, visitor.name);
		return true;
	}
	if (message.type === "SWITCH_TO_PAD") return false; // there is one
	if (message.type !== "COLLABROOM") return true;
	if (!isObject(message.data)) return false;
	if (message.data.type === "USERINFO_UPDATE") {
		const info = message.data.userInfo;
		if (!isObject(info)) return false;
		info.name = visitor.id ? visitor.name : cleanName(info.name) || visitor.name;
	}
	return true;
};

exports.listen = (server) => {
	const io = socketio(server, {
		transports: ["websocket"], cookie: false, serveClient: false, perMessageDeflate: false, maxHttpBufferSize: maxMessage,
		allowRequest: (request, answer) => answer(null, from(request) !== null),
	});
	io.use((socket, next) => {
		const visitor = from(socket.request);
		if (!visitor) return next(new Error("not allowed"));
		socket.visitor = visitor;
		socket.request.session = {user: rights(visitor)};
		socket.request.ip = visitor.tab; // what Etherpad limits the rate of
		next();
	});
	const handle = messages.handleMessage;
	messages.handleMessage = async (socket, message) => {
		try {
			if (isObject(message) && await correct(socket.visitor, message)) await handle(socket, message);
		} catch (err) {
			console.error("A message was refused:", err.message);
		}
	};
	// Etherpad tells the page whose names are given, so that it does not offer to
	// change them.
	hooks.clientVars = [{
		hook_name: "clientVars", hook_fn_name: "grain", part: {plugin: "grain", name: "grain"},
		hook_fn: (name, {socket}) => ({nameIsGiven: socket.visitor.id !== ""}),
	}];
	messages.socketio();
	router.setSocketIO(io);
	router.addComponent("pad", messages);
};
