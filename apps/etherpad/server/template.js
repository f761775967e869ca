// Stands for Etherpad's template engine: the only page that is made while the
// grain runs is the export to HTML.
"use strict";

const source = require("ep_etherpad-lite/templates/export_html.html");

exports.require = (name, values) => source.replace(/<%[-=]\s*(\w+)\s*%>/g, (_, key) => values[key] ?? "");
