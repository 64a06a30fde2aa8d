// @ts-check
/**
 * The samples behind the panel, so that any thresholds can be counted at once.
 *
 * A sample's confidence at a stage is kept as its level: how many of that stage's cuts it reaches.  Cuts are all
 * thresholds that may be set, so that levels tell who leaves, exactly.  Of very many samples those alike are merged
 * into groups with a weight, and cuts are fewer.
 */

import { bytesOf } from "./bytes.js";
/** @import { Flows, Groups, Model, Payload } from "./types.js" */

/** The samples of a payload, decoded; nothing where there are none. @param {Payload} data */
export function decodeGroups(data) {
  const { groups, stages } = data;
  if (!groups) return {};
  const early = stages.length - 1;
  const cuts = stages.slice(1).map((_, stage) => cutsOf(data, stage));
  const levels = rows(new Uint16Array(bytesOf(groups.levels).buffer), early, groups.size);
  const right = rows(bits(bytesOf(groups.right), (early + 2) * groups.size), early + 2, groups.size);
  const plainRight = /** @type {Uint8Array} */ (right.pop());
  const edges = Float32Array.from(data.histogram.edges);
  const place = (level, stage) => below(edges, level === 0 ? -Infinity : cuts[stage][level - 1]);
  const binOf = cuts.map((values, stage) => Uint8Array.from({ length: values.length + 1 }, (_, level) => place(level, stage)));
  const lastBins = bytesOf(groups.last);
  const plainBins = bytesOf(groups.plain);
  const weights = groups.weights ? new Uint32Array(bytesOf(groups.weights).buffer) : null;
  return { cuts, flows: { levels, right, plainRight, binOf, lastBins, plainBins, weights, size: groups.size } };
}

function rows(values, count, size) {
  return Array.from({ length: count }, (_, row) => values.subarray(row * size, (row + 1) * size));
}

function bits(bytes, count) {
  return Uint8Array.from({ length: count }, (_, i) => (bytes[i >> 3] >> (i & 7)) & 1);
}

/** Thresholds that may be set at a stage, rising: the grid, those of the path, and those that were brought. @param {any} data */
function cutsOf({ groups, thresholds }, stage) {
  const own = groups.exact ? [...thresholds[stage], ...groups.brought[stage]].filter((value) => value !== null) : [];
  const all = Float32Array.from([...groups.grid, ...own]).sort();
  return all.filter((value, i) => i === 0 || value !== all[i - 1]);
}

/** How many of some rising values are at most `value`. */
export function below(values, value) {
  let [low, high] = [0, values.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (values[middle] <= value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The number of fewest digits that is this one in float32. @param {number} value */
export function shortest(value) {
  for (let digits = 1; digits < 9; digits += 1) {
    const rounded = Number(value.toPrecision(digits));
    if (Math.fround(rounded) === value) return rounded;
  }
  return value;
}

/** @param {Model} model @returns {Float32Array} */
function cutsAt(model, stage) {
  return /** @type {Float32Array[]} */ (model.cuts)[stage];
}

/** The index of the cut nearest to a threshold. @param {Model} model @param {number} stage @param {number} value */
export function nearestCut(model, stage, value) {
  const cuts = cutsAt(model, stage);
  const after = Math.min(cuts.length - 1, below(cuts, Math.fround(value)));
  const before = Math.max(0, after - 1);
  return Math.abs(cuts[before] - value) <= Math.abs(cuts[after] - value) ? before : after;
}

/**
 * Where all samples leave under thresholds, and by what confidence they reach and leave each stage.
 * @param {Model} model
 * @param {(?number)[]} thresholds cuts of the stages but the last; null: nothing leaves
 * @param {boolean} plain whether the plain network is run
 */
export function flow(model, thresholds, plain) {
  const { levels, right, plainRight, binOf, lastBins, plainBins, weights, size } = /** @type {Flows} */ (model.flows);
  const last = model.count - 1;
  const reach = thresholds.map((value, stage) => (value === null ? Infinity : below(cutsAt(model, stage), Math.fround(value))));
  const ends = plain ? plainBins : lastBins;
  const rightAtEnd = plain ? plainRight : right[last];
  const histograms = model.stages.map(() => emptyHistogram(model.histogram.bins));
  const exits = model.stages.map(() => 0);
  const rights = model.stages.map(() => 0);
  let helped = 0;
  for (let i = 0; i < size; i += 1) {
    const weight = weights ? weights[i] : 1;
    for (let stage = 0; stage <= last; stage += 1) {
      const atEnd = stage === last;
      const level = atEnd ? 0 : levels[stage][i];
      const leaves = atEnd || level >= reach[stage];
      const isRight = atEnd ? rightAtEnd[i] : right[stage][i];
      const bin = atEnd ? ends[i] : binOf[stage][level];
      const here = histograms[stage];
      (isRight ? here.right : here.wrong)[bin] += weight;
      if (!leaves) continue;
      (isRight ? here.leaveRight : here.leaveWrong)[bin] += weight;
      exits[stage] += weight;
      if (isRight) {
        rights[stage] += weight;
        if (!plainRight[i]) helped += weight;
      }
      break;
    }
  }
  return { exits, rights, helped, histograms };
}

function emptyHistogram(bins) {
  const [right, wrong, leaveRight, leaveWrong] = Array.from({ length: 4 }, () => new Float64Array(bins));
  return { right, wrong, leaveRight, leaveWrong };
}
