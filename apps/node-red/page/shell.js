// Tells the shell title and address, so that a link leads to the same flow.
"use strict";

// The editor asks for the form of its answers, and says how to deploy, in fields
// that a server in between drops; fields of an app pass (see unwrap in start.js).
const setRequestHeader = XMLHttpRequest.prototype.setRequestHeader;
XMLHttpRequest.prototype.setRequestHeader = function (name, value) {
	return setRequestHeader.call(this, /^node-red-/i.test(name) ? "X-Sandstorm-App-" + name : name, value);
};

if (parent !== window) {
	const tell = () => {
		parent.postMessage({ setTitle: document.title }, "*");
		parent.postMessage({ setPath: location.pathname + location.hash }, "*");
	};
	addEventListener("hashchange", tell);
	addEventListener("load", tell);
}
