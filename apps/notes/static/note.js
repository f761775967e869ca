// The note as this page knows it: what the server has, what is on its way to
// it, and what waits to be sent. Of this page's changes at most one is on its
// way; the server puts everybody's into one order.
import { apply, compose, diff, invert, movePosition, transform } from "./ot.js";

/** Typing in one line without a longer pause, in ms, is undone at once. */
const undoPause = 900;
const undoDepth = 500;

export class Note extends EventTarget {
  text = "";
  canEdit = false;
  /** @type {?string} how others see this page */
  you = null;

  #base = "";          // the server's text at #revision
  #revision = -1;      // -1 before the first answer
  #sent = null;        // {seq, op}
  #waiting = null;     // op
  #seq = 0;
  #socket = null;
  #key = [...crypto.getRandomValues(new Uint8Array(16))].map((b) => b.toString(16).padStart(2, "0")).join("");
  #retry = 0;
  #caret = null;       // not told yet
  #held = null;        // messages that wait while a person composes a character
  #undo = [];
  #redo = [];
  #lastEdit = 0;

  get ready() { return this.#revision >= 0; }
  get saved() { return !this.#sent && !this.#waiting; }
  get connected() { return this.#socket?.readyState === WebSocket.OPEN && this.ready; }

  connect() {
    const url = new URL("/live", location.href);
    url.protocol = url.protocol.replace("http", "ws");
    url.search = new URLSearchParams({ key: this.#key, rev: this.#revision });
    const socket = this.#socket = new WebSocket(url);
    socket.onmessage = (e) => {
      const message = JSON.parse(e.data);
      if (this.#held) this.#held.push(message);
      else this.#receive(message);
    };
    socket.onclose = () => {
      if (socket !== this.#socket) return;
      this.#emit("state");
      const wait = Math.min(20000, 300 * 2 ** this.#retry++) * (0.7 + Math.random() * 0.6);
      this.timer = setTimeout(() => this.connect(), wait);
    };
  }

  /** Tries again now, for example when the page becomes visible. */
  hurry() {
    if (this.#socket && this.#socket.readyState < WebSocket.CLOSING) return;
    clearTimeout(this.timer);
    this.connect();
  }

  /** Keeps others' changes back while the text must not move. */
  hold() { this.#held ??= []; }
  release() {
    const held = this.#held ?? [];
    this.#held = null;
    held.forEach((m) => this.#receive(m));
  }

  /** Takes what a person typed. */
  edit(after, caret) {
    const op = diff(this.text, after, caret);
    if (op.every((s) => s > 0)) return;
    const back = invert(this.text, op);
    const now = Date.now();
    if (now - this.#lastEdit < undoPause && this.#undo.length) {
      this.#undo.push(compose(back, this.#undo.pop()));
    } else this.#undo.push(back);
    if (this.#undo.length > undoDepth) this.#undo.shift();
    this.#redo = [];
    // The end of a line ends what is undone at once.
    this.#lastEdit = op.some((s) => typeof s === "string" && s.includes("\n")) ? 0 : now;
    this.#local(op);
  }

  undo() { return this.#step(this.#undo, this.#redo); }
  redo() { return this.#step(this.#redo, this.#undo); }

  #step(from, to) {
    const op = from.pop();
    if (!op) return false;
    to.push(invert(this.text, op));
    this.#lastEdit = 0;
    this.#local(op);
    this.#emit("change", { op, own: true });
    return true;
  }

  #local(op) {
    this.text = apply(this.text, op);
    this.#moveCaret(op);
    this.#waiting = this.#waiting ? compose(this.#waiting, op) : op;
    this.#flush();
    this.#emit("state");
  }

  #flush() {
    if (!this.connected || this.#sent || !this.#waiting) return;
    this.#sent = { seq: ++this.#seq, op: this.#waiting };
    this.#waiting = null;
    this.#sendAgain();
  }

  #sendAgain() {
    this.#socket.send(JSON.stringify({ t: "op", rev: this.#revision, seq: this.#sent.seq, op: this.#sent.op }));
  }

  /** Tells the others where the caret is, as soon as all is sent. */
  point(start, end) {
    this.#caret = [start, end];
    this.#sendCaret();
  }

  #sendCaret() {
    if (!this.#caret || !this.connected || !this.saved) return;
    this.#socket.send(JSON.stringify({ t: "cursor", rev: this.#revision, at: this.#caret }));
    this.#caret = null;
  }

  #receive(m) {
    if (m.t === "op") this.#remote(m);
    else if (m.t === "hello" || m.t === "resume") this.#welcome(m);
    else if (m.t === "refused") this.#refused(m);
    else this.#emit(m.t, m);
  }

  #welcome(m) {
    this.#retry = 0;
    this.you = m.you;
    this.canEdit = !!m.canEdit;
    if (m.t === "resume") (m.changes ?? []).forEach((c) => this.#remote(c));
    else if (!this.ready) {
      this.#base = this.text = m.text;
      this.#revision = m.rev;
      this.#emit("change", { op: [], own: false });
    } else {
      // Away so long that the changes in between are forgotten: what they did
      // in sum is the difference of the texts.
      if (this.#sent && (m.seq ?? 0) >= this.#sent.seq) this.#acknowledge();
      this.#merge(diff(this.#base, m.text));
      this.#revision = m.rev;
    }
    if (this.#sent) this.#sendAgain();
    this.#flush();
    this.#sendCaret();
    this.#emit("state");
  }

  #remote(m) {
    if (m.rev !== this.#revision + 1) {
      if (m.rev > this.#revision) this.#socket.close();
      return;
    }
    this.#revision = m.rev;
    if (m.by === this.you && m.seq === this.#sent?.seq) {
      this.#acknowledge();
      this.#flush();
      this.#sendCaret();
      this.#emit("state");
    } else this.#merge(m.op ?? []);
  }

  #acknowledge() {
    this.#base = apply(this.#base, this.#sent.op);
    this.#sent = null;
  }

  /** Puts a change of the server's text below what is not there yet. */
  #merge(op) {
    this.#base = apply(this.#base, op);
    if (this.#sent) [op, this.#sent.op] = transform(op, this.#sent.op);
    if (this.#waiting) [op, this.#waiting] = transform(op, this.#waiting);
    this.text = apply(this.text, op);
    this.#moveCaret(op);
    this.#undo = rebase(this.#undo, op);
    this.#redo = rebase(this.#redo, op);
    this.#emit("change", { op, own: false });
  }

  /** The server did not take a change: back to what it has. */
  #refused(m) {
    if (m.seq !== this.#sent?.seq) return;
    const op = diff(this.text, this.#base);
    this.#sent = this.#waiting = null;
    this.#undo = [];
    this.#redo = [];
    this.text = this.#base;
    this.#emit("change", { op, own: false });
    this.#emit("state");
    this.#emit("refused", m);
  }

  /** Where a caret that waits to be told is, after the text changed. */
  #moveCaret(op) { this.#caret = this.#caret?.map((at) => movePosition(op, at)) ?? null; }

  #emit(type, detail) { this.dispatchEvent(new CustomEvent(type, { detail })); }
}

/** Moves the entries of an undo stack past a change that came from outside. */
function rebase(stack, op) {
  const out = [];
  for (let i = stack.length - 1; i >= 0; i--) {
    let entry;
    [op, entry] = transform(op, stack[i]);
    if (!entry.every((s) => s > 0)) out.unshift(entry);
  }
  return out;
}
