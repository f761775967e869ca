// @ts-check
// The messages that an app may send to us from its frame (gateway.md §7). The
// app is hostile: every field is checked, and the caller has checked that the
// message came from the frame of this grain and from its origin.

/**
 * What a message may lead to.
 * @typedef {object} Effects
 * @property {(path: string) => void} setPath
 * @property {(title: string) => void} setTitle
 * @property {(reply: object) => void} reply
 * @property {(rpcId: unknown) => void} subscribeTitle
 * @property {() => string} grainTitle
 * @property {(what: 'sharing' | 'powerbox') => void} unavailable
 */

const maxText = 8192;

/** @param {unknown} v @returns {v is Record<string, unknown>} */
function isObject(v) {
  return typeof v === 'object' && v !== null && !Array.isArray(v);
}

/** Only small plain values are echoed. @param {unknown} v */
function isRpcId(v) {
  return typeof v === 'number' || typeof v === 'boolean' || (typeof v === 'string' && v.length <= 1000);
}

/**
 * The path of a message as it may stand in our address bar, or null. A path with
 * .. could otherwise make the bar show another page of ours.
 * @param {string} grain
 * @param {unknown} path
 * @param {string} origin
 */
export function grainPath(grain, path, origin) {
  if (path === '') path = '/';
  if (typeof path !== 'string' || path.length > maxText || !path.startsWith('/') || path.startsWith('//')) return null;
  try {
    const base = `/grain/${grain}`;
    const url = new URL(origin + base + path);
    if (url.origin !== origin || !url.pathname.startsWith(base + '/')) return null;
    const inner = url.pathname.slice(base.length);
    // A backslash has become a slash by now.
    return inner.startsWith('//') ? null : inner + url.search + url.hash;
  } catch {
    return null;
  }
}

/**
 * @param {unknown} data
 * @param {string} grain
 * @param {Effects} fx
 */
export function handleMessage(data, grain, fx) {
  if (!isObject(data)) return;
  if ('setPath' in data) {
    const path = grainPath(grain, data.setPath, location.origin);
    if (path !== null) fx.setPath(path);
  } else if ('startSharing' in data || 'showConnectionGraph' in data) {
    fx.unavailable('sharing');
  } else if ('setTitle' in data) {
    if (typeof data.setTitle === 'string') fx.setTitle(data.setTitle.slice(0, 500));
  } else if ('renderTemplate' in data) {
    const call = data.renderTemplate;
    if (isObject(call) && typeof call.rpcId === 'string' && isRpcId(call.rpcId)) {
      fx.reply({ rpcId: call.rpcId, error: 'Offer templates are not available on this server yet.' });
    }
  } else if ('powerboxRequest' in data) {
    const call = data.powerboxRequest;
    if (isObject(call) && isRpcId(call.rpcId)) {
      fx.unavailable('powerbox');
      fx.reply({ rpcId: call.rpcId, canceled: true });
    }
  } else if ('getGrainTitle' in data) {
    if (!isRpcId(data.rpcId)) return;
    if (data.subscribe === true) fx.subscribeTitle(data.rpcId);
    fx.reply({ rpcId: data.rpcId, grainTitle: fx.grainTitle() });
  }
}
