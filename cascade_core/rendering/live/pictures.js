// @ts-check
/**
 * Charts as files: an SVG or a PNG of a chart as it stands at a point, with title, legend and a line on where.
 *
 * A chart is built anew for its picture, out of sight, in a width and a font that do not depend on the screen, and then
 * copied element by element: what CSS says becomes attributes, so that the file needs no style sheet, no font and no
 * page; where it is read with another font, letters are fitted into the room that they had here.  All of it happens on a
 * click; a drag pays nothing for it.
 */

import { curve } from "./curve.js";
import { html, legend, svg, SVG } from "./elements.js";
import { backdrop } from "./scheme.js";
import { shares } from "./shares.js";
import { stageCharts } from "./stages.js";
import { change, file_stem, fixed, placeText, saving } from "./words.js";
/** @import { Model } from "./types.js" */

const PICTURE_WIDTH = 720; // px
const PICTURE_MARGIN = 24; // px
const PNG_SCALE = 2;
const PICTURES = { stages: stageCharts, curve, shares };
const PAINT = ["fill", "stroke", "stroke-width", "stroke-dasharray", "stroke-linejoin", "opacity"];
const LETTERING = ["font-family", "font-size", "font-weight", "text-anchor", "paint-order"];
const NOT_XML = /[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu;

/** Put buttons beside the title of each chart that save it as it stands at `point()`. @param {Model} model */
export function offerPictures(shell, model, parts, point) {
  for (const [name, build] of Object.entries(PICTURES)) {
    const title = parts[name].node.querySelector(".cascade-live__title");
    const buttons = html("span", "pictures");
    for (const format of ["svg", "png"]) {
      const kind = format.toUpperCase();
      const button = html("button", "picture", { type: "button", "data-testid": `live-${name}-${format}` }, kind);
      button.setAttribute("aria-label", `${kind}: save the chart \u201c${title.textContent}\u201d as a picture`);
      button.title = `Save this chart as ${kind}`;
      button.addEventListener("click", () => savePicture(shell, model, { name, build, format, point: point() }));
      buttons.append(button);
    }
    title.after(buttons);
  }
}

async function savePicture(shell, model, { name, build, format, point }) {
  const drawing = picture(shell, model, name, build, point);
  const text = new XMLSerializer().serializeToString(drawing);
  const whole = new Blob([`<?xml version="1.0" encoding="UTF-8"?>\n${text}\n`], { type: "image/svg+xml" });
  save(format === "svg" ? whole : await raster(drawing, text), `${pictureName(model, name, point)}.${format}`);
}

/** RUN-POLICY-POSITION-CHART. @param {Model} model */
export function pictureName(model, name, point) {
  const { values, decimals, unit } = model.slider;
  return `${file_stem(model.name, model.policy, values[point.g], decimals, unit)}${point.byHand ? "-by-hand" : ""}-${name}`;
}

function save(blob, name) {
  const link = html("a", "", { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000); // a browser may ask where to before it reads
}

/** The picture's pixels, drawn from its own text: nothing of the page gets in, so the canvas may be read. */
async function raster(drawing, text) {
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`;
  await image.decode();
  const pixels = document.createElement("canvas");
  pixels.width = PNG_SCALE * drawing.getAttribute("width");
  pixels.height = PNG_SCALE * drawing.getAttribute("height");
  context(pixels).drawImage(image, 0, 0, pixels.width, pixels.height);
  return new Promise((done) => pixels.toBlob(done, "image/png"));
}

/**
 * The SVG of a chart at a point: a chart built for it, measured where nobody sees it, and copied.
 * @param {Model} model
 */
function picture(shell, model, name, build, point) {
  const studio = html("section", "", { "data-scheme": shell.dataset.scheme, "aria-hidden": "true" });
  studio.className = "cascade-live cascade-live__studio";
  studio.style.setProperty("width", `${PICTURE_WIDTH}px`);
  const part = build(model);
  studio.append(part.node);
  if (name === "curve") studio.append(curveLegend(model));
  studio.append(html("p", "picture-line", {}, pictureLine(model, point)));
  shell.after(studio);
  try {
    part.layout();
    part.draw(point);
    return copyAll(studio, `${part.node.querySelector(".cascade-live__title").textContent}. ${pictureLine(model, point)}`);
  } finally {
    studio.remove();
  }
}

/** Which run and policy, where the slider stands, and what that does, in one line. @param {Model} model */
function pictureLine(model, point) {
  const whose = [model.name, model.policy].filter(Boolean).join(", ");
  const what = `${fixed(100 * point.accuracy, 1)} % ${model.terms.accuracy}, ${change(point.drop, 1, model.terms)}`;
  const where = `${placeText(model, point)}: ${what}, ${saving(point.saving, model.cost_noun)}`;
  return whose ? `${whose} \u2013 ${where}` : where;
}

/** What the lines of the curve are; on the page they have titles, which a picture cannot show. @param {Model} model */
function curveLegend(model) {
  const line = (name) => markOf(svg("path", name, { d: "M-8 0H8" }));
  const entries = [
    [line("line"), "cascade, at every position of the slider"],
    [markOf(svg("path", "band", { d: "M-8 -6H8V6H-8Z" })), `${fixed(100 * model.level, 0)} % interval`],
    [markOf(svg("circle", "point", { r: 6 })), `chosen`],
  ];
  if (model.certificate) {
    const sure = `certified with ${fixed(100 * model.certificate.level, 0)} % confidence`;
    entries.splice(2, 0, [line("certain"), sure]);
  }
  return legend(entries);
}

function markOf(shape) {
  const drawing = svg("svg", "mark", { viewBox: "-8 -8 16 16", width: 14, height: 14 });
  drawing.append(shape);
  return drawing;
}

/** Everything that is seen inside `studio`, as one SVG with a margin. */
function copyAll(studio, title) {
  const frame = studio.getBoundingClientRect();
  const [width, height] = [frame.width, frame.height].map((size) => Math.ceil(size) + 2 * PICTURE_MARGIN);
  const whole = svg("svg", "", { viewBox: `0 0 ${width} ${height}`, width, height, role: "img" });
  whole.append(svg("title", "", {}, title.replace(NOT_XML, "")));
  const [red, green, blue] = backdrop(studio);
  whole.append(svg("rect", "", { width: "100%", height: "100%", fill: hexadecimal([red, green, blue]) }));
  copyInto(whole, studio, { x: PICTURE_MARGIN - frame.left, y: PICTURE_MARGIN - frame.top });
  return whole;
}

/** Copy an element of the page: its background, its lower border, its texts, its drawings, its children. */
function copyInto(whole, node, shift) {
  if (node instanceof SVGElement) {
    const box = node.getBoundingClientRect();
    const place = { x: box.left + shift.x, y: box.top + shift.y, width: box.width, height: box.height };
    const nested = copyShape(node);
    for (const [key, value] of Object.entries(place)) nested.setAttribute(key, value.toFixed(1));
    whole.append(nested);
    return;
  }
  const style = getComputedStyle(node);
  if (style.display === "none") return;
  whole.append(...surfaces(node, style, shift));
  for (const child of node.childNodes) {
    if (child.nodeType === Node.TEXT_NODE) whole.append(...lettering(child, style, shift));
    else copyInto(whole, child, shift);
  }
}

function surfaces(node, style, shift) {
  const box = node.getBoundingClientRect();
  const [x, y] = [box.left + shift.x, box.top + shift.y];
  const found = [];
  const area = (top, height, colour, more = {}) => {
    if (!(height > 0 && box.width > 0 && colour.alpha > 0)) return;
    const place = { x: x.toFixed(1), y: top.toFixed(1), width: box.width.toFixed(1), height: height.toFixed(1) };
    found.push(svg("rect", "", { ...place, ...paintOf("fill", colour), ...more }));
  };
  const round = style.borderTopLeftRadius === "50%" ? { rx: (box.width / 2).toFixed(1) } : {};
  area(y, box.height, colourOf(style.backgroundColor), round);
  const border = style.borderBottomStyle === "none" ? 0 : parseFloat(style.borderBottomWidth);
  area(y + box.height - border, border, colourOf(style.borderBottomColor));
  return found;
}

/** The lines of a text node where the browser set them, each with the baseline of its font. */
function lettering(node, style, shift) {
  const font = { "font-family": "sans-serif", "font-size": style.fontSize, "font-weight": style.fontWeight };
  const toEnd = ["right", "end"].includes(style.textAlign);
  return linesOf(node).map(({ text, left, right, top, bottom }) => {
    const x = (toEnd ? right : left) + shift.x;
    const y = top + shift.y + ascent(style) * (bottom - top);
    const place = { x: x.toFixed(1), y: y.toFixed(1), "text-anchor": toEnd ? "end" : "start" };
    const ink = paintOf("fill", colourOf(style.color));
    return svg("text", "", { ...place, ...font, ...ink, ...asWide(right - left) }, text.replace(NOT_XML, ""));
  });
}

/** Readers may have other fonts: their letters are drawn as wide as these are, so that no text runs into another. */
function asWide(width) {
  return width > 0 ? { textLength: width.toFixed(1), lengthAdjust: "spacingAndGlyphs" } : {};
}

/** A text node as the lines that it is broken into, with their boxes. */
function linesOf(node) {
  const range = document.createRange();
  const lines = [];
  let at = 0;
  for (const letter of node.data) {
    range.setStart(node, at);
    range.setEnd(node, (at += letter.length));
    const box = range.getBoundingClientRect();
    if (box.width === 0 && !letter.trim()) continue; // white space that is not shown
    const line = lines.at(-1);
    if (line && Math.abs(line.top - box.top) < 3) {
      line.text += letter;
      line.left = Math.min(line.left, box.left);
      line.right = Math.max(line.right, box.right);
    } else {
      lines.push({ text: letter, left: box.left, right: box.right, top: box.top, bottom: box.bottom });
    }
  }
  return lines.filter((line) => line.text.trim());
}

/** @returns {CanvasRenderingContext2D} */
function context(pixels) {
  return pixels.getContext("2d");
}

/** The share of a line's height that is above its baseline. */
function ascent(style) {
  const pen = context(document.createElement("canvas"));
  pen.font = `${style.fontWeight} ${style.fontSize} sans-serif`;
  const { fontBoundingBoxAscent: above, fontBoundingBoxDescent: below } = pen.measureText("x");
  return above / (above + below);
}

/** An element of a drawing, and all in it, with what CSS says about it as attributes. */
function copyShape(node) {
  const copy = document.createElementNS(SVG, node.localName);
  for (const { name, value } of node.attributes) {
    if (!/^(class|style|role|visibility|aria-.*|data-.*)$/.test(name)) copy.setAttribute(name, value);
  }
  if (node.localName === "title") {
    copy.textContent = node.textContent.replace(NOT_XML, "");
    return copy;
  }
  const style = getComputedStyle(node);
  const lettered = node.localName === "text";
  if (!["svg", "g"].includes(node.localName)) {
    for (const what of lettered ? [...PAINT, ...LETTERING] : PAINT) {
      const value = style.getPropertyValue(what);
      const painted = ["fill", "stroke"].includes(what) && value !== "none";
      for (const [key, said] of Object.entries(painted ? paintOf(what, colourOf(value)) : { [what]: value })) {
        copy.setAttribute(key, said);
      }
    }
  }
  if (lettered) {
    const width = asWide(node.getComputedTextLength());
    for (const [key, value] of Object.entries({ "font-family": "sans-serif", ...width })) copy.setAttribute(key, value);
    copy.textContent = node.textContent.replace(NOT_XML, "");
    return copy;
  }
  for (const child of node.children) if (getComputedStyle(child).visibility !== "hidden") copy.append(copyShape(child));
  return copy;
}

/** A computed colour, rgb(...) or color(srgb ...), as {parts, alpha}; parts are from 0 to 255. */
function colourOf(text) {
  const parts = (text.match(/-?[\d.]+(e-?\d+)?/g) ?? [0, 0, 0, 0]).map(Number);
  const share = text.startsWith("color(") ? 255 : 1;
  return { parts: parts.slice(0, 3).map((part) => share * part), alpha: parts[3] ?? 1 };
}

function hexadecimal(parts) {
  const pair = (part) => Math.round(Math.min(255, Math.max(0, part))).toString(16).padStart(2, "0");
  return `#${parts.map(pair).join("")}`;
}

function paintOf(what, { parts, alpha }) {
  return { [what]: hexadecimal(parts), ...(alpha < 1 ? { [`${what}-opacity`]: alpha } : {}) };
}
