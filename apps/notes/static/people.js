// Who is here, and where their carets are.
import { movePosition } from "./ot.js";
import { t } from "./words.js";

/** One colour for each person; white text on any of them is easy to read. */
const colours = 8;
const colourOf = (id) => `c${parseInt(id.slice(0, 4), 16) % colours}`;

export class People {
  #list = [];
  #you = null;

  constructor(listElement, mirror) {
    this.listElement = listElement;
    this.mirror = mirror;
  }

  set(list, you) {
    this.#you = you;
    this.#list = list;
    this.listElement.replaceChildren(...list.map((p) => {
      const name = p.id === you ? `${p.name} (${t("you")})` : p.canEdit ? p.name : `${p.name} (${t("reads")})`;
      const entry = document.createElement("li");
      entry.className = `${colourOf(p.id)}${p.canEdit ? "" : " reader"}`;
      entry.title = name;
      const letters = document.createElement("span");
      letters.setAttribute("aria-hidden", "true");
      letters.textContent = initials(p.name);
      const full = document.createElement("span");
      full.className = "unseen";
      full.textContent = name;
      entry.append(letters, full);
      return entry;
    }));
  }

  point(id, at) {
    const p = this.#list.find((q) => q.id === id);
    if (p) p.at = at;
  }

  move(op) {
    for (const p of this.#list) if (p.at) p.at = p.at.map((x) => movePosition(op, x));
  }

  /**
   * Draws the text again behind the text area, unseen, with others' carets in
   * it. It also gives the text area its height.
   */
  draw(text) {
    const others = this.#list
      .filter((p) => p.at && p.id !== this.#you)
      .sort((a, b) => a.at[1] - b.at[1]);
    const parts = [];
    let from = 0;
    for (const p of others) {
      const at = Math.min(Math.max(p.at[1], from), text.length);
      const caret = document.createElement("span");
      caret.className = `caret ${colourOf(p.id)}`;
      caret.dataset.name = p.name;
      parts.push(text.slice(from, at), caret);
      from = at;
    }
    this.mirror.replaceChildren(...parts, `${text.slice(from)}\n`);
  }
}

function initials(name) {
  const words = name.split(/\s+/).filter(Boolean);
  const first = (w) => [...w][0] ?? "";
  return (first(words[0] ?? "?") + (words.length > 1 ? first(words[words.length - 1]) : "")).toUpperCase();
}
