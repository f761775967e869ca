// @ts-check
// Moving around: takes over links and forms of our own pages, fetches the page
// and replaces <main>, so that the grain frames beside it stay as they are.
import { announce, find, parsePage, toast } from './dom.js';

/** @type {AbortController | null} */
let pending = null;

/** The page that is shown, without fragment. */
let shownPage = location.pathname + location.search;

/** @returns {number} how many grains are open in frames */
function openFrames() {
  return document.querySelectorAll('grain-frames iframe').length;
}

/**
 * Fetches one of our pages.
 * @param {string} url
 * @param {RequestInit} [init]
 * @returns {Promise<{doc: Document, url: URL} | null>} null: it is no page, and
 *   the browser was told to go there itself
 */
export async function fetchPage(url, init) {
  const res = await fetch(url, { ...init, headers: { Accept: 'text/html' } });
  const at = new URL(res.url);
  if (at.origin !== location.origin || !(res.headers.get('Content-Type') ?? '').startsWith('text/html')) {
    location.assign(at.href);
    return null;
  }
  const doc = parsePage(await res.text());
  const was = document.documentElement.dataset, is = doc.documentElement.dataset;
  if (is.account !== was.account || doc.body.className !== document.body.className) { // signed in or out, or set-up: nothing of this page may stay
    location.assign(at.href);
    return null;
  }
  if (is.version !== was.version) {
    const bar = document.getElementById('reload-bar');
    if (openFrames() === 0 && (init?.method ?? 'GET') === 'GET') {
      location.assign(at.href);
      return null;
    }
    if (bar) bar.hidden = false; // open grains would lose their state: the person chooses
  }
  return { doc, url: at };
}

/** Replaces what two pages have in different ways. @param {Document} doc */
function swap(doc) {
  const main = doc.getElementById('main');
  if (!main) return false;
  document.getElementById('main')?.replaceWith(document.adoptNode(main));
  document.title = doc.title;
  for (const name of ['lang', 'dir', 'data-theme']) {
    const v = doc.documentElement.getAttribute(name);
    if (v === null) document.documentElement.removeAttribute(name);
    else document.documentElement.setAttribute(name, v);
  }
  document.body.dataset.page = doc.body.dataset.page ?? '';
  for (const selector of ['#menu', '#side .foot']) {
    const from = doc.querySelector(selector), to = document.querySelector(selector);
    if (from && to) to.replaceWith(document.adoptNode(from));
  }
  return true;
}

/** Puts the focus where reading begins, and says where we are. */
function arrive() {
  const main = document.getElementById('main');
  const target = find('[data-focus], [autofocus]', main ?? document) ?? find('h1', main ?? document);
  if (target instanceof HTMLElement) {
    if (target.tagName === 'H1') target.tabIndex = -1;
    if (!target.closest('[popover]')) target.focus({ preventScroll: true });
  }
  announce(document.title);
}

/** @param {Document} doc @returns {boolean} whether the page was a question, now shown as a dialog */
function ask(doc) {
  const question = doc.querySelector('main .confirm');
  const dialog = /** @type {HTMLDialogElement | null} */ (document.getElementById('dialog'));
  if (!question || !dialog) return false;
  dialog.replaceChildren(document.adoptNode(question));
  dialog.showModal();
  return true;
}

/**
 * Goes to a page of ours.
 * @param {string} url
 * @param {{init?: RequestInit, history?: 'push' | 'replace' | 'none', scroll?: number, quiet?: boolean}} [how]
 */
export async function navigate(url, how = {}) {
  pending?.abort();
  const began = performance.now();
  const me = (pending = new AbortController());
  const bar = document.createElement('div');
  bar.className = 'bar';
  const slow = setTimeout(() => document.body.append(bar), 150);
  try {
    const page = await fetchPage(url, { ...how.init, signal: me.signal });
    if (!page || me.signal.aborted) return;
    if (how.init?.method === 'POST' && ask(page.doc)) return;
    /** @type {HTMLDialogElement | null} */ (document.getElementById('dialog'))?.close();
    history.replaceState({ ...history.state, scroll: scrollY }, '');
    if (!swap(page.doc)) {
      location.assign(url);
      return;
    }
    const hash = new URL(url, location.href).hash;
    const to = page.url.pathname + page.url.search + (page.url.hash || hash);
    if (how.history === 'replace') history.replaceState(null, '', to);
    else if (how.history !== 'none') {
      if (to === location.pathname + location.search + location.hash) history.replaceState(null, '', to);
      else history.pushState(null, '', to);
    }
    shownPage = location.pathname + location.search;
    const side = document.getElementById('side');
    if (side?.matches(':popover-open')) side.hidePopover();
    if (!how.quiet) arrive();
    const anchor = hash && !document.querySelector('.grainbar') ? document.getElementById(hash.slice(1)) : null;
    if (anchor) anchor.scrollIntoView();
    else scrollTo(0, how.scroll ?? 0);
    document.dispatchEvent(new CustomEvent('shell:page', { detail: began }));
  } catch (e) {
    if (me.signal.aborted) return;
    toast('toast-offline');
    console.warn('navigation failed', e);
  } finally {
    clearTimeout(slow);
    bar.remove();
    if (pending === me) pending = null;
  }
}

/** Fetches the current page again and replaces what changed. */
export async function refresh() {
  const dialog = document.querySelector('dialog[open]');
  if (dialog) { // what it asks about, and gives the focus back to, stays meanwhile
    dialog.addEventListener('close', () => refresh(), { once: true });
    return;
  }
  const here = location.href;
  const page = await fetchPage(here).catch(() => null);
  if (!page || location.href !== here) return;
  if (page.url.pathname !== location.pathname) { // it has become another page
    navigate(page.url.href, { history: 'replace' });
    return;
  }
  const fresh = page.doc.getElementById('main'), old = document.getElementById('main');
  if (!fresh || !old || old.querySelector(':popover-open') || document.querySelector('dialog[open]')) return;
  // The search box keeps what is typed into it, but an empty list has none.
  const part = ['#results', '.search'].every((s) => old.querySelector(s) && fresh.querySelector(s)) ? '#results' : '';
  const from = part ? fresh.querySelector(part) : fresh, to = part ? old.querySelector(part) : old;
  if (!from || !to) return;
  const active = document.activeElement;
  if (active instanceof HTMLElement && to.contains(active) && active.matches('input:not([type=checkbox]), textarea, select')) return;
  const ticked = [...to.querySelectorAll('.pick :checked')].map((el) => /** @type {HTMLInputElement} */ (el).value);
  const key = active instanceof HTMLElement && to.contains(active) ? signature(active) : '';
  to.replaceChildren(...document.adoptNode(from).childNodes);
  for (const el of to.querySelectorAll('.pick input')) {
    const box = /** @type {HTMLInputElement} */ (el);
    if (ticked.includes(box.value)) box.checked = true;
  }
  if (key) {
    const again = /** @type {HTMLElement[]} */ ([...to.querySelectorAll('a, button, input')]).find((el) => signature(el) === key);
    again?.focus({ preventScroll: true });
  }
  document.title = page.doc.title;
  document.dispatchEvent(new CustomEvent('shell:refreshed'));
}

/**
 * What tells a control from its neighbours, to find it again: one that the next
 * Enter would press by mistake must not be taken for it.
 * @param {HTMLElement} el
 */
function signature(el) {
  const form = el.closest('form')?.getAttribute('action') ?? '';
  return [form, ...['href', 'name', 'value', 'aria-label', 'id', 'class', 'popovertarget', 'formaction'].map((n) => el.getAttribute(n) ?? '')].join('|');
}

document.addEventListener('click', (e) => {
  if (e.defaultPrevented || e.button !== 0 || e.metaKey || e.ctrlKey || e.shiftKey || e.altKey) return;
  const target = /** @type {Element} */ (e.target);
  if (target.closest('[data-do="reload"]')) location.reload();
  const link = /** @type {HTMLAnchorElement | null} */ (target.closest('a[href]'));
  if (!link || link.target || link.hasAttribute('download') || link.closest('[data-native]') || link.origin !== location.origin) return;
  if (link.pathname.startsWith('/_')) return;
  const dialog = /** @type {HTMLDialogElement | null} */ (link.closest('dialog'));
  if (dialog && link.hasAttribute('data-close')) {
    e.preventDefault();
    dialog.close();
    return;
  }
  if (link.hash && link.pathname === location.pathname && link.search === location.search) return;
  e.preventDefault();
  navigate(link.href);
});

document.addEventListener('submit', (e) => {
  const form = /** @type {HTMLFormElement} */ (e.target);
  const by = /** @type {HTMLElement | null} */ (e.submitter);
  if (e.defaultPrevented || form.closest('[data-native]')) return;
  const action = new URL(by?.getAttribute('formaction') ?? form.getAttribute('action') ?? location.href, location.href);
  if (action.origin !== location.origin) return;
  e.preventDefault();
  const data = new FormData(form, by);
  const text = new URLSearchParams();
  for (const [k, v] of data) if (typeof v === 'string') text.append(k, v);
  if ((form.getAttribute('method') ?? 'get').toLowerCase() !== 'post') {
    if (!form.hasAttribute('action')) action.pathname = location.pathname;
    action.search = text.toString();
    navigate(action.href);
    return;
  }
  document.dispatchEvent(new CustomEvent('shell:submit', { detail: { action, data: text } }));
  const body = form.getAttribute('enctype') === 'multipart/form-data' ? data : text;
  navigate(action.href, { init: { method: 'POST', body } });
});

addEventListener('popstate', (e) => {
  const page = location.pathname + location.search;
  if (page === shownPage) return; // only the fragment is another: links within a page
  navigate(location.href, { history: 'none', scroll: e.state?.scroll ?? 0 });
});

/** Old bookmarks name the trash by a fragment. */
function oldTrash() {
  if (location.pathname === '/grain' && location.hash === '#trash') navigate('/grain/trash', { history: 'replace' });
}
addEventListener('hashchange', oldTrash);
oldTrash();
history.scrollRestoration = 'manual';
