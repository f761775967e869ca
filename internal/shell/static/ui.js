// @ts-check
// Small comforts: search while typing, ticking rows, keys.
import { find } from './dom.js';
import { fetchPage, navigate } from './nav.js';

let searchTimer = 0;
let searchRun = 0;

/** Fetches the results of a search box that is being typed into. @param {HTMLFormElement} form */
async function search(form) {
  const run = ++searchRun;
  const params = new URLSearchParams();
  for (const [k, v] of new FormData(form)) if (typeof v === 'string' && v !== '') params.append(k, v);
  const url = location.pathname + (params.size ? `?${params}` : '');
  const page = await fetchPage(url).catch(() => null);
  const selector = form.dataset.liveSearch ?? '';
  const from = page?.doc.querySelector(selector), to = find(selector);
  if (run !== searchRun || !from || !to || !form.isConnected) return;
  to.replaceWith(document.adoptNode(from));
  history.replaceState(history.state, '', url);
  document.dispatchEvent(new CustomEvent('shell:refreshed'));
}

document.addEventListener('input', (e) => {
  const input = /** @type {HTMLInputElement} */ (e.target);
  const form = /** @type {HTMLFormElement | null} */ (input.closest('[data-live-search]'));
  if (!form) return;
  clearTimeout(searchTimer);
  searchTimer = setTimeout(() => search(form), 140);
});

/** @type {HTMLInputElement | null} */
let lastTicked = null;

function countTicked() {
  const boxes = [...document.querySelectorAll('td.pick input')].map((b) => /** @type {HTMLInputElement} */ (b));
  const n = boxes.filter((b) => b.checked).length;
  const all = /** @type {HTMLInputElement | null} */ (find('[data-all]'));
  if (all) {
    all.checked = n > 0 && n === boxes.length;
    all.indeterminate = n > 0 && n < boxes.length;
  }
  const count = /** @type {HTMLElement | null} */ (find('.bulk-bar .count'));
  if (count) count.textContent = (count.dataset.count ?? '').replace('%s', n.toLocaleString(document.documentElement.lang));
}

document.addEventListener('change', (e) => {
  const el = /** @type {HTMLInputElement} */ (e.target);
  if (el.matches('[data-all]')) {
    for (const b of document.querySelectorAll('td.pick input')) /** @type {HTMLInputElement} */ (b).checked = el.checked;
  }
  if (el.matches('[data-all], td.pick input')) countTicked();
  if (el.matches('[data-autosubmit]')) el.form?.requestSubmit();
});
document.addEventListener('shell:refreshed', countTicked);

// Shift ticks everything between two boxes.
document.addEventListener('click', (e) => {
  const box = /** @type {HTMLInputElement} */ (e.target);
  if (!(box instanceof HTMLInputElement) || !box.matches('td.pick input')) return;
  const boxes = [...document.querySelectorAll('td.pick input')].map((b) => /** @type {HTMLInputElement} */ (b));
  const a = lastTicked ? boxes.indexOf(lastTicked) : -1, b = boxes.indexOf(box);
  if (e.shiftKey && a >= 0) for (let i = Math.min(a, b); i <= Math.max(a, b); i++) boxes[i].checked = box.checked;
  lastTicked = box;
  countTicked();
});

document.addEventListener('keydown', (e) => {
  const target = /** @type {HTMLElement} */ (e.target);
  const typing = target.matches('input, textarea, select, [contenteditable]');
  if (e.key === '/' && !typing && !e.ctrlKey && !e.metaKey && !e.altKey) {
    const box = /** @type {HTMLInputElement | null} */ (find('[data-slash]'));
    if (box) {
      e.preventDefault();
      box.focus();
      box.select();
    }
  }
  if (e.key === 'Escape' && target.dataset.escape) navigate(target.dataset.escape, { history: 'replace' });
  if (e.key === 'ArrowDown' || e.key === 'ArrowUp') move(e, e.key === 'ArrowDown' ? 1 : -1);
});

/** Arrow keys walk through menus and through the rows of the grain list. @param {KeyboardEvent} e @param {number} step */
function move(e, step) {
  const target = /** @type {HTMLElement} */ (e.target);
  const group = target.closest('.actions:popover-open, .menu, .grain-table tbody');
  let all = group ? [...group.querySelectorAll('.action, a.row-title, li > a')] : [];
  if (target.matches('[data-slash]') && step > 0) all = [...document.querySelectorAll('#results a.row-title, #results .app-card')].slice(0, 1);
  if (all.length === 0) return;
  const i = all.indexOf(target);
  const next = /** @type {HTMLElement | undefined} */ (all[i + step]);
  if (next) {
    e.preventDefault();
    next.focus();
  } else if (group?.matches('.grain-table tbody') && step < 0 && i === 0) {
    e.preventDefault();
    /** @type {HTMLElement | null} */ (find('[data-slash]'))?.focus();
  }
}

// A field that opens with a text to be replaced has it selected.
document.addEventListener('focusin', (e) => {
  const el = /** @type {Element} */ (e.target);
  if (el instanceof HTMLInputElement && el.hasAttribute('data-select')) el.select();
});

function selectFocused() {
  const el = document.activeElement;
  if (el instanceof HTMLInputElement && el.hasAttribute('data-select')) el.select();
}
selectFocused(); // what has the focus from the start got it before we listened
