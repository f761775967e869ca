// A thread with the spreadsheet's own program, for what the server cannot do by
// passing commands on: a snapshot after many commands, and files in other formats.
"use strict";

const {parentPort, workerData} = require("node:worker_threads");

const SocialCalc = require("./socialcalc.js");

const boundary = "SocialCalcSpreadsheetControlSave";
const head = `--${boundary}\nContent-type: text/plain; charset=UTF-8\n\n`;

// wrap makes of a sheet's save what EtherCalc's pages load.
const wrap = (sheet) => `socialcalc:version:1.0\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=${boundary}\n` +
	`${head}# SocialCalc Spreadsheet Control Save\nversion:1.0\npart:sheet\n${head}${sheet}--${boundary}--\n`;

// unwrap is its opposite.
const unwrap = (snapshot) => {
	const parts = snapshot.split(head);
	return parts.length < 3 ? "" : parts[2].slice(0, parts[2].lastIndexOf(`--${boundary}--`));
};

// make returns the sheet after all commands. One that fails changes nothing, here
// as in the pages.
const make = ({snapshot, log}) => {
	const sheet = new SocialCalc.Sheet();
	const save = unwrap(snapshot);
	if (save) SocialCalc.ParseSheetSave(save, sheet);
	for (const commands of log) {
		for (const line of commands.split("\n")) {
			if (!line.trim() || /^re(calc|display)$/.test(line)) continue;
			try {
				SocialCalc.ExecuteSheetCommand(sheet, new SocialCalc.Parse(line), false);
			} catch (err) {
				console.error("A command failed:", err.message);
			}
		}
	}
	return sheet;
};

SocialCalc.RecalcInfo.LoadSheet = () => false; // there is no other sheet

const calculate = (sheet) => new Promise((done) => {
	sheet.statuscallback = (_, status) => { if (status === "calcfinished") done(); };
	SocialCalc.RecalcSheet(sheet);
});

// table makes of a sheet what the writer of files takes.
const table = (XLSX, sheet) => {
	const made = {};
	let rows = 0, columns = 0;
	for (const [name, cell] of Object.entries(sheet.cells)) {
		if (!/^[A-Z]+[1-9][0-9]*$/.test(name) || cell.valuetype === "b") continue;
		const {r, c} = XLSX.utils.decode_cell(name);
		rows = Math.max(rows, r);
		columns = Math.max(columns, c);
		const kind = cell.valuetype.charAt(0);
		made[name] = kind === "n" ? {t: "n", v: Number(cell.datavalue)} : {t: "s", v: String(cell.datavalue)};
		if (kind === "e") made[name].v = cell.valuetype.slice(1) || "#ERROR";
		if (cell.datatype === "f") made[name].f = cell.formula;
	}
	made["!ref"] = XLSX.utils.encode_range({s: {r: 0, c: 0}, e: {r: rows, c: columns}});
	return made;
};

const convert = (sheet, type) => {
	const XLSX = require("./xlsx.js");
	const book = XLSX.utils.book_new();
	XLSX.utils.book_append_sheet(book, table(XLSX, sheet), "Sheet1");
	return XLSX.write(book, {type: "buffer", bookType: type});
};

const main = async () => {
	const sheet = make(workerData);
	if (workerData.type === "snapshot") return wrap(sheet.CreateSheetSave()); // pages calculate by themselves
	await calculate(sheet);
	return convert(sheet, workerData.type);
};

main().then((result) => parentPort.postMessage({result}), (err) => parentPort.postMessage({problem: err.message}));
