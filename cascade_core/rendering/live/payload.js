// @ts-check
/** The payload: counts decoded, and what drawing would otherwise look for in every frame. */

import { singular } from "./words.js";
/** @import { Model, Payload } from "./types.js" */

/**
 * The payload with its counts decoded, and what drawing would otherwise look for in every frame.
 * @param {Payload} data
 */
export function decodePayload(data) {
  const { histogram, stages } = data;
  const right = decode(histogram.right, histogram.dtype);
  const wrong = decode(histogram.wrong, histogram.dtype);
  const counted = { ...data, count: stages.length, positions: data.accuracy.length, right, wrong };
  const model = /** @type {Model} */ (counted);
  if (histogram.leaving_right && histogram.leaving_wrong) {
    model.leavingRight = decode(histogram.leaving_right, histogram.dtype);
    model.leavingWrong = decode(histogram.leaving_wrong, histogram.dtype);
  }
  model.one = singular(data.unit);
  model.score = histogram.label.split(",")[0]; // "confidence, on a scale of nines" -> "confidence"
  model.scales = stages.map((_, stage) => verticalScale(model, stage));
  return model;
}

function decode(counts, dtype) {
  const { buffer } = typeof counts === "string" ? bytesOf(counts) : counts;
  return dtype === "uint32" ? new Uint32Array(buffer) : new Uint16Array(buffer);
}

function bytesOf(text) {
  const letters = atob(text);
  const bytes = new Uint8Array(letters.length);
  for (let i = 0; i < bytes.length; i += 1) bytes[i] = letters.charCodeAt(i); // ten times as fast as Uint8Array.from
  return bytes;
}

/**
 * A payload whose counts were compressed (`packed` in data.py) as `mount` takes it; any other as it is.
 * @param {Payload} data
 */
export async function unpack(data) {
  if (!data.histogram.packed) return data;
  const { packed, ...histogram } = data.histogram;
  for (const name of ["right", "wrong", "leaving_right", "leaving_wrong"]) {
    if (!histogram[name]) continue;
    const stream = new Blob([bytesOf(histogram[name])]).stream().pipeThrough(new DecompressionStream(packed));
    histogram[name] = new Uint8Array(await new Response(stream).arrayBuffer());
  }
  return { ...data, histogram };
}

/** Where the bins of a stage begin in the counts, at a position. @param {Model} model */
export function offset(model, stage, g) {
  return (stage * model.positions + g) * model.histogram.bins;
}

/**
 * The count that fills a stage's plot, one for all positions so that bars do not jump in a drag.
 * Saturated softmaxes pile up in one bin; a bar that stands that far above all others is cut off at
 * the top and has its count written beside it (`tall` is its bin), so that the others can be seen.
 * @param {Model} model
 */
export function verticalScale(model, stage) {
  const { bins } = model.histogram;
  const most = new Array(bins).fill(0);
  for (let i = offset(model, stage, 0), end = i + bins * model.positions; i < end; i += 1) {
    most[i % bins] = Math.max(most[i % bins], model.right[i] + model.wrong[i]);
  }
  const tall = most.indexOf(Math.max(...most));
  const others = Math.max(...most.filter((_, bin) => bin !== tall), 0);
  const cut = others > 0 && most[tall] > 1.5 * others;
  return { full: Math.max(1, cut ? 1.08 * others : most[tall]), tall: cut ? tall : -1 };
}

/** How many samples reach a stage: those that leave there or later. @param {Model} model */
export function reaching(model, stage, g) {
  let sum = 0;
  for (let later = stage; later < model.count; later += 1) sum += model.exit_counts[later][g];
  return sum;
}
