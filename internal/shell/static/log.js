// @ts-check
// Following a grain's log. Its text comes from the app: it is only ever put into
// the page as text.
import { find } from './dom.js';

/** Characters kept in the page. */
const keep = 400_000;
/** @type {AbortController | null} */
let reading = null;

async function follow() {
  reading?.abort();
  reading = null;
  const box = /** @type {HTMLElement | null} */ (find('pre[data-stream]'));
  if (!box) return;
  const following = () => /** @type {HTMLInputElement | null} */ (find('[data-follow]'))?.checked ?? false;
  const toEnd = () => { if (following()) box.scrollTop = box.scrollHeight; };
  find('[data-follow]')?.addEventListener('change', toEnd);
  toEnd();
  const me = (reading = new AbortController());
  try {
    const res = await fetch(box.dataset.stream ?? '', { signal: me.signal, headers: { Accept: 'text/plain' } });
    if (!res.ok || !res.body) return;
    const reader = res.body.pipeThrough(new TextDecoderStream()).getReader();
    let first = true;
    for (;;) {
      const { value, done } = await reader.read();
      if (done) break;
      if (first) box.textContent = ''; // the stream begins with what the page shows
      first = false;
      box.append(value);
      let size = box.textContent?.length ?? 0;
      while (size > keep && box.firstChild && box.firstChild !== box.lastChild) {
        size -= box.firstChild.textContent?.length ?? 0;
        box.firstChild.remove();
      }
      toEnd();
    }
  } catch (e) {
    if (!me.signal.aborted) console.warn('log ended', e);
  }
}

document.addEventListener('shell:page', follow);
addEventListener('pagehide', () => reading?.abort());
follow();
