// Questions to a person, the viewer, and the address for other programs.
import { $, el, encode } from "./dom.js";
import { t } from "./words.js";

/**
 * Asks and, on OK, runs `run` with the answer; if that fails the dialog stays
 * and says why.
 * @param {{title: string, text?: string, ok: string, value?: string, choices?: {value: string, label: string}[], danger?: boolean, run: (answer: string) => Promise<unknown>}} question
 */
export function ask({ title, text = "", ok, value, choices, danger, run }) {
  const dialog = $("ask"), input = $("ask-input"), select = $("ask-select"), error = $("ask-error");
  $("ask-title").textContent = title;
  $("ask-text").textContent = text;
  $("ask-text").hidden = !text;
  $("ask-ok").textContent = ok;
  $("ask-ok").className = danger ? "danger" : "";
  input.hidden = value === undefined;
  select.hidden = !choices;
  error.textContent = "";
  input.required = value !== undefined;
  if (value !== undefined) input.value = value;
  if (choices) select.replaceChildren(...choices.map((c) => el("option", { value: c.value }, c.label)));
  dialog.onsubmit = null;
  dialog.firstElementChild.onsubmit = async (e) => {
    if (e.submitter?.value !== "ok") return;
    e.preventDefault();
    try {
      await run(choices ? select.value : input.value.trim());
      dialog.close();
    } catch (problem) {
      error.textContent = problem.message;
    }
  };
  dialog.showModal();
  if (value !== undefined) {
    input.focus();
    const dot = value.lastIndexOf(".");
    input.setSelectionRange(0, dot > 0 ? dot : value.length);
  }
}

const kinds = [
  [/\.(png|jpe?g|gif|webp|avif|bmp|ico|svg)$/i, (src, alt) => el("img", { src, alt })],
  [/\.(mp4|m4v|webm|ogv)$/i, (src) => el("video", { src, controls: true })],
  [/\.(mp3|m4a|ogg|oga|opus|wav|flac)$/i, (src) => el("audio", { src, controls: true })],
  [/\.(txt|md|csv|log|ini|toml|ya?ml|json|go|py|sh|c|h)$/i, text],
];
/** Larger texts are only for download. */
const maxText = 300000;

export const isImage = (name) => kinds[0][0].test(name);
export const canShow = (e) => kinds.some(([p], n) => p.test(e.name) && (n < 3 || e.size <= maxText));

function text(src) {
  const pre = el("pre", { tabindex: "0" }, t("Opening…"));
  fetch(src).then((r) => r.text()).then((body) => { pre.textContent = body; }, () => { pre.textContent = ""; });
  return pre;
}

let shown = [], position = 0;

/** Shows the entry called name; files are the ones to leaf through. */
export function view(folder, files, name) {
  shown = files.filter(canShow).map((f) => ({ name: f.name, src: `/files/${encode(folder ? `${folder}/${f.name}` : f.name)}` }));
  position = shown.findIndex((f) => f.name === name);
  draw();
  $("viewer").showModal();
}

function draw() {
  const { name, src } = shown[position];
  $("viewer-title").textContent = name;
  $("save").href = `${src}?save=1`;
  $("save").download = name;
  $("stage").replaceChildren(kinds.find(([p]) => p.test(name))[1](src, name));
  $("previous").disabled = position === 0;
  $("next").disabled = position === shown.length - 1;
}

const step = (by) => { if (shown[position + by]) { position += by; draw(); } };
$("previous").addEventListener("click", () => step(-1));
$("next").addEventListener("click", () => step(1));
$("close").addEventListener("click", () => $("viewer").close());
$("viewer").addEventListener("close", () => $("stage").replaceChildren());
$("viewer").addEventListener("click", (e) => { if (e.target === $("viewer")) $("viewer").close(); });
$("viewer").addEventListener("keydown", (e) => {
  if (e.target.matches?.("video, audio, pre")) return;
  if (e.key === "ArrowLeft") step(-1);
  if (e.key === "ArrowRight") step(1);
});

// The shell makes the address and the password and shows them in a frame of
// its own: this page never sees them.
export function connection() {
  const rpcId = crypto.randomUUID();
  const offer = $("offer"), none = $("no-offer");
  offer.hidden = none.hidden = true;
  $("connection").showModal();
  const timer = setTimeout(() => { none.hidden = false; }, 4000);
  const listener = (e) => {
    if (e.source !== parent || e.data?.rpcId !== rpcId) return;
    clearTimeout(timer);
    removeEventListener("message", listener);
    offer.hidden = !e.data.uri;
    none.hidden = !!e.data.uri;
    if (e.data.uri) offer.src = e.data.uri;
  };
  addEventListener("message", listener);
  parent.postMessage({ renderTemplate: {
    rpcId,
    template: `${t("Address")}: ${location.protocol}//$API_HOST/\n${t("User")}: ${t("any")}\n${t("Password")}: $API_TOKEN`,
    petname: "WebDAV",
  } }, "*");
}
$("connect").addEventListener("click", connection);
