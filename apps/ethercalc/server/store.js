// The sheet on disk, in one SQLite file: how it was at some time, and each command
// since. A command is written before anybody else hears of it.
"use strict";

const {DatabaseSync} = require("node:sqlite");

let database, add, put;

exports.init = (file) => {
	database = new DatabaseSync(file);
	database.exec("PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL");
	database.exec("CREATE TABLE IF NOT EXISTS snapshot (id INTEGER PRIMARY KEY CHECK (id = 1), content TEXT NOT NULL)");
	database.exec("CREATE TABLE IF NOT EXISTS log (id INTEGER PRIMARY KEY AUTOINCREMENT, command TEXT NOT NULL)");
	add = database.prepare("INSERT INTO log (command) VALUES (?)");
	put = database.prepare("INSERT INTO snapshot VALUES (1, ?) ON CONFLICT (id) DO UPDATE SET content = excluded.content");
};

exports.append = (command) => add.run(command);

// read returns all that there is: snapshot, or the empty string, commands since,
// and the number of the last.
exports.read = () => {
	const log = database.prepare("SELECT id, command FROM log ORDER BY id").all();
	return {
		snapshot: database.prepare("SELECT content FROM snapshot").get()?.content ?? "",
		log: log.map((row) => row.command),
		last: log.at(-1)?.id ?? 0,
	};
};

exports.size = () => database.prepare("SELECT count(*) AS n FROM log").get().n;

// compact puts a snapshot in the place of the commands up to last.
exports.compact = (snapshot, last) => {
	database.exec("BEGIN");
	try {
		put.run(snapshot);
		database.prepare("DELETE FROM log WHERE id <= ?").run(last);
		database.exec("COMMIT");
	} catch (err) {
		database.exec("ROLLBACK");
		throw err;
	}
};
