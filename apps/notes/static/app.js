import { movePosition, wellFormed } from "./ot.js";
import { Note } from "./note.js";
import { People } from "./people.js";
import { render, update } from "./markdown.js";
import { formatters } from "./format.js";
import { t, translatePage, wordCount } from "./words.js";

const $ = (id) => document.getElementById(id);
const area = $("text"), preview = $("preview"), state = $("state"), alertBox = $("alert");
const note = new Note();
const people = new People($("people"), $("mirror"));

translatePage();

// --- the three views ---------------------------------------------------------

const views = { "/": "write", "/both": "both", "/read": "read" };

function show(path, hash = "") {
  const view = views[path] ?? "write";
  document.body.dataset.view = view;
  for (const a of document.querySelectorAll("#views a")) {
    if (a.pathname === path) a.setAttribute("aria-current", "page");
    else a.removeAttribute("aria-current");
  }
  tellShell({ setPath: path + hash });
  drawPreview();
}

for (const a of document.querySelectorAll("#views a")) {
  a.addEventListener("click", (e) => {
    if (e.ctrlKey || e.metaKey || e.shiftKey) return;
    e.preventDefault();
    history.replaceState(null, "", a.pathname);
    show(a.pathname);
  });
}
addEventListener("hashchange", () => tellShell({ setPath: location.pathname + location.hash }));

function tellShell(message) {
  if (parent !== window) parent.postMessage(message, "*");
}

// --- the text ---------------------------------------------------------------

let composing = false;

function edited() {
  const clean = wellFormed(area.value);
  if (clean !== area.value) area.value = clean;
  note.edit(area.value, area.selectionEnd);
  drawAll();
}

area.addEventListener("input", () => { if (!composing) edited(); });
area.addEventListener("compositionstart", () => { composing = true; note.hold(); });
area.addEventListener("compositionend", () => { composing = false; edited(); note.release(); });

// The browser's own undo knows nothing of others' changes.
area.addEventListener("beforeinput", (e) => {
  if (e.inputType === "historyUndo") { e.preventDefault(); note.undo(); }
  if (e.inputType === "historyRedo") { e.preventDefault(); note.redo(); }
});
area.addEventListener("keydown", (e) => {
  if (!(e.ctrlKey || e.metaKey) || e.altKey) return;
  const key = e.key.toLowerCase();
  const run = key === "z" ? (e.shiftKey ? redo : undo) : key === "y" ? redo
    : key === "b" ? () => format("bold") : key === "i" ? () => format("italic") : null;
  if (!run) return;
  e.preventDefault();
  run();
});

const undo = () => note.undo(), redo = () => note.redo();

function format(name) {
  if (area.readOnly) return;
  const { text, start, end } = formatters[name](area.value, area.selectionStart, area.selectionEnd);
  area.value = text;
  area.setSelectionRange(start, end);
  area.focus();
  note.edit(text, end);
  drawAll();
}

$("tools").addEventListener("click", (e) => {
  const button = e.target.closest("button");
  if (!button) return;
  const name = button.dataset.do;
  if (name === "undo") undo();
  else if (name === "redo") redo();
  else format(name);
});

/** In which line of the text each task of the preview is. */
let tasks = [];

preview.addEventListener("change", (e) => {
  const line = tasks[[...preview.querySelectorAll(".task input")].indexOf(e.target)];
  const lines = note.text.split("\n");
  if (line === undefined || !note.canEdit) return;
  lines[line] = lines[line].replace(/\[([ xX])\]/, (_, mark) => (mark === " " ? "[x]" : "[ ]"));
  const text = lines.join("\n");
  note.edit(text, text.length);
  area.value = text;
  drawAll();
});

note.addEventListener("change", ({ detail: { op, own } }) => {
  const focused = document.activeElement === area;
  let { selectionStart: start, selectionEnd: end } = area;
  const { selectionDirection } = area;
  area.value = note.text;
  if (own) start = end = endOf(op);
  else { start = movePosition(op, start); end = movePosition(op, end); }
  if (focused) area.setSelectionRange(start, end, selectionDirection);
  people.move(op);
  drawAll();
});

/** Where the last edit of a change ends: there the caret goes after undoing. */
function endOf(op) {
  let at = 0, last = 0;
  for (const s of op) {
    if (typeof s === "string") last = at += s.length;
    else if (s > 0) at += s;
    else last = at;
  }
  return last;
}

// --- people -----------------------------------------------------------------

note.addEventListener("people", ({ detail }) => { people.set(detail.people ?? [], note.you); people.draw(note.text); });
note.addEventListener("cursor", ({ detail }) => { people.point(detail.by, detail.at); people.draw(note.text); });

let pointTimer = 0;
document.addEventListener("selectionchange", () => {
  if (document.activeElement !== area || composing || pointTimer) return;
  pointTimer = setTimeout(() => { pointTimer = 0; note.point(area.selectionStart, area.selectionEnd); }, 120);
});

// --- what is drawn ----------------------------------------------------------

let previewTimer = 0, title = null;

function drawAll() {
  people.draw(note.text);
  clearTimeout(previewTimer);
  previewTimer = setTimeout(drawPreview, 120);
}

function drawPreview() {
  const words = note.text.match(/[\p{L}\p{N}][\p{L}\p{N}'’-]*/gu)?.length ?? 0;
  $("words").textContent = wordCount(words);
  const first = note.text.split("\n").map((l) => l.replace(/^[#>\s*+-]+/, "").replace(/[*_`~]/g, "").trim()).find(Boolean) ?? t("Untitled note");
  if (note.ready && first !== title) {
    title = first;
    document.title = [...first].slice(0, 80).join("");
    tellShell({ setTitle: document.title });
  }
  if (document.body.dataset.view === "write") return;
  if (!note.text.trim()) {
    const empty = document.createElement("p");
    empty.className = "empty";
    empty.textContent = note.ready ? t("Nothing is written here yet.") : t("Opening…");
    tasks = [];
    update(preview, [empty]);
    return;
  }
  const drawn = render(note.text, note.canEdit);
  tasks = drawn.tasks;
  update(preview, drawn.blocks);
}

let lost = 0;

note.addEventListener("state", () => {
  area.readOnly = !note.canEdit;
  document.body.classList.toggle("readonly", note.ready && !note.canEdit);
  if (note.connected) {
    clearTimeout(lost);
    lost = 0;
    alertBox.textContent = "";
    state.textContent = !note.canEdit ? t("You may read this note") : note.saved ? t("Saved") : t("Saving…");
    return;
  }
  if (note.ready && !note.saved && !alertBox.textContent) state.textContent = t("Saving…");
  if (!lost) {
    // A grain that restarts is back within a blink: no need to frighten anybody.
    lost = setTimeout(() => {
      alertBox.textContent = t("Not connected. What you write is kept on this page.");
      state.textContent = "";
    }, 2500);
  }
});
note.addEventListener("refused", () => { alertBox.textContent = t("The note is full: the last change was taken back."); });

document.addEventListener("visibilitychange", () => { if (!document.hidden) note.hurry(); });
addEventListener("online", () => note.hurry());
addEventListener("beforeunload", (e) => { if (!note.saved) e.preventDefault(); });

note.addEventListener("change", () => {
  // Someone who may only read starts with the text as it is meant to look.
  if (!note.canEdit && location.pathname === "/") { history.replaceState(null, "", "/read"); show("/read"); }
  if (location.hash) requestAnimationFrame(() => document.getElementById(location.hash.slice(1))?.scrollIntoView());
}, { once: true });

show(location.pathname, location.hash);
note.connect();
