// Changes of a text, as ot.go defines them: an array in which a positive
// number keeps, a negative one deletes and a string inserts. All lengths count
// UTF-16 code units.

/** @typedef {(number|string)[]} Op */

/** Appends a step, merged with the last one where both are of one sort. */
function add(op, step) {
  if (step === 0 || step === "") return op;
  const last = op[op.length - 1];
  if (typeof step === "string") {
    if (typeof last === "string") op[op.length - 1] = last + step;
    else if (last < 0) {
      // An insertion comes before a deletion, so that equal changes look equal.
      if (typeof op[op.length - 2] === "string") op[op.length - 2] += step;
      else op.splice(op.length - 1, 0, step);
    } else op.push(step);
  } else if (typeof last === "number" && (last > 0) === (step > 0)) {
    op[op.length - 1] = last + step;
  } else op.push(step);
  return op;
}

/** @returns {string} the changed text */
export function apply(text, op) {
  let out = "", at = 0;
  for (const s of op) {
    if (typeof s === "string") out += s;
    else if (s > 0) out += text.slice(at, at += s);
    else at -= s;
  }
  if (at !== text.length) throw new Error("the change does not fit the text");
  return out;
}

/** Walks through a change and can stop in the middle of a step. */
class Reader {
  constructor(op) { this.op = op; this.i = 0; this.step = op[0]; }
  get done() { return this.i >= this.op.length; }
  next() { this.step = this.op[++this.i]; }
  take(n) {
    if (typeof this.step === "string") this.step = this.step.slice(n);
    else this.step -= this.step > 0 ? n : -n;
    if (this.step === 0 || this.step === "") this.next();
  }
}

/**
 * Takes two changes of the same text and returns how each must look to be made
 * after the other. Where both insert at one place, a's text comes first.
 * @returns {[Op, Op]}
 */
export function transform(a, b) {
  const a2 = [], b2 = [], ra = new Reader(a), rb = new Reader(b);
  while (!ra.done || !rb.done) {
    const x = ra.step, y = rb.step;
    if (typeof x === "string") { add(a2, x); add(b2, x.length); ra.next(); continue; }
    if (typeof y === "string") { add(a2, y.length); add(b2, y); rb.next(); continue; }
    if (ra.done || rb.done) throw new Error("the changes are of different texts");
    const n = Math.min(Math.abs(x), Math.abs(y));
    if (x > 0 && y > 0) { add(a2, n); add(b2, n); }
    else if (x < 0 && y > 0) add(a2, -n);
    else if (x > 0 && y < 0) add(b2, -n);
    ra.take(n);
    rb.take(n);
  }
  return [a2, b2];
}

/** The one change that does what a and then b do. */
export function compose(a, b) {
  const out = [], ra = new Reader(a), rb = new Reader(b);
  while (!ra.done || !rb.done) {
    const x = ra.step, y = rb.step;
    if (typeof x === "number" && x < 0) { add(out, x); ra.next(); continue; }
    if (typeof y === "string") { add(out, y); rb.next(); continue; }
    if (ra.done || rb.done) throw new Error("the changes do not follow each other");
    const have = typeof x === "string" ? x.length : x;
    const n = Math.min(have, Math.abs(y));
    if (typeof x === "string") { if (y > 0) add(out, x.slice(0, n)); }
    else add(out, y > 0 ? n : -n);
    ra.take(n);
    rb.take(n);
  }
  return out;
}

/** The change that takes op back; text is what op was made on. */
export function invert(text, op) {
  const out = [];
  let at = 0;
  for (const s of op) {
    if (typeof s === "string") add(out, -s.length);
    else if (s > 0) { add(out, s); at += s; }
    else { add(out, text.slice(at, at - s)); at -= s; }
  }
  return out;
}

/** Where a caret at position at ends up. */
export function movePosition(op, at) {
  let old = 0, moved = at;
  for (const s of op) {
    if (typeof s === "string") { if (old <= at) moved += s.length; }
    else if (s < 0) { if (old < at) moved -= Math.min(-s, at - old); old -= s; }
    else old += s;
    if (old > at) break;
  }
  return moved;
}

const inPair = (text, at) => at > 0 && at < text.length
  && (text.charCodeAt(at - 1) & 0xfc00) === 0xd800 && (text.charCodeAt(at) & 0xfc00) === 0xdc00;

/**
 * The change from one text to another, never through the middle of a
 * character. What follows the caret is taken as unchanged where possible:
 * that tells which of several equal letters was typed.
 */
export function diff(before, after, caret = after.length) {
  const limit = Math.min(before.length, after.length, after.length - caret);
  let tail = 0;
  while (tail < limit && before[before.length - 1 - tail] === after[after.length - 1 - tail]) tail++;
  const room = Math.min(before.length, after.length) - tail;
  let head = 0;
  while (head < room && before[head] === after[head]) head++;
  const rest = Math.min(before.length, after.length) - head;
  while (tail < rest && before[before.length - 1 - tail] === after[after.length - 1 - tail]) tail++;
  if (inPair(before, head) || inPair(after, head)) head--;
  if (inPair(before, before.length - tail) || inPair(after, after.length - tail)) tail--;
  const op = [];
  add(op, head);
  add(op, after.slice(head, after.length - tail));
  add(op, -(before.length - tail - head));
  add(op, tail);
  return op;
}

/** A text without halves of characters, which could not be sent. */
export const wellFormed = (text) => text.toWellFormed ? text.toWellFormed() : text.replace(/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g, "\ufffd");
