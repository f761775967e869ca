// @ts-check
// Uploading a package with a progress bar: by choosing a file or by dropping it
// anywhere on the page.
import { find } from './dom.js';
import { navigate } from './nav.js';

/** @type {XMLHttpRequest | null} */
let running = null;

/** @param {HTMLFormElement} form @param {File} file */
function upload(form, file) {
  if (running) return;
  const box = /** @type {HTMLElement} */ (find('.progress', form));
  const bar = /** @type {HTMLProgressElement} */ (find('progress', form));
  const percent = /** @type {HTMLElement} */ (find('[data-percent]', form));
  const alert = /** @type {HTMLElement} */ (find('[role=alert]', form));
  const input = /** @type {HTMLInputElement} */ (find('input[type=file]', form));
  /** @param {'sending' | 'checking'} state */
  const show = (state) => {
    for (const el of form.querySelectorAll('[data-state]')) /** @type {HTMLElement} */ (el).hidden = /** @type {HTMLElement} */ (el).dataset.state !== state;
  };
  const end = () => {
    running = null;
    box.hidden = true;
    input.hidden = false;
    input.value = '';
  };
  /** @param {string} text */
  const fail = (text) => {
    end();
    alert.textContent = text;
    alert.hidden = false;
  };
  alert.hidden = true;
  box.hidden = false;
  input.hidden = true;
  show('sending');
  const xhr = (running = new XMLHttpRequest());
  xhr.open('POST', form.getAttribute('action') ?? '/upload');
  xhr.responseType = 'json';
  xhr.setRequestHeader('Accept', 'application/json');
  xhr.setRequestHeader('Content-Type', 'application/octet-stream');
  xhr.upload.addEventListener('progress', (e) => {
    if (!e.lengthComputable) return;
    const done = (100 * e.loaded) / e.total;
    bar.value = done;
    percent.textContent = `${Math.floor(done).toLocaleString(document.documentElement.lang)} %`;
  });
  xhr.upload.addEventListener('load', () => {
    show('checking');
    percent.textContent = '';
    bar.removeAttribute('value');
  });
  xhr.addEventListener('load', () => {
    if (xhr.status === 200 && typeof xhr.response?.location === 'string') {
      end();
      navigate(xhr.response.location);
    } else fail(xhr.response?.error?.message ?? String(xhr.status));
  });
  xhr.addEventListener('error', () => fail(/** @type {HTMLTemplateElement | null} */ (find('#toast-offline'))?.content.textContent ?? ''));
  xhr.addEventListener('abort', end);
  xhr.send(file);
}

/** @returns {HTMLFormElement | null} */
const form = () => find('form[data-upload]');

document.addEventListener('change', (e) => {
  const input = /** @type {HTMLInputElement} */ (e.target);
  const f = form();
  const file = input.files?.[0];
  if (f && file && f.contains(input)) upload(f, file);
});
document.addEventListener('click', (e) => {
  if (/** @type {Element} */ (e.target).closest('[data-upload] [data-do=cancel]')) running?.abort();
});
for (const type of ['dragenter', 'dragover', 'dragleave', 'drop']) {
  document.addEventListener(type, (event) => {
    const e = /** @type {DragEvent} */ (event), f = form();
    if (!f || !e.dataTransfer?.types.includes('Files')) return;
    e.preventDefault();
    f.classList.toggle('over', type === 'dragenter' || type === 'dragover');
    if (type !== 'drop') return;
    const file = e.dataTransfer.files[0];
    if (file) upload(f, file);
  });
}
