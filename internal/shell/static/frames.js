// @ts-check
// The frames of open grains. <grain-frames> stands beside <main> and is never
// swapped; frames in it are never moved, because moving an iframe reloads it.
// The map in it is the one truth that the sidebar and the frames are drawn from.
import { find, fromTemplate, postJSON, toast } from './dom.js';
import { handleMessage } from './messages.js';

/** Frames beyond this are dropped, the one that was not used for longest first. */
const maxFrames = 12;
const keepAliveEvery = 60_000;
const rememberFor = 7 * 24 * 3600 * 1000;

/**
 * @typedef {object} Entry
 * @property {string} id
 * @property {string} title
 * @property {string} icon
 * @property {string} path within the grain, with query and fragment
 * @property {number} used
 * @property {HTMLIFrameElement} [frame]
 * @property {string} [origin]
 * @property {string} [host]
 * @property {string} [revision] of an app under development
 * @property {string} [docTitle] what the app calls its page
 * @property {HTMLElement} [overlay]
 * @property {boolean} [opening]
 * @property {boolean} [trouble]
 * @property {Set<unknown>} subscribers rpc ids that want to hear of new titles
 */

class GrainFrames extends HTMLElement {
  /** @type {Map<string, Entry>} */
  entries = new Map();
  /** @type {Entry | null} */
  active = null;

  connectedCallback() {
    if (this.querySelector('iframe')) return; // the page came with a frame, for browsers without script
    this.load();
    this.arrive();
    document.addEventListener('shell:page', () => this.arrive());
    document.addEventListener('shell:refreshed', () => this.readTitles());
    document.addEventListener('shell:submit', (e) => this.submitted(/** @type {CustomEvent} */ (e).detail));
    addEventListener('hashchange', () => this.arrive());
    addEventListener('message', (e) => this.message(e));
    setInterval(() => this.keepAliveAll(), keepAliveEvery);
    document.addEventListener('shell:change', (e) => {
      const name = /** @type {CustomEvent} */ (e).detail;
      for (const entry of this.entries.values()) {
        if (entry.frame && (name === `grain:${entry.id}` || name === 'refetch')) this.keepAlive(entry);
      }
    });
  }

  /** Shows the grain of the page that we came to, or none. */
  arrive() {
    this.readTitles();
    const bar = /** @type {HTMLElement | null} */ (find('.grainbar'));
    const id = bar?.dataset.grain;
    if (!bar || !id) {
      this.active = null;
      this.draw();
      return;
    }
    const bare = `/grain/${id}`;
    const rest = location.pathname.slice(bare.length) + location.search;
    const entry = this.entries.get(id) ?? this.add(id);
    entry.title = bar.dataset.title ?? entry.title;
    entry.icon = /** @type {HTMLImageElement | null} */ (find('.app-icon', bar))?.src ?? entry.icon;
    entry.used = Date.now();
    this.active = entry;
    if (rest === '' && !location.hash && entry.frame) {
      history.replaceState(history.state, '', bare + entry.path); // as it was left
    } else if (entry.frame) {
      const path = (rest || '/') + location.hash;
      if (path !== entry.path) this.go(entry, path);
    } else if (rest !== '' || location.hash || !entry.path) {
      entry.path = (rest || '/') + location.hash;
    } else {
      history.replaceState(history.state, '', bare + entry.path);
    }
    if (!entry.frame && !entry.opening) this.open(entry);
    else if (entry.frame && !entry.trouble) this.focusFrame(entry);
    if (entry.docTitle) this.setDocTitle(entry);
    this.draw();
  }

  /** @param {string} id @returns {Entry} */
  add(id) {
    const entry = { id, title: '', icon: '', path: '', used: Date.now(), subscribers: new Set() };
    this.entries.set(id, entry);
    return entry;
  }

  /** Mints a session and puts its frame into the page. @param {Entry} entry */
  async open(entry) {
    entry.opening = true;
    this.clear(entry);
    this.overlay(entry, 'frame-wait');
    const [path, hash] = splitHash(entry.path);
    const res = await postJSON(`/_grain/${entry.id}/open`, { path });
    entry.opening = false;
    if (!this.entries.has(entry.id)) return;
    if (!res.ok) {
      this.trouble(entry, res.status === 0 ? 'offline' : 'failed', res.data?.error);
      return;
    }
    const frame = document.createElement('iframe');
    frame.title = entry.title;
    frame.allow = 'fullscreen; clipboard-write; autoplay';
    frame.referrerPolicy = 'same-origin';
    // No sandbox attribute: browsers do not show PDFs in sandboxed frames, which
    // file and mail apps need. The price: an app can send the whole tab
    // elsewhere, as it could after any click even with the attribute. It cannot
    // reach this page: it is another origin.
    entry.frame = frame;
    entry.origin = res.data.origin;
    entry.host = res.data.host;
    entry.revision = res.data.revision;
    frame.addEventListener('load', () => {
      if (!entry.trouble) this.overlay(entry, null);
      this.focusFrame(entry);
    }, { once: true });
    frame.src = res.data.url + hash; // the fragment survives the redirect to the path
    this.append(frame);
    this.evict();
    this.draw();
  }

  /** Sends an open frame to another path of its app. @param {Entry} entry @param {string} path */
  go(entry, path) {
    entry.path = path;
    // replace() adds no step to the history, and works across origins.
    entry.frame?.contentWindow?.location.replace(entry.origin + path);
  }

  /** Types into the app at once, unless the person is busy elsewhere. @param {Entry} entry */
  focusFrame(entry) {
    const at = document.activeElement;
    if (entry === this.active && (!at || at === document.body || at.matches('main, h1'))) entry.frame?.focus({ preventScroll: true });
  }

  /** Takes the frame and what covers it away. @param {Entry} entry */
  clear(entry) {
    entry.frame?.remove();
    entry.overlay?.remove();
    entry.subscribers.clear();
    entry.frame = entry.overlay = entry.origin = entry.host = entry.docTitle = undefined;
    entry.trouble = false;
  }

  /** @param {Entry} entry */
  close(entry) {
    this.clear(entry);
    this.entries.delete(entry.id);
    if (entry === this.active) this.active = null;
    this.draw();
  }

  evict() {
    const open = [...this.entries.values()].filter((e) => e.frame && e !== this.active).sort((a, b) => a.used - b.used);
    while (open.length >= maxFrames) {
      const entry = open.shift();
      if (entry) this.clear(entry);
    }
  }

  /** Covers the frame, or uncovers it. @param {Entry} entry @param {string | null} template */
  overlay(entry, template) {
    entry.overlay?.remove();
    entry.overlay = (template && fromTemplate(template)) || undefined;
    if (entry.overlay) {
      entry.overlay.hidden = entry !== this.active;
      this.append(entry.overlay);
    }
  }

  /**
   * Says what is wrong with a grain, and what can be done.
   * @param {Entry} entry
   * @param {'crashed' | 'ended' | 'failed' | 'offline'} kind
   * @param {{message?: string, hint?: string, request?: string} | null} [why]
   */
  trouble(entry, kind, why) {
    if (entry.trouble && entry.overlay) return;
    this.overlay(entry, 'frame-trouble');
    entry.trouble = true;
    const box = entry.overlay;
    if (!box) return;
    for (const el of box.querySelectorAll('[data-heading]')) if (/** @type {HTMLElement} */ (el).dataset.heading !== kind) el.remove();
    for (const el of box.querySelectorAll('[data-text]')) if (/** @type {HTMLElement} */ (el).dataset.text !== kind) el.remove();
    for (const [name, text] of [['reason', why?.message], ['hint', why?.hint], ['request', why?.request]]) {
      const el = box.querySelector(`[data-${name}]`);
      if (el && text) el.textContent = text;
      else (name === 'request' ? el?.parentElement : el)?.remove();
    }
    const restart = box.querySelector('[data-do="restart"]'), reopen = box.querySelector('[data-do="reopen"]');
    if (kind === 'crashed') reopen?.remove();
    else restart?.remove();
    restart?.addEventListener('click', () => this.restart(entry));
    reopen?.addEventListener('click', () => this.open(entry));
    const log = /** @type {HTMLAnchorElement | null} */ (box.querySelector('[data-do="log"]'));
    if (kind === 'ended' || kind === 'offline') log?.remove();
    else if (log) log.href = `/grainlog/${entry.id}`;
    this.draw();
  }

  /** @param {Entry} entry */
  async restart(entry) {
    this.overlay(entry, 'frame-wait');
    entry.trouble = false;
    this.draw();
    const res = await postJSON(`/_grain/${entry.id}/restart`, {});
    if (!res.ok) this.trouble(entry, res.status === 0 ? 'offline' : 'failed', res.data?.error);
    else await this.open(entry);
  }

  keepAliveAll() {
    for (const entry of this.entries.values()) if (entry.frame && !entry.trouble) this.keepAlive(entry);
  }

  /** Tells the server that the grain is in use, and asks how its app is. @param {Entry} entry */
  async keepAlive(entry) {
    const host = entry.host;
    const res = await postJSON(`/_grain/${entry.id}/keepalive`, { host });
    if (entry.host !== host || !entry.frame) return;
    if (res.status === 404) this.trouble(entry, 'ended');
    else if (res.ok && res.data?.revision !== entry.revision) this.open(entry); // its developer changed it
    else if (res.ok && res.data?.crash) this.trouble(entry, 'crashed', { message: res.data.crash });
    else if (res.ok && res.data?.running && entry.trouble) { // started again, perhaps in another tab
      this.open(entry);
    }
  }

  /** @param {MessageEvent} e */
  message(e) {
    for (const entry of this.entries.values()) {
      if (!entry.frame || e.source === null || e.source !== entry.frame.contentWindow || e.origin !== entry.origin) continue;
      const origin = entry.origin;
      handleMessage(e.data, entry.id, {
        setPath: (path) => {
          entry.path = path;
          if (entry === this.active) history.replaceState(history.state, '', `/grain/${entry.id}${path}`);
          this.draw();
        },
        setTitle: (title) => {
          entry.docTitle = title;
          if (entry === this.active) this.setDocTitle(entry);
        },
        reply: (reply) => /** @type {Window} */ (e.source).postMessage(reply, origin),
        subscribeTitle: (rpcId) => { if (entry.subscribers.size < 100) entry.subscribers.add(rpcId); },
        grainTitle: () => entry.title,
        unavailable: (what) => {
          if (entry === this.active && !document.querySelector(':popover-open, dialog[open]')) toast(`toast-${what}`);
        },
      });
      return;
    }
  }

  /** @param {Entry} entry */
  setDocTitle(entry) {
    document.title = `${entry.docTitle || entry.title} · ${document.body.dataset.server}`;
  }

  /** Takes new titles from what the page shows, and tells apps that asked. */
  readTitles() {
    for (const el of document.querySelectorAll('[data-grain]')) {
      const box = /** @type {HTMLElement} */ (el);
      const entry = this.entries.get(box.dataset.grain ?? '');
      const title = box.dataset.title ?? box.querySelector('.row-title')?.textContent;
      if (!entry || !title || title === entry.title) continue;
      entry.title = title;
      if (!entry.frame) continue;
      entry.frame.title = title;
      for (const rpcId of entry.subscribers) entry.frame.contentWindow?.postMessage({ rpcId, grainTitle: title }, entry.origin ?? '');
    }
    this.draw();
  }

  /** A form was sent: grains that go to the trash close. @param {{action: URL, data: URLSearchParams}} form */
  submitted({ action, data }) {
    if (action.pathname !== '/grain/bulk') return;
    const ids = data.get('trash') ? [data.get('trash')] : data.get('do') === 'restore' || data.get('restore') ? [] : data.getAll('id');
    for (const id of ids) {
      const entry = this.entries.get(id ?? '');
      if (entry) this.close(entry);
    }
  }

  /** Draws frames and sidebar from the map. */
  draw() {
    for (const entry of this.entries.values()) {
      const shown = entry === this.active;
      if (entry.frame) {
        entry.frame.hidden = !shown;
        entry.frame.inert = !shown || Boolean(entry.trouble);
      }
      if (entry.overlay) entry.overlay.hidden = !shown;
    }
    this.inert = this.active === null;
    this.drawSidebar();
    this.save();
  }

  drawSidebar() {
    const section = document.getElementById('open-grains');
    const list = section?.querySelector('ul');
    if (!section || !list) return;
    section.hidden = this.entries.size === 0;
    const items = new Map([...list.children].map((li) => [/** @type {HTMLElement} */ (li).dataset.id, /** @type {HTMLElement} */ (li)]));
    for (const entry of this.entries.values()) {
      const li = items.get(entry.id) ?? this.sidebarItem(entry, list);
      items.delete(entry.id);
      const link = /** @type {HTMLAnchorElement} */ (li.querySelector('a'));
      const href = `/grain/${entry.id}`;
      if (link.getAttribute('href') !== href) link.setAttribute('href', href);
      const img = /** @type {HTMLImageElement} */ (link.querySelector('img'));
      if (entry.icon && img.src !== entry.icon) img.src = entry.icon;
      const span = /** @type {HTMLElement} */ (link.querySelector('span'));
      if (span.textContent !== entry.title) span.textContent = entry.title;
      const button = /** @type {HTMLElement} */ (li.querySelector('button'));
      const label = (button.dataset.label ?? '%s').replace('%s', () => entry.title);
      button.setAttribute('aria-label', label);
      button.title = label;
      li.classList.toggle('trouble', Boolean(entry.trouble));
      if (entry === this.active) link.setAttribute('aria-current', 'page');
      else link.removeAttribute('aria-current');
    }
    for (const li of items.values()) li.remove();
  }

  /** @param {Entry} entry @param {Element} list @returns {HTMLElement} */
  sidebarItem(entry, list) {
    const li = /** @type {HTMLElement} */ (fromTemplate('open-grain-item'));
    li.dataset.id = entry.id;
    li.querySelector('button')?.addEventListener('click', () => {
      const e = this.entries.get(entry.id);
      const wasActive = e === this.active;
      if (e) this.close(e);
      if (wasActive) /** @type {HTMLElement | null} */ (find('#menu a'))?.click();
    });
    list.append(li);
    return li;
  }

  get storageKey() {
    return `open-grains:${document.documentElement.dataset.account}`;
  }

  save() {
    const list = [...this.entries.values()].map(({ id, title, icon, path, used }) => ({ id, title, icon, path, used }));
    try {
      localStorage.setItem(this.storageKey, JSON.stringify(list));
    } catch { /* storage may be off or full: the list is only a convenience */ }
  }

  /** Remembers the grains that were open, without opening them. */
  load() {
    try {
      for (const e of JSON.parse(localStorage.getItem(this.storageKey) ?? '[]')) {
        if (!/^[A-Za-z0-9]{8,64}$/.test(e.id) || !(Date.now() - e.used < rememberFor)) continue;
        Object.assign(this.add(e.id), { title: String(e.title), icon: String(e.icon), path: String(e.path), used: Number(e.used) });
      }
    } catch { /* see save */ }
  }
}

/** @param {string} path @returns {[string, string]} */
function splitHash(path) {
  const i = path.indexOf('#');
  return i < 0 ? [path || '/', ''] : [path.slice(0, i) || '/', path.slice(i)];
}

customElements.define('grain-frames', GrainFrames);

// Renaming and restarting from the bar keep the frame.
document.addEventListener('submit', async (e) => {
  const form = /** @type {HTMLFormElement} */ (e.target);
  const bar = /** @type {HTMLElement | null} */ (form.closest('.grainbar'));
  const frames = /** @type {GrainFrames | null} */ (find('grain-frames'));
  const entry = frames?.entries.get(bar?.dataset.grain ?? '');
  if (!frames || !entry || !form.hasAttribute('data-restart')) return;
  e.preventDefault();
  const popup = /** @type {HTMLElement | null} */ (form.closest(':popover-open'));
  popup?.hidePopover();
  frames.restart(entry);
});
