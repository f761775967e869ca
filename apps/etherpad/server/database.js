// Stands for Etherpad's database layer: one SQLite file. A value that was set is
// on its way to the disk before anybody is told, so a kill loses nothing.
"use strict";

const {DatabaseSync} = require("node:sqlite");

// All that one pad needs. An imported file names the records that it wants to
// write; it can name no others.
const known = /^(?:pad:pad(?::(?:revs|chat):\d+)?|globalAuthor:a\.\w+|token2author:t\.[\w-]+|pad2readonly:pad|readonly2pad:r\.\w+)$/;

const changes = new Map(); // key -> JSON text, or null for what is removed
let waiting = []; // who wants to know that the changes are written
let read, list, write, erase, database;

exports.init = (file) => {
	database = new DatabaseSync(file);
	database.exec("PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL");
	database.exec("CREATE TABLE IF NOT EXISTS store (key TEXT PRIMARY KEY, value TEXT NOT NULL)");
	read = database.prepare("SELECT value FROM store WHERE key = ?");
	list = database.prepare("SELECT key FROM store WHERE key GLOB ? AND NOT key GLOB ?");
	write = database.prepare("INSERT INTO store VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value");
	erase = database.prepare("DELETE FROM store WHERE key = ?");
};

// flush writes all changes at once. They stay in the map until they are written,
// so that a full disk loses none of them.
const flush = () => {
	const told = waiting;
	waiting = [];
	try {
		database.exec("BEGIN");
		for (const [key, value] of changes) value === null ? erase.run(key) : write.run(key, value);
		database.exec("COMMIT");
		changes.clear();
	} catch (err) {
		console.error("Saving failed:", err.message);
		if (database.isTransaction) database.exec("ROLLBACK");
		for (const {reject} of told) reject(err);
		return;
	}
	for (const {resolve} of told) resolve();
};

const change = (key, value) => new Promise((resolve, reject) => {
	if (!known.test(key)) throw new Error("no such record");
	changes.set(key, value);
	if (waiting.push({resolve, reject}) === 1) setImmediate(flush);
});

exports.set = (key, value) => change(key, JSON.stringify(value ?? null));
exports.remove = (key) => change(key, null);

exports.get = async (key) => {
	const text = changes.has(key) ? changes.get(key) : read.get(key)?.value;
	return text == null ? null : JSON.parse(text);
};

exports.findKeys = async (pattern, except) => list.all(pattern, except ?? "").map((row) => row.key);

exports.getSub = async (key, path) => {
	let value = await exports.get(key);
	for (const name of path) {
		if (value == null || !Object.hasOwn(value, name)) return null;
		value = value[name];
	}
	return value;
};

exports.setSub = async (key, path, value) => {
	const record = await exports.get(key) ?? {};
	let inner = record;
	for (const name of path.slice(0, -1)) inner = inner[name] ??= {};
	inner[path.at(-1)] = value;
	await exports.set(key, record);
};
