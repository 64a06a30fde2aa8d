// @ts-check
/**
 * Where samples leave, as one flow: all go in at the left, and at each stage some leave and the rest go on.
 *
 * Heights are samples.  What goes on stays at the top, in grey; what leaves drops out below it in the stage's colour,
 * and ends in a bar of right answers over wrong ones.  Below each bar stands the share of all samples that left there.
 */

import { canvas, svg, tint } from "./elements.js";
import { grouped, percent, rightText } from "./words.js";
/** @import { Model, Point } from "./types.js" */

const HEAD = 18; // px for the stages' names
const STREAM = 84; // px that all samples take
const FALL = 12; // px between what goes on and what left
const FOOT = 22; // px for the shares
const NODE = 5; // px, width of a stage
const EDGE = 20; // px that a share's middle keeps from the right edge
const NARROW = 48; // px of a stage, below which shares are written smaller

/** @param {Model} model */
export function flowPicture(model) {
  const drawing = svg("svg", "plot", { role: "img" });
  const columns = model.stages.map((_, stage) => column(model, stage));
  let widths = null;
  const layout = () => (widths = flowFrame(model, drawing, columns));
  /** @param {Point} point */
  const draw = (point) => {
    if (!widths) return;
    let before = model.samples;
    columns.forEach((parts, stage) => {
      const after = before - point.exits[stage];
      drawColumn(model, stage, point, parts, { before, after, ...widths });
      before = after;
    });
  };
  /** @param {Point} point */
  const describe = (point) => drawing.setAttribute("aria-label", flowSentence(model, point));
  return { drawing, layout, draw, describe };
}

/** "5,000 images go in. 2,729 leave at module 1, 96.7 % of them right; 2,271 go on." @param {Model} model @param {Point} point */
export function flowSentence(model, point) {
  let left = model.samples;
  const each = model.stages.map((name, stage) => {
    left -= point.exits[stage];
    const right = point.exits[stage] ? `, ${rightText(point, stage)} of them ${model.terms.right}` : "";
    const rest = stage < model.count - 1 ? `; ${grouped.format(left)} go on` : "";
    return `${grouped.format(point.exits[stage])} leave at ${name}${right}${rest}.`;
  });
  return `${grouped.format(model.samples)} ${model.unit} go in. ${each.join(" ")}`;
}

/** @param {Model} model */
function column(model, stage) {
  const group = tint(svg("g", ""), model, stage);
  const parts = {
    group,
    on: svg("path", "flow-on"),
    fall: svg("path", "flow-leave"),
    node: svg("rect", "segment", { width: NODE }),
    right: svg("rect", "segment"),
    wrong: svg("rect", "bar-wrong"),
    share: svg("text", "flow-share", { "text-anchor": "middle" }),
    name: svg("text", "axis", { y: HEAD - 6 }, model.stages[stage]),
  };
  group.append(parts.on, parts.fall, parts.node, parts.right, parts.wrong, parts.share, parts.name);
  return parts;
}

/** Fit to the width; names that do not fit give way to numbers. @param {Model} model */
function flowFrame(model, drawing, columns) {
  const width = Math.max(120, drawing.clientWidth);
  const step = width / model.count;
  canvas(drawing, width, HEAD + STREAM + FALL + FOOT);
  drawing.append(...columns.map((parts) => parts.group));
  columns.forEach(({ name, share }, stage) => {
    share.style.fontSize = step < NARROW ? "12px" : "";
    name.textContent = model.stages[stage];
    name.setAttribute("x", (stage * step).toFixed(1));
  });
  const crowded = columns.some(({ name }) => name.getComputedTextLength() > step - 6);
  if (crowded) columns.forEach(({ name }, stage) => (name.textContent = String(stage + 1)));
  return { step, bar: Math.min(46, 0.5 * step) };
}

/**
 * @param {Model} model @param {Point} point
 * @param {{before: number, after: number, step: number, bar: number}} sizes samples that arrive and go on, and widths
 */
function drawColumn(model, stage, point, parts, sizes) {
  const { before, after, step, bar } = sizes;
  const tall = (count) => (STREAM * count) / model.samples;
  const [left, next] = [stage * step + NODE, (stage + 1) * step];
  const end = next - (step - NODE - bar) / 3; // of the bar
  const [top, kept, bottom] = [HEAD, HEAD + tall(after), HEAD + tall(before)];
  const right = tall(point.rights[stage]);
  box(parts.node, left - NODE, top, NODE, bottom - top);
  parts.on.setAttribute("d", after ? ribbon(left, top, kept, next, 0) : "");
  parts.fall.setAttribute("d", point.exits[stage] ? ribbon(left, kept, bottom, end - bar, FALL) : "");
  box(parts.right, end - bar, kept + FALL, bar, right);
  box(parts.wrong, end - bar, kept + FALL + right, bar, bottom - kept - right);
  parts.share.textContent = percent(point.exits[stage] / model.samples);
  parts.share.setAttribute("x", Math.min(end - bar / 2, model.count * step - EDGE).toFixed(1));
  parts.share.setAttribute("y", (bottom + FALL + 16).toFixed(1));
}

function box(rect, x, y, width, height) {
  for (const [name, value] of Object.entries({ x, y, width, height: Math.max(0, height) })) {
    rect.setAttribute(name, value.toFixed(1));
  }
}

/** A band from `left` to `right` whose edges fall by so many pixels on the way. */
function ribbon(left, top, bottom, right, fall) {
  const middle = (left + right) / 2;
  const edge = (to, y, z) => `C${[middle, y, middle, z, to, z].map((n) => n.toFixed(1)).join(" ")}`;
  const [over, under] = [edge(right, top, top + fall), edge(left, bottom + fall, bottom)];
  return `M${left.toFixed(1)} ${top.toFixed(1)}${over}V${(bottom + fall).toFixed(1)}${under}Z`;
}
