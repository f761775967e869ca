/*\
title: $:/plugins/sandstorm/startup.js
type: application/javascript
module-type: startup

Tells the shell the wiki's title and which tiddler is open, so that it can show
and link to them.
\*/
"use strict";

exports.name = "sandstorm";
exports.platforms = ["browser"];
exports.after = ["story"];
exports.synchronous = true;

exports.startup = function() {
	if(window.parent === window) {
		return;
	}
	const tell = (message) => window.parent.postMessage(message, "*");
	const tellTitle = () => tell({setTitle: document.title});
	const tellPath = () => tell({setPath: location.pathname + location.search + location.hash});
	new MutationObserver(tellTitle).observe(document.querySelector("title"),{childList: true, characterData: true, subtree: true});
	window.addEventListener("hashchange",tellPath);
	tellTitle();
	tellPath();
};
