// @ts-check
/** The payload made ready: counts and samples decoded, and what drawing would otherwise look for in every frame. */

import { bytesOf } from "./bytes.js";
import { pointAt } from "./point.js";
import { decodeGroups } from "./groups.js";
import { singular } from "./words.js";
/** @import { Model, Payload, Point } from "./types.js" */

const LOOKS = 12; // positions that a plot's scale is fitted to

/**
 * The payload with its counts and samples decoded, and what drawing would otherwise look for in every frame.
 * @param {Payload} data
 */
export function decodePayload(data) {
  const { histogram, stages, counts } = data;
  const decoded = counts && Object.fromEntries(
    ["right", "wrong", "leaving_right", "leaving_wrong"].map((name) => [name, decode(counts[name], counts.dtype)]),
  );
  const ready = { ...data, ...decodeGroups(data), count: stages.length, positions: data.accuracy.length };
  const model = /** @type {Model} */ (/** @type {unknown} */ ({ ...ready, counts: decoded ?? null }));
  model.one = singular(data.unit);
  model.score = histogram.label.split(",")[0]; // "confidence, on a scale of nines" -> "confidence"
  model.scales = verticalScales(model);
  model.there = data.elsewhere ? decodePayload(data.elsewhere) : null;
  return model;
}

function decode(counts, dtype) {
  const { buffer } = bytesOf(counts);
  return dtype === "uint32" ? new Uint32Array(buffer) : new Uint16Array(buffer);
}

/**
 * The count that fills each stage's plot, one for all positions so that bars do not jump in a drag.
 * Saturated softmaxes pile up in one bin; a bar that stands that far above all others is cut off at
 * the top and has its count written beside it (`tall` is its bin), so that the others can be seen.
 * @param {Model} model
 */
export function verticalScales(model) {
  const last = model.positions - 1;
  const looks = new Set(Array.from({ length: LOOKS }, (_, i) => Math.round((last * i) / (LOOKS - 1))));
  const points = [...looks].map((g) => pointAt(model, g));
  return model.stages.map((_, stage) => verticalScale(model, stage, points));
}

/** @param {Model} model @param {Point[]} points */
function verticalScale(model, stage, points) {
  const { bins } = model.histogram;
  const most = new Array(bins).fill(0);
  for (const point of points) {
    const { right, wrong } = point.histogram(stage);
    for (let bin = 0; bin < bins; bin += 1) most[bin] = Math.max(most[bin], right[bin] + wrong[bin]);
  }
  const tall = most.indexOf(Math.max(...most));
  const others = Math.max(...most.filter((_, bin) => bin !== tall), 0);
  const cut = others > 0 && most[tall] > 1.5 * others;
  return { full: Math.max(1, cut ? 1.08 * others : most[tall]), tall: cut ? tall : -1 };
}

/** How many samples reach a stage: those that leave there or later. @param {Point} point */
export function reaching(point, stage) {
  return point.exits.slice(stage).reduce((sum, count) => sum + count, 0);
}
