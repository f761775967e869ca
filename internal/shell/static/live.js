// @ts-check
// What happens elsewhere: one event stream per visible tab says what to fetch
// again, and times are kept fresh.
import { refresh } from './nav.js';

/** @type {EventSource | null} */
let source = null;
let timer = 0;

/** Anything may have changed: events were lost, or the stream was not there. */
const anything = 'refetch';

/** When each name was heard, by performance.now(), since the page was shown. */
const heard = new Map();

/** @param {(name: string) => boolean} happened */
function refreshIf(happened) {
  const live = document.getElementById('main')?.dataset.live;
  if (!live || !(happened(anything) || live.split(' ').some(happened))) return;
  clearTimeout(timer);
  timer = setTimeout(refresh, 120); // several changes often come together
}

/** @param {string} name */
function changed(name) {
  heard.set(name, performance.now());
  document.dispatchEvent(new CustomEvent('shell:change', { detail: name }));
  refreshIf((n) => n === name);
}

// What changed while a page was on its way was not looked for yet.
document.addEventListener('shell:page', (e) => {
  const began = /** @type {CustomEvent} */ (e).detail;
  refreshIf((n) => heard.get(n) >= began);
  heard.clear();
});

// A hidden tab holds no connection: over HTTP/1.1 six of them would block the
// whole server. It catches up when it is looked at again.
function connect() {
  if (document.hidden || !document.documentElement.dataset.account) {
    source?.close();
    source = null;
    return;
  }
  if (source) return;
  source = new EventSource('/events');
  // Also when the server comes back after a restart.
  source.addEventListener('open', () => changed(anything));
  source.addEventListener('change', (e) => changed(e.data));
}

document.addEventListener('visibilitychange', connect);
addEventListener('pagehide', () => { source?.close(); source = null; });
addEventListener('pageshow', connect);
connect();

/** @type {[Intl.RelativeTimeFormatUnit, number][]} */
const units = [['day', 86400], ['hour', 3600], ['minute', 60]];

function freshenTimes() {
  const lang = document.documentElement.lang;
  let relative, absolute;
  try {
    relative = new Intl.RelativeTimeFormat(lang, { numeric: 'auto' });
    absolute = new Intl.DateTimeFormat(lang, { dateStyle: 'long', timeStyle: 'short' });
  } catch {
    return; // a language that the browser does not know: the server's text stays
  }
  for (const el of document.querySelectorAll('time[data-ago]')) {
    const time = /** @type {HTMLTimeElement} */ (el);
    const t = new Date(time.dateTime), s = (Date.now() - t.getTime()) / 1000;
    time.title = absolute.format(t);
    if (s < 60 || s > 30 * 86400) continue;
    const unit = units.find(([, size]) => s >= size);
    if (unit) time.textContent = relative.format(-Math.floor(s / unit[1]), unit[0]);
  }
}

document.addEventListener('shell:page', freshenTimes);
document.addEventListener('shell:refreshed', freshenTimes);
setInterval(freshenTimes, 30_000);
freshenTimes();
