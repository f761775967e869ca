// Uploads: some at a time, each with its progress, each can be stopped and
// tried again.
import { $, el, encode, icon, join } from "./dom.js";
import { problem } from "./server.js";
import { size, t } from "./words.js";

const atOnce = 3;
const queue = [];
let running = 0;

/** @param {{file: File, path: string}[]} files path: where below folder */
export function upload(folder, files) {
  for (const { file, path } of files) {
    const job = { file, path: join(folder, path), state: "waiting", sent: 0, error: "" };
    job.row = el("li");
    queue.push(job);
    $("queue").append(job.row);
    draw(job);
  }
  if (files.length) $("uploads").hidden = false;
  next();
}

function next() {
  for (const job of queue) {
    if (running >= atOnce) break;
    if (job.state === "waiting") start(job);
  }
  const done = queue.filter((j) => j.state === "done").length;
  $("progress").textContent = t("{done} of {all} uploaded", { done, all: queue.length });
  if (queue.length && done === queue.length) {
    clearTimeout(next.timer);
    next.timer = setTimeout(() => { if (queue.every((j) => j.state === "done")) clear(); }, 4000);
  }
}

function start(job) {
  running++;
  job.state = "sending";
  const request = job.request = new XMLHttpRequest();
  request.open("PUT", `/files/${encode(job.path)}?conflict=rename`);
  request.setRequestHeader("Content-Type", "application/octet-stream");
  request.setRequestHeader("X-OC-MTime", String(Math.floor(job.file.lastModified / 1000)));
  request.upload.onprogress = (e) => { job.sent = e.loaded; draw(job); };
  request.onloadend = () => {
    running--;
    if (job.state === "sending") {
      job.state = request.status === 201 ? "done" : "failed";
      job.error = job.state === "done" ? "" : problem(request.responseText);
    }
    draw(job);
    next();
  };
  request.send(job.file);
  draw(job);
}

function stop(job) {
  job.state = "stopped";
  job.request?.abort();
  draw(job);
  next();
}

function again(job) {
  job.state = "waiting";
  job.sent = 0;
  draw(job);
  next();
}

function draw(job) {
  const name = job.file.name;
  const active = job.state === "waiting" || job.state === "sending";
  const text = { waiting: t("waiting"), done: t("done"), stopped: t("stopped"), failed: job.error,
    sending: `${size(job.sent)} / ${size(job.file.size)}` }[job.state];
  const button = active
    ? el("button", { type: "button", class: "quiet icon", "aria-label": t("Stop {name}", { name }), title: t("Stop {name}", { name }), onclick: () => stop(job) }, icon("stop"))
    : job.state !== "done" ? el("button", { type: "button", class: "quiet icon", "aria-label": t("Try again"), title: t("Try again"), onclick: () => again(job) }, icon("again")) : null;
  job.row.className = job.state;
  if (job.drawn === job.state && job.state === "sending") { // only the numbers: the button keeps its focus
    job.row.querySelector("small").textContent = text;
    job.row.querySelector("progress").value = job.sent;
    return;
  }
  job.drawn = job.state;
  job.row.replaceChildren(el("span", { class: "name" }, name), el("small", {}, text), ...(button ? [button] : []),
    el("progress", { "aria-label": name, max: Math.max(job.file.size, 1), value: job.state === "done" ? Math.max(job.file.size, 1) : job.sent }));
}

function clear() {
  queue.length = 0;
  $("queue").replaceChildren();
  $("uploads").hidden = true;
}

$("hide").addEventListener("click", () => {
  if (queue.some((j) => j.state === "waiting" || j.state === "sending")) $("uploads").hidden = true;
  else clear();
});

addEventListener("beforeunload", (e) => { if (running) e.preventDefault(); });

/** What was dropped: files, and all that is in dropped folders. */
export async function dropped(transfer) {
  const roots = [...transfer.items].map((i) => i.webkitGetAsEntry?.()).filter(Boolean);
  if (!roots.length) return [...transfer.files].map((file) => ({ file, path: file.name }));
  const found = [];
  const walk = async (entry, above) => {
    const path = join(above, entry.name);
    if (entry.isFile) {
      found.push({ file: await new Promise((ok, no) => entry.file(ok, no)), path });
      return;
    }
    const reader = entry.createReader();
    for (;;) {
      const some = await new Promise((ok, no) => reader.readEntries(ok, no));
      if (!some.length) break;
      for (const e of some) await walk(e, path);
    }
  };
  for (const r of roots) await walk(r, "");
  return found;
}
