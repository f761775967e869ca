// Who sent a request, as the bridge says it in the X-Sandstorm-* headers. Only
// the bridge can connect, so they can be trusted; nothing else is.
"use strict";

const maxName = 80; // characters

// cleanName decodes a display name and drops control and format characters, such
// as those that turn the direction of text.
const cleanName = (encoded) => {
	let name = "";
	try {
		name = decodeURIComponent(encoded ?? "");
	} catch {
		// Not percent-encoded UTF-8: no name.
	}
	return [...name.replace(/[\p{Cc}\p{Cf}]/gu, "").trim()].slice(0, maxName).join("");
};

exports.cleanName = cleanName;

// from returns the visitor, or null for somebody who may not even look.
exports.from = (request) => {
	const header = (name) => request.headers["x-sandstorm-" + name] ?? "";
	const permissions = header("permissions").split(",");
	if (!permissions.includes("view")) return null;
	return {
		editor: permissions.includes("edit"),
		id: header("user-id"), // of the account; empty for somebody unknown
		name: cleanName(header("username")) || "Anonymous",
		tab: header("tab-id"),
	};
};
