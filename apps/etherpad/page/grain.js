// Etherpad's page in a grain.
"use strict";

if (parent !== window) {
	// The shell shows and links to the same place.
	const tell = () => parent.postMessage({setPath: location.pathname + location.hash}, "*");
	addEventListener("hashchange", tell);
	tell();
}

addEventListener("load", () => {
	// Etherpad's variables come over the live connection.
	const once = new MutationObserver(() => {
		const variables = window.clientVars;
		if (!variables || !("nameIsGiven" in variables)) return;
		once.disconnect();
		const name = document.querySelector("#myusernameform");
		if (name) name.inert = variables.nameIsGiven;
	});
	once.observe(document.documentElement, {subtree: true, childList: true, attributes: true});
});

// The only way to speak to the grain is a WebSocket; do not try another first.
Object.defineProperty(window, "io", {
	configurable: true,
	set(io) {
		Object.defineProperty(window, "io", {
			configurable: true, writable: true,
			value: Object.assign((url, options) => io(url, {...options, transports: ["websocket"]}), io),
		});
	},
});
