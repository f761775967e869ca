// Small helpers to build the page.

/** An element with attributes and children; on… attributes are listeners. */
export function el(name, attributes = {}, ...children) {
  const e = document.createElement(name);
  for (const [k, v] of Object.entries(attributes)) {
    if (k.startsWith("on")) e.addEventListener(k.slice(2), v);
    else if (v !== null && v !== undefined && v !== false) e.setAttribute(k, v === true ? "" : v);
  }
  e.append(...children.filter((c) => c !== null && c !== undefined));
  return e;
}

const paths = {
  folder: "M2.500 5.500A1.500 1.500 0 0 1 4 4h3.500l2 2H16a1.500 1.500 0 0 1 1.500 1.500v7A1.500 1.500 0 0 1 16 16H4a1.500 1.500 0 0 1-1.500-1.500z",
  file: "M5 3h6.500L15.500 7v9.500A1 1 0 0 1 14.500 17.500h-9.500A1 1 0 0 1 4 16.500V4A1 1 0 0 1 5 3zM11.500 3v4h4",
  more: "M4.500 10h.01M10 10h.01M15.500 10h.01",
  stop: "m5 5 10 10M15 5 5 15",
  again: "M15.500 10a5.500 5.500 0 1 1-1.600-3.900M15.500 3v3.500H12",
};

export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 20 20");
  svg.setAttribute("aria-hidden", "true");
  svg.setAttribute("class", name);
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", paths[name]);
  svg.append(path);
  return svg;
}

/** The path with each part percent-encoded. */
export const encode = (path) => path.split("/").map(encodeURIComponent).join("/");

export const join = (folder, name) => (folder ? `${folder}/${name}` : name);

export const $ = (id) => document.getElementById(id);
