import { $, el, encode, icon, join } from "./dom.js";
import { ask, canShow, isImage, view } from "./dialogs.js";
import * as server from "./server.js";
import { dropped, upload } from "./uploads.js";
import { date, size, t, translatePage } from "./words.js";

/** Larger pictures are not worth loading for a thumbnail. */
const maxThumbnail = 4e6;

let folder = "", entries = [], canEdit = false;

translatePage();

const tellShell = (message) => { if (parent !== window) parent.postMessage(message, "*"); };
const address = (path) => (path ? `/in/${encode(path)}` : "/");
const here = () => decodeURIComponent(location.pathname.replace(/^\/(in\/)?/, "")).replace(/\/$/, "");

// --- the folder ---------------------------------------------------------------

async function go(path, { push = true } = {}) {
  try {
    const answer = await server.list(path);
    folder = answer.path;
    entries = answer.entries;
    canEdit = answer.canEdit;
  } catch (problem) {
    if (path) return go("", { push });
    $("news").textContent = problem.message;
    return;
  }
  if (push && here() !== folder) history.pushState(null, "", address(folder));
  else if (here() !== folder) history.replaceState(null, "", address(folder));
  $("news").textContent = "";
  draw();
  const name = folder.split("/").pop() || t("Files");
  document.title = name;
  $("title").textContent = name;
  tellShell({ setTitle: name });
  tellShell({ setPath: location.pathname });
}

let refreshing = 0;
/** Looks at the folder again, soon: many changes may come at once. */
function refresh() {
  clearTimeout(refreshing);
  refreshing = setTimeout(async () => {
    const path = folder;
    try {
      const answer = await server.list(path);
      if (path !== folder) return;
      entries = answer.entries;
      draw();
    } catch { go(""); }
  }, 150);
}

addEventListener("popstate", () => go(here(), { push: false }));

// --- what is drawn ------------------------------------------------------------

function draw() {
  document.body.classList.toggle("editable", canEdit);
  const parts = folder ? folder.split("/") : [];
  $("crumbs").replaceChildren(
    crumb("", t("Files"), !parts.length),
    ...parts.map((p, n) => crumb(parts.slice(0, n + 1).join("/"), p, n === parts.length - 1)),
  );
  const focused = document.activeElement?.closest?.("#entries li")?.dataset.name;
  $("entries").replaceChildren(...entries.map(row));
  if (focused !== undefined) {
    const again = [...$("entries").children].find((r) => r.dataset.name === focused) ?? $("entries").firstElementChild;
    (again?.querySelector("a") ?? $("upload")).focus();
  }
  $("empty").hidden = entries.length > 0;
  $("zip").href = `/zip/${encode(folder)}`;
  $("zip").hidden = !entries.length;
}

function crumb(path, name, last) {
  const a = el("a", { href: address(path), "aria-current": last ? "page" : null, onclick: follow(path) }, name);
  if (!last) acceptDrops(a, path);
  return el("li", {}, a);
}

const follow = (path) => (e) => {
  if (e.ctrlKey || e.metaKey || e.shiftKey) return;
  e.preventDefault();
  go(path);
};

function row(e) {
  const path = join(folder, e.name);
  const source = `/files/${encode(path)}`;
  const link = e.folder
    ? el("a", { href: address(path), onclick: follow(path) }, e.name)
    : canShow(e)
      ? el("a", { href: source, onclick: (ev) => { ev.preventDefault(); view(folder, entries, e.name); } }, e.name)
      : el("a", { href: `${source}?save=1`, download: e.name }, e.name);
  const picture = !e.folder && isImage(e.name) && e.size <= maxThumbnail
    ? el("img", { src: source, alt: "", loading: "lazy", decoding: "async" })
    : icon(e.folder ? "folder" : "file");
  const r = el("li", { "data-name": e.name, draggable: canEdit ? "true" : null },
    el("span", { class: "picture" }, picture),
    el("span", { class: "name" }, link),
    el("span", { class: "size" }, e.folder ? "" : size(e.size)),
    el("time", { datetime: new Date(e.modified).toISOString() }, date(e.modified)),
    menu(e, path, source));
  r.addEventListener("dragstart", (ev) => {
    ev.dataTransfer.setData("application/x-filedrop", path);
    ev.dataTransfer.effectAllowed = "move";
  });
  if (e.folder) acceptDrops(r, path);
  return r;
}

function menu(e, path, source) {
  const id = `menu-${entries.indexOf(e)}`;
  const act = (label, run) => el("button", { type: "button", onclick: () => { $(id).hidePopover(); run(); } }, t(label));
  const items = [
    e.folder
      ? el("a", { href: `/zip/${encode(path)}`, download: true }, t("Download"))
      : el("a", { href: `${source}?save=1`, download: e.name }, t("Download")),
    ...(canEdit ? [
      act("Rename", () => ask({
        title: t("New name for {name}", e), ok: t("Rename"), value: e.name,
        run: (name) => changed(server.move(path, join(folder, checked(name)))),
      })),
      act("Move", () => chooseFolder(e, path)),
      act("Delete", () => ask({
        title: t("Delete {name}?", e), ok: t("Delete"), danger: true,
        text: t(e.folder ? "The folder and all that is in it cannot be brought back." : "It cannot be brought back."),
        run: () => changed(server.remove(path)),
      })),
    ] : []),
  ];
  const label = t("More for {name}", e);
  return el("span", { class: "menu" },
    el("button", { type: "button", class: "quiet icon", "aria-label": label, title: label, popovertarget: id, style: null }, icon("more")),
    el("div", { id, popover: true, onbeforetoggle: (ev) => { if (ev.newState === "open") place(ev.target); } }, ...items));
}

/** Puts a menu beside its button, where there is room. */
function place(menu) {
  const { right, bottom, top } = menu.previousElementSibling.getBoundingClientRect();
  const above = bottom + 190 > innerHeight;
  menu.style.right = `${document.documentElement.clientWidth - right}px`;
  menu.style.top = above ? "auto" : `${bottom + 4}px`;
  menu.style.bottom = above ? `${innerHeight - top + 4}px` : "auto";
}
const placeOpen = () => document.querySelectorAll("[popover]:popover-open").forEach(place);
addEventListener("resize", placeOpen);
addEventListener("scroll", placeOpen, { passive: true });

/** A name for one entry must not lead somewhere else. */
function checked(name) {
  if (name.includes("/")) throw new Error(server.problem("name"));
  return name;
}

const changed = (promise) => promise.then(refresh);

async function chooseFolder(e, path) {
  const all = (await server.folders()).filter((f) => f !== folder && f !== path && !f.startsWith(`${path}/`));
  ask({
    title: t("Move {name} to", e), ok: t("Move"),
    choices: all.map((f) => ({ value: f, label: f ? f.replaceAll("/", " / ") : t("Files") })),
    run: (to) => changed(server.move(path, join(to, e.name))),
  });
}

// --- uploads and drops --------------------------------------------------------

$("upload").addEventListener("click", () => $("picker").click());
$("picker").addEventListener("change", () => {
  upload(folder, [...$("picker").files].map((file) => ({ file, path: file.name })));
  $("picker").value = "";
});
$("new-folder").addEventListener("click", () => ask({
  title: t("Name of the new folder"), ok: t("Create"), value: "",
  run: (name) => changed(server.makeFolder(join(folder, checked(name)))),
}));

const hasFiles = (e) => canEdit && [...e.dataTransfer.types].includes("Files");
const hasEntry = (e) => canEdit && [...e.dataTransfer.types].includes("application/x-filedrop");

let inside = 0;
const leave = () => { inside = 0; $("drop").hidden = true; };
addEventListener("dragenter", (e) => { if (hasFiles(e)) { inside++; $("drop").hidden = false; } });
addEventListener("dragleave", (e) => { if (hasFiles(e) && --inside <= 0) leave(); });
addEventListener("dragover", (e) => { if (hasFiles(e)) e.preventDefault(); });
addEventListener("drop", async (e) => {
  if (!hasFiles(e)) return;
  e.preventDefault();
  leave();
  upload(folder, await dropped(e.dataTransfer));
});

/** Lets an entry be dragged onto a folder. */
function acceptDrops(element, path) {
  element.addEventListener("dragover", (e) => {
    if (!hasEntry(e)) return;
    e.preventDefault();
    element.classList.add("target");
  });
  element.addEventListener("dragleave", () => element.classList.remove("target"));
  element.addEventListener("drop", async (e) => {
    element.classList.remove("target");
    if (!hasEntry(e)) return;
    e.preventDefault();
    const from = e.dataTransfer.getData("application/x-filedrop");
    if (from === path) return;
    try { await changed(server.move(from, join(path, from.split("/").pop()))); } catch (problem) { $("news").textContent = problem.message; }
  });
}

// --- others' changes ----------------------------------------------------------

const events = new EventSource("/events");
events.onmessage = (e) => {
  const changedFolder = JSON.parse(e.data);
  if (changedFolder === folder || changedFolder === folder.split("/").slice(0, -1).join("/")) refresh();
};
let opened = false;
events.onopen = () => { if (opened) refresh(); opened = true; };

go(here(), { push: false });
