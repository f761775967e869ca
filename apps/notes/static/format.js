// What the buttons above the text do: from a text and its selection to another.
import { t } from "./words.js";

/** Puts marks around the selection, or takes them away. */
const around = (mark, sample) => (text, start, end) => {
  const inside = text.slice(start, end);
  if (text.slice(start - mark.length, start) === mark && text.slice(end, end + mark.length) === mark) {
    return { text: text.slice(0, start - mark.length) + inside + text.slice(end + mark.length), start: start - mark.length, end: end - mark.length };
  }
  const word = inside || sample();
  return { text: text.slice(0, start) + mark + word + mark + text.slice(end), start: start + mark.length, end: start + mark.length + word.length };
};

/** Puts a prefix before each line of the selection, or takes it away. */
const lines = (prefix, pattern) => (text, start, end) => {
  const from = text.lastIndexOf("\n", start - 1) + 1;
  const stop = text.indexOf("\n", end);
  const to = stop === -1 ? text.length : stop;
  const before = text.slice(from, to).split("\n");
  const has = before.every((l) => l.startsWith(prefix));
  const after = before.map((l) => (has ? l.slice(prefix.length) : prefix + l.replace(pattern, "")));
  const joined = after.join("\n");
  const shift = after[0].length - before[0].length;
  return {
    text: text.slice(0, from) + joined + text.slice(to),
    start: Math.max(from, start + shift),
    end: Math.max(from, end + joined.length - (to - from)),
  };
};

export const formatters = {
  bold: around("**", () => t("text")),
  italic: around("*", () => t("text")),
  heading: lines("## ", /^#+\s+/),
  list: lines("- ", /^\s*[-*+]\s+(\[[ xX]\]\s+)?/),
  task: lines("- [ ] ", /^\s*[-*+]\s+(\[[ xX]\]\s+)?/),
  link(text, start, end) {
    const label = text.slice(start, end) || t("link");
    const made = `[${label}](https://)`;
    const at = start + made.length - 1;
    return { text: text.slice(0, start) + made + text.slice(end), start: at, end: at };
  },
};
