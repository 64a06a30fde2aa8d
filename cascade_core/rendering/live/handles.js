// @ts-check
/** Handles on the thresholds of the histograms: dragging one sets that stage's threshold by hand, and no other. */

import { html } from "./elements.js";
import { draggable } from "./gestures.js";
import { nearestCut, shortest } from "./groups.js";
import { axisPlace } from "./scales.js";
import { confidence } from "./words.js";
/** @import { Model, Point } from "./types.js" */

const LEAP = 10; // cuts that Shift or Page moves by

/**
 * A handle over each chart's threshold.
 * @param {Model} model
 * @param {{plots: HTMLElement[], box: (stage: number) => ?{left: number, width: number}}} charts
 * @param {{set: (stage: number, value: ?number) => void, back: (stage: number) => void, holder: any}} hand
 */
export function handles(model, charts, hand) {
  const all = model.cuts ? charts.plots.slice(0, -1).map((plot, stage) => handle(model, stage, plot, charts, hand)) : [];
  const each = (act) => (given) => all.forEach((one) => one[act](given));
  return { layout: each("layout"), draw: each("draw"), stop: each("stop") };
}

/** @param {Model} model */
function handle(model, stage, plot, charts, hand) {
  const cuts = /** @type {Float32Array[]} */ (model.cuts)[stage];
  const places = Array.from(cuts, (cut) => axisPlace(model, cut));
  const node = html("div", "handle", { role: "slider", tabindex: "0", "data-testid": `live-handle-${stage}` });
  node.setAttribute("aria-label", `threshold of ${model.stages[stage]}`);
  node.setAttribute("aria-valuemin", "0");
  node.setAttribute("aria-valuemax", String(cuts.length));
  node.title = "Drag to set this threshold by hand; double click takes it back";
  plot.append(node);
  let at = cuts.length; // index of the cut; one beyond the last: nothing leaves
  const goTo = (index) => {
    const next = Math.min(cuts.length, Math.max(0, index));
    hand.set(stage, next === cuts.length ? null : shortest(cuts[next]));
  };
  const stopDragging = draggable(node, plot, hand.holder, (x) => {
    const box = charts.box(stage);
    if (box) goTo(cutAt(places, (x - box.left) / box.width));
  });
  node.addEventListener("dblclick", () => (hand.back(stage), hand.holder.rest(false)));
  node.addEventListener("keydown", (event) => {
    const leap = event.shiftKey ? LEAP : 1;
    const moves = {
      ArrowLeft: at - leap, ArrowDown: at - leap, ArrowRight: at + leap, ArrowUp: at + leap,
      PageDown: at - LEAP, PageUp: at + LEAP, Home: 0, End: cuts.length,
    };
    if (event.key === "Backspace" || event.key === "Delete") hand.back(stage);
    else if (event.key in moves) goTo(moves[event.key]);
    else return;
    event.preventDefault();
    event.stopPropagation(); // a presented panel moves its slider by the same keys
    hand.holder.rest(true);
  });
  const layout = () => {};
  /** @param {Point} point */
  const draw = (point) => {
    const box = charts.box(stage);
    const threshold = point.thresholds?.[stage] ?? null;
    at = threshold === null ? cuts.length : nearestCut(model, stage, threshold);
    const place = threshold === null ? 1 : axisPlace(model, threshold);
    if (box) node.style.transform = `translateX(${(box.left + place * box.width).toFixed(1)}px)`;
    node.setAttribute("aria-valuenow", String(at));
    node.setAttribute("aria-valuetext", threshold === null ? "never leaves here" : confidence(threshold));
  };
  return { layout, draw, stop: stopDragging };
}

/** The cut nearest to a place on the axis; beyond its end, one after the last. */
function cutAt(places, place) {
  if (place > 1.005) return places.length;
  let [low, high] = [0, places.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (places[middle] < place) low = middle + 1;
    else high = middle;
  }
  return low > 0 && place - places[low - 1] < places[low] - place ? low - 1 : low;
}
