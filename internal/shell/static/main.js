// @ts-check
// What every page loads. Pages work without any of this; it makes them quicker
// and keeps grain frames alive while one moves around.
import './frames.js';
import './nav.js';
import './live.js';
import './ui.js';
import './upload.js';
import './log.js';
