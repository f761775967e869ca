// EtherCalc's page in a grain: the connection that its scripts expect, in its
// words; texts; who is here.
"use strict";

(() => {
	const {SocialCalc, jQuery} = window;
	// Readers get the viewer.
	SocialCalc._view = window.EtherCalc.reader || undefined;
	// Back and forward belong to the shell.
	history.pushState = () => {};
	if (parent !== window) parent.postMessage({setPath: "/sheet"}, "*");

	// The texts have to be there before the sheet is drawn.
	const languages = LANGUAGES;
	for (const asked of ["en", ...[...navigator.languages].reverse()]) {
		const language = languages.find((l) => l === asked) ?? languages.find((l) => l.split("-")[0] === asked.split("-")[0]);
		if (!language) continue;
		document.documentElement.lang = language;
		jQuery.ajax({url: `l10n/${language}.json?v=VERSION`, async: false, dataType: "json", success: (texts) => Object.assign(SocialCalc.Constants, texts)});
	}

	const show = (names) => {
		const list = document.querySelector("#people");
		list.replaceChildren(...names.map((name) => {
			const item = document.createElement("li");
			item.textContent = name;
			return item;
		}));
	};

	const tellers = {}; // of the connection's state
	const told = (event) => tellers[event]?.();
	let handler, socket, opened = false;
	let waiting = []; // messages from while there was no connection

	const connect = () => {
		socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/live`);
		socket.onopen = () => {
			for (const text of waiting) socket.send(text);
			waiting = [];
			if (opened) told("reconnect");
			opened = true;
		};
		socket.onmessage = ({data: text}) => {
			const data = JSON.parse(text);
			if (data.type === "people") show(data.names);
			// What was changed here could not be saved: show what was.
			else if (data.type === "lost") location.reload();
			else handler.call({data});
		};
		socket.onclose = () => {
			told(opened ? "reconnect_error" : "connect_error");
			setTimeout(connect, 1000);
		};
	};

	// EtherCalc's scripts come as functions for a framework called Zappa.
	window.zappa = {
		run: (script) => script.call({
			connect: () => {
				connect();
				return {io: {on: (event, teller) => { tellers[event] = teller; }}};
			},
			on: (handlers) => { handler = handlers.data; },
			emit: ({data}) => {
				const text = JSON.stringify(data);
				if (socket.readyState === WebSocket.OPEN) socket.send(text);
				// The place of a cursor is of no use later.
				else if (data.type === "execute" || !opened) waiting.push(text);
			},
		}),
	};

	// A command that means nothing must not stop those after it.
	const execute = SocialCalc.ExecuteSheetCommand;
	SocialCalc.ExecuteSheetCommand = (sheet, command, undo) => {
		try {
			return execute(sheet, command, undo);
		} catch (err) {
			console.warn("A command failed:", err);
			return "";
		}
	};

	// No tab for forms: they are sheets of their own. And whoever opens the sheet
	// can type at once, without a click.
	const control = SocialCalc.SpreadsheetControl.prototype;
	const start = control.InitializeSpreadsheetControl;
	control.InitializeSpreadsheetControl = function (...rest) {
		const form = this.tabs.findIndex((tab) => tab.name === "form");
		if (form >= 0) {
			this.tabs.splice(form, 1);
			this.tabs.forEach((tab, i) => { this.tabnums[tab.name] = i; });
		}
		const result = start.apply(this, rest);
		SocialCalc.KeyboardSetFocus(this.editor);
		return result;
	};
})();
