// Markdown to DOM nodes. Text only ever becomes text nodes, so nothing that
// somebody writes can become markup of its own.
import { t } from "./words.js";

const el = (name, children = [], attributes = {}) => {
  const e = document.createElement(name);
  for (const [k, v] of Object.entries(attributes)) e.setAttribute(k, v);
  e.append(...children);
  return e;
};

const inlineRules = [
  [/^\\([!-/:-@[-`{-~])/, (m) => m[1]],
  [/^(`+)(?!`)(.+?)(?<!`)\1(?!`)/s, (m) => el("code", [m[2].trim() || m[2]])],
  [/^\[((?:[^\[\]]|\[[^\]]*\])*)\]\(<?([^\s()<>]+(?:\([^\s()]*\))?)>?(?:\s+"[^"]*")?\)/, (m) => link(m[2], inline(m[1]))],
  [/^<((?:https?:\/\/|mailto:)[^\s<>]+)>/, (m) => link(m[1], [m[1].replace(/^mailto:/, "")])],
  [/^https?:\/\/[^\s<]*[^\s<.,:;!?'")\]*_~]/, (m) => link(m[0], [m[0]])],
  [/^\*\*(?=\S)(.+?\**)(?<=\S)\*\*(?!\*)/s, (m) => el("strong", inline(m[1]))],
  [/^__(?=\S)(.+?)(?<=\S)__(?!\w)/s, (m) => el("strong", inline(m[1]))],
  [/^~~(?=\S)(.+?)(?<=\S)~~/s, (m) => el("del", inline(m[1]))],
  [/^\*(?=\S)((?:[^*]|\*\*[^*]+\*\*)+?)(?<=\S)\*(?!\*)/s, (m) => el("em", inline(m[1]))],
  [/^_(?=\S)([^_]+?)(?<=\S)_(?!\w)/s, (m) => el("em", inline(m[1]))],
  [/^ {2,}\n|^\\\n/, () => el("br")],
];

const starts = /[\\`[<*_~h ]/;

function inline(text) {
  const out = [];
  let plain = "";
  for (let i = 0; i < text.length;) {
    let hit = null;
    // An underscore or an address only counts at the start of a word.
    if (starts.test(text[i]) && !(/[_h]/.test(text[i]) && /\w/.test(text[i - 1] ?? ""))) {
      const rest = text.slice(i);
      for (const [pattern, make] of inlineRules) {
        const m = pattern.exec(rest);
        if (m) { hit = [m[0].length, make(m)]; break; }
      }
    }
    if (!hit) { plain += text[i++]; continue; }
    if (plain) out.push(plain);
    plain = "";
    out.push(hit[1]);
    i += hit[0];
  }
  if (plain) out.push(plain);
  return out;
}

function link(address, children) {
  let url = null;
  try { url = new URL(address, "https://x.invalid/"); } catch { /* shown as text */ }
  const own = address.startsWith("#");
  if (!own && (!url || !["http:", "https:", "mailto:"].includes(url.protocol) || url.hostname === "x.invalid")) {
    return el("span", children);
  }
  return el("a", children, own ? { href: address } : { href: address, target: "_blank", rel: "noopener noreferrer" });
}

const fence = /^ {0,3}(```+|~~~+)\s*([\w+-]*)/;
const heading = /^ {0,3}(#{1,6})\s+(.*?)\s*#*\s*$/;
const rule = /^ {0,3}([-*_])(?:\s*\1){2,}\s*$/;
const item = /^( *)(?:[-*+]|(\d{1,9})[.)])\s+(.*)$/;
const task = /^\[([ xX])\](?:\s+(.*)|\s*)$/s;
const tableRule = /^\s*\|?\s*:?-+:?\s*(\|\s*:?-+:?\s*)*\|?\s*$/;

/**
 * @param {string} source
 * @param {boolean} canTick whether the boxes of tasks can be ticked
 * @returns {{blocks: Node[], tasks: number[]}} what to show, and in which line
 * of the source the first, second … task is
 */
export function render(source, canTick) {
  const lines = source.split("\n").map((text, number) => ({ text: text.replace(/\t/g, "    "), number }));
  const tasks = [];
  return { blocks: blocks(lines, { canTick, tasks, ids: new Map() }), tasks };
}

/**
 * Shows blocks in place of what element shows, without touching those at the
 * start and the end that stay the same: a click or the focus there survives.
 */
export function update(element, blocks) {
  const old = [...element.childNodes];
  let head = 0, tail = 0;
  while (head < old.length && head < blocks.length && old[head].isEqualNode(blocks[head])) head++;
  while (tail < old.length - head && tail < blocks.length - head && old[old.length - 1 - tail].isEqualNode(blocks[blocks.length - 1 - tail])) tail++;
  const boxes = () => [...element.querySelectorAll(".task input")];
  const focused = boxes().indexOf(document.activeElement);
  const before = old[old.length - tail] ?? null;
  old.slice(head, old.length - tail).forEach((n) => n.remove());
  blocks.slice(head, blocks.length - tail).forEach((n) => element.insertBefore(n, before));
  if (focused >= 0 && document.activeElement === document.body) boxes()[focused]?.focus({ preventScroll: true });
}

function blocks(lines, context) {
  const out = [];
  let i = 0;
  while (i < lines.length) {
    const line = lines[i].text;
    let m;
    if (!line.trim()) i++;
    else if ((m = fence.exec(line))) {
      let end = i + 1;
      while (end < lines.length && !lines[end].text.trimStart().startsWith(m[1])) end++;
      const code = lines.slice(i + 1, end).map((l) => l.text).join("\n");
      out.push(el("pre", [el("code", [code])], { tabindex: "0" }));
      i = end + 1;
    } else if ((m = heading.exec(line))) {
      out.push(el(`h${m[1].length}`, inline(m[2]), { id: slug(m[2], context.ids) }));
      i++;
    } else if (rule.test(line)) {
      out.push(el("hr"));
      i++;
    } else if (/^ {0,3}>/.test(line)) {
      const inside = [];
      while (i < lines.length && /^ {0,3}>/.test(lines[i].text)) {
        inside.push({ ...lines[i], text: lines[i].text.replace(/^ {0,3}> ?/, "") });
        i++;
      }
      out.push(el("blockquote", blocks(inside, context)));
    } else if (item.test(line)) i = list(lines, i, out, context);
    else if (line.includes("|") && tableRule.test(lines[i + 1]?.text ?? "") && lines[i + 1].text.includes("|")) i = table(lines, i, out);
    else {
      const paragraph = [];
      while (i < lines.length && lines[i].text.trim() && (!paragraph.length || !interrupts(lines[i].text))) paragraph.push(lines[i++].text);
      out.push(el("p", inline(paragraph.join("\n"))));
    }
  }
  return out;
}

const interrupts = (line) => fence.test(line) || heading.test(line) || rule.test(line) || /^ {0,3}>/.test(line) || item.test(line);

function list(lines, i, out, context) {
  const first = item.exec(lines[i].text);
  const indent = first[1].length, ordered = first[2] !== undefined;
  const result = el(ordered ? "ol" : "ul", [], ordered && first[2] !== "1" ? { start: first[2] } : {});
  while (i < lines.length) {
    const m = item.exec(lines[i].text);
    if (!m || m[1].length !== indent || (m[2] !== undefined) !== ordered || rule.test(lines[i].text)) break;
    const start = lines[i];
    const inside = [];
    i++;
    while (i < lines.length) {
      const text = lines[i].text, depth = text.search(/\S/);
      if (depth === -1 ? (lines[i + 1]?.text.search(/\S/) ?? -1) > indent : depth > indent) {
        inside.push({ ...lines[i], text: text.slice(Math.min(indent + 2, Math.max(depth, 0))) });
        i++;
      } else break;
    }
    result.append(listItem(start, m[3], inside, context));
    while (i < lines.length && !lines[i].text.trim() && item.exec(lines[i + 1]?.text ?? "")?.[1].length === indent) i++;
  }
  out.push(result);
  return i;
}

function listItem(line, text, inside, context) {
  const m = task.exec(text);
  if (!m) return el("li", [...inline(text), ...blocks(inside, context)]);
  const box = el("input", [], { type: "checkbox" });
  box.defaultChecked = m[1] !== " ";
  box.disabled = !context.canTick;
  if (!m[2]?.trim()) box.setAttribute("aria-label", t("Task"));
  context.tasks.push(line.number);
  return el("li", [el("label", [box, ...inline(m[2] ?? "")]), ...blocks(inside, context)], { class: "task" });
}

function table(lines, i, out) {
  const cells = (l) => l.trim().replace(/^\||\|$/g, "").split(/(?<!\\)\|/).map((c) => c.trim().replace(/\\\|/g, "|"));
  const align = cells(lines[i + 1].text).map((c) => (c.endsWith(":") ? (c.startsWith(":") ? "center" : "end") : ""));
  const row = (l, name) => el("tr", cells(l).map((c, n) => el(name, inline(c), align[n] ? { class: align[n] } : {})));
  const head = row(lines[i].text, "th");
  const body = [];
  for (i += 2; i < lines.length && lines[i].text.includes("|"); i++) body.push(row(lines[i].text, "td"));
  out.push(el("div", [el("table", [el("thead", [head]), el("tbody", body)])], { class: "table", tabindex: "0", role: "region", "aria-label": head.textContent }));
  return i;
}

function slug(text, ids) {
  const base = text.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, "-").replace(/^-|-$/g, "") || "part";
  const n = ids.get(base) ?? 0;
  ids.set(base, n + 1);
  return `note-${base}${n ? `-${n}` : ""}`;
}
