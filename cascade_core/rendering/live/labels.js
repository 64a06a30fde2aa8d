// @ts-check
/** Labels inside a plot: written beside what they name, where nothing else is. */

import { svg } from "./elements.js";
/** @import { Box } from "./types.js" */

const LINE_STEP = 6; // px between points of a line that no label may cover
const GAPS = [11, 20]; // px between a point and its label

/** The square around a point. @returns {Box} */
export const boxAround = (x, y, r) => ({ left: x - r, right: x + r, top: y - r, bottom: y + r });

/** @param {Box} a @param {Box} b */
export const boxesMeet = (a, b) => a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;

/** Boxes along a line, in pixels, close enough that no label stands across it. @param {number[][]} ends */
export function boxesAlong(ends, r = 3) {
  return ends.flatMap(([a, b], i) => {
    const [c, d] = ends[i + 1] ?? [a, b];
    const steps = Math.max(1, Math.ceil(Math.hypot(c - a, d - b) / LINE_STEP));
    return Array.from({ length: steps }, (_, k) => boxAround(a + ((c - a) * k) / steps, b + ((d - b) * k) / steps, r));
  });
}

/**
 * Write a label beside the first of `points` that has room inside `area`, clear of the boxes `taken`, to which its own
 * is added; returns whether there was room.
 * @param {SVGElement} drawing @param {SVGTextElement} text @param {number[][]} points @param {Box[]} taken @param {Box} area
 */
export function placeLabelAt(drawing, text, points, taken, area) {
  drawing.append(text);
  const width = text.getComputedTextLength();
  for (const gap of GAPS) {
    for (const [x, y] of points) {
      for (const box of boxesBeside(x, y, width, gap)) {
        const inside = box.left >= area.left && box.right <= area.right && box.top >= area.top && box.bottom <= area.bottom;
        if (!inside || taken.some((other) => boxesMeet(box, other))) continue;
        text.setAttribute("x", box.left.toFixed(1));
        text.setAttribute("y", (box.bottom - 4).toFixed(1));
        taken.push(box);
        return true;
      }
    }
  }
  text.remove();
  return false;
}

/** Boxes for a label of a given width beside a point, the most pleasing first. */
function boxesBeside(x, y, width, gap) {
  const box = (left, middle) => ({ left, right: left + width, top: middle - 8, bottom: middle + 8 });
  const beside = [box(x + gap, y), box(x - gap - width, y)];
  const shifts = [0.5, 0.85, 0.15, 1, 0];
  const stacked = [y + gap + 7, y - gap - 7].flatMap((middle) => shifts.map((part) => box(x - part * width, middle)));
  return [...beside, ...stacked];
}
