// @ts-check
// Small helpers that the other modules share, and the page's one Trusted Types
// policy.

/**
 * The policy lets HTML through that our own server sent as a page. It has one
 * caller, parsePage, whose documents are inert: scripts in them never run.
 */
const policy = /** @type {any} */ (window).trustedTypes?.createPolicy('shell', {
  /** @param {string} html */
  createHTML: (html) => html,
});

/** @param {string} html @returns {Document} */
export function parsePage(html) {
  return new DOMParser().parseFromString(policy ? policy.createHTML(html) : html, 'text/html');
}

/**
 * @template {Element} T
 * @param {string} selector
 * @param {ParentNode} [root]
 * @returns {T | null}
 */
export function find(selector, root = document) {
  return root.querySelector(selector);
}

/** @param {string} id @returns {HTMLElement | null} a copy of a template's first element */
export function fromTemplate(id) {
  const t = /** @type {HTMLTemplateElement | null} */ (document.getElementById(id));
  return /** @type {HTMLElement | null} */ (t?.content.firstElementChild?.cloneNode(true) ?? null);
}

/** Says something to screen readers. @param {string} text */
export function announce(text) {
  const el = document.getElementById('announce');
  if (el) el.textContent = text;
}

/** Shows a short notice. @param {string} templateId */
export function toast(templateId) {
  const t = /** @type {HTMLTemplateElement | null} */ (document.getElementById(templateId));
  const box = document.getElementById('toasts');
  const text = t?.content.textContent;
  if (!text || !box) return;
  for (const old of box.children) if (old.textContent === text) return;
  const el = document.createElement('p');
  el.className = 'toast';
  el.textContent = text;
  box.append(el);
  setTimeout(() => el.remove(), 6000);
}

/**
 * Asks the server for JSON.
 * @param {string} url
 * @param {object} body
 * @returns {Promise<{ok: boolean, status: number, data: any}>} status 0: no answer
 */
export async function postJSON(url, body) {
  try {
    const res = await fetch(url, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', Accept: 'application/json' },
      body: JSON.stringify(body),
    });
    return { ok: res.ok, status: res.status, data: await res.json().catch(() => null) };
  } catch {
    return { ok: false, status: 0, data: null };
  }
}
