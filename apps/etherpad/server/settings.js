// What Etherpad would read from settings.json, for one pad in a grain.
"use strict";

const no = () => "no";

module.exports = {
	title: "Etherpad",
	skinName: "colibris",
	skinVariants: "super-light-toolbar super-light-editor light-background full-width-editor",
	randomVersionString: "VERSION", // replaced when the package is built

	// Who may do what is said by the bridge; see live.js.
	requireAuthentication: true,
	requireAuthorization: true,
	requireSession: false,
	editOnly: false,
	users: {},
	loadTest: false,

	defaultPadText: "",
	padOptions: {
		noColors: false, showControls: true, showChat: true, showLineNumbers: true, useMonospaceFont: false,
		userName: false, userColor: false, rtl: false, alwaysShowChat: false, chatAndUsers: false, lang: "", // the browser's
	},
	padShortcutEnabled: {
		altF9: true, altC: true, delete: true, cmdShift2: true, return: true, esc: true, cmdS: true, tab: true,
		cmdZ: true, cmdY: true, cmdB: true, cmdI: true, cmdU: true, cmd5: true, cmdShiftL: true, cmdShiftN: true,
		cmdShift1: true, cmdShiftC: true, cmdH: true, ctrlHome: true, pageUp: true, pageDown: true,
	},
	// No "embed": the platform shares the grain, this page cannot.
	toolbar: {
		left: [
			["bold", "italic", "underline", "strikethrough"],
			["orderedlist", "unorderedlist", "indent", "outdent"],
			["undo", "redo"],
			["clearauthorship"],
		],
		right: [["importexport", "timeslider", "savedrevision"], ["settings"], ["showusers"]],
		timeslider: [["timeslider_export", "timeslider_settings", "timeslider_returnToPad"]],
	},
	indentationOnNewLine: true,
	scrollWhenFocusLineIsOutOfViewport: {
		percentage: {editionAboveViewport: 0, editionBelowViewport: 0},
		duration: 0,
		percentageToScrollWhenUserPressesArrowUp: 0,
		scrollWhenCaretIsInTheLastLineOfViewport: false,
	},
	automaticReconnectionTimeout: 5, // seconds

	// Word processors that convert documents are not in the package.
	abiword: null,
	soffice: null,
	tidyHtml: null,
	abiwordAvailable: no,
	sofficeAvailable: no,
	exportAvailable: no,
	allowUnknownFileEnds: true,
	importMaxFileSize: 4 * 1024 * 1024, // /tmp has 16 MB

	// Per open tab; a fast writer sends two changes a second.
	commitRateLimiting: {duration: 1, points: 20},
	disableIPlogging: true,
	maxAge: 0,
	minify: true,
	customLocaleStrings: {},
};
