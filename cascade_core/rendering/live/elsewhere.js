// @ts-check
/** The same thresholds judged on another run: its numbers below the slider's own, which move with it. */

import { readouts } from "./controls.js";
import { html } from "./elements.js";
import { pointAt, pointByHand } from "./point.js";
/** @import { Model, Point } from "./types.js" */

/** The readouts of the other run; hidden where there is none. @param {Model} model */
export function elsewhere(model) {
  const node = html("div", "elsewhere", { "data-testid": "live-elsewhere" });
  node.hidden = !model.there;
  if (!model.there) return { node, draw: () => {} };
  const there = model.there;
  const numbers = readouts(there, "-elsewhere");
  node.append(html("p", "elsewhere-name", {}, `The same thresholds on ${there.name}`), numbers.node);
  if (there.footnote) node.append(html("p", "footnote", {}, there.footnote));
  return { node, draw: (point) => numbers.draw(samePoint(there, point)) };
}

/** Where the other run stands under the thresholds of a point. @param {Model} there @param {Point} point @returns {Point} */
export function samePoint(there, point) {
  return point.byHand ? pointByHand(there, point.g, point.thresholds ?? []) : pointAt(there, point.g);
}
