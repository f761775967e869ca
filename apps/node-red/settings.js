// Node-RED's settings that do not depend on the place.
"use strict";

const path = require("path");

module.exports = {
	flowFile: "flows.json",
	flowFilePretty: true,
	uiHost: "127.0.0.1",
	uiPort: 8000,

	// There is no network to fetch more nodes from, no shell, and nobody outside
	// to talk to.
	externalModules: {
		autoInstall: false,
		palette: { allowInstall: false, allowUpload: false, allowUpdate: false },
		modules: { allowInstall: false },
	},
	functionExternalModules: false,
	nodesExcludes: ["90-exec.js", "10-mqtt.js", "31-tcpin.js", "32-udp.js"],
	telemetry: { enabled: false, updateNotification: false },
	diagnostics: { enabled: false, ui: false },
	runtimeState: { enabled: true, ui: true },

	// A grain is killed when nobody uses it: what flows remember goes to the disk
	// soon.
	contextStorage: { default: { module: "localfilesystem", config: { flushInterval: 2 } } },
	globalFunctionTimeout: 30, // s; a loop without an end would keep the editor out
	exportGlobalContextKeys: false,
	apiMaxLength: "20mb",
	debugMaxLength: 1000,
	logging: { console: { level: "info", metrics: false, audit: false } },

	editorTheme: {
		page: { title: "Node-RED", scripts: [path.join(__dirname, "page/shell.js")] },
		projects: { enabled: false },
		multiplayer: { enabled: true },
		codeEditor: { lib: "ace" }, // the other one needs workers, which pages of grains may not have
		tours: false,
		userMenu: false,
	},
};
