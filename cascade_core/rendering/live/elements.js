// @ts-check
/** Making elements of HTML and SVG; whatever comes from a file goes in as text. */

/** @import { Model } from "./types.js" */

export const SVG = "http://www.w3.org/2000/svg";
const RAMP = 8; // stage colours that style/base.css defines, early to late

export function html(tag, name, attributes = {}, text = "") {
  const node = document.createElement(tag);
  if (name) node.className = `cascade-live__${name}`;
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  if (text) node.textContent = text;
  return node;
}

export function svg(tag, name, attributes = {}, text = "") {
  const node = document.createElementNS(SVG, tag);
  if (name) node.setAttribute("class", `cascade-live__${name}`);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  if (text) node.textContent = text;
  return node;
}

/**
 * Give everything inside `node` the colour of a stage; equal for all panels with as many stages.
 * @param {Model} model
 */
export function tint(node, model, stage) {
  const step = model.count === 1 ? RAMP - 1 : Math.round(((RAMP - 1) * stage) / (model.count - 1));
  node.style.setProperty("--cascade-live-stage", `var(--cascade-live-ramp-${step})`);
  node.style.setProperty("--cascade-live-ink", `var(--cascade-live-ink-${step})`);
  return node;
}

/** An SVG of a given size in pixels, emptied, so that text keeps its size at every width. */
export function canvas(drawing, width, height) {
  drawing.setAttribute("viewBox", `0 0 ${width} ${height}`);
  drawing.setAttribute("height", height);
  drawing.replaceChildren();
}

export function section(name, title) {
  const node = html("div", name);
  const head = html("div", "head");
  head.append(html("h3", "title", {}, title));
  node.append(head);
  return { node, head };
}

export function legend(entries) {
  const node = html("div", "legend");
  for (const [mark, text] of entries) {
    const entry = html("span", "legend-entry");
    entry.append(mark, document.createTextNode(text));
    node.append(entry);
  }
  return node;
}
