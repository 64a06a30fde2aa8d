// @ts-check
/**
 * The samples behind the panel, so that any thresholds can be counted at once.
 *
 * A sample's confidence at a stage is kept as its level: how many of that stage's cuts it reaches.  Cuts are all
 * thresholds that may be set, so that levels tell who leaves, exactly.  Of very many samples those alike are merged
 * into groups with a weight, and cuts are fewer.
 */

import { bytesOf } from "./bytes.js";
/** @import { Flows, Groups, Histogram, Model, Payload } from "./types.js" */

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
  const ends = [bytesOf(groups.last), bytesOf(groups.plain)];
  const codes = cuts.map((values, stage) => {
    const binOf = Uint8Array.from({ length: values.length + 1 }, (_, level) => place(level, stage));
    return codesOf(levels[stage].map((level) => binOf[level]), right[stage]);
  });
  const [last, plain] = [codesOf(ends[0], right[early]), codesOf(ends[1], plainRight)];
  const weights = groups.weights ? new Uint32Array(bytesOf(groups.weights).buffer) : null;
  const alive = [0, 1].map(() => new Uint32Array(groups.size));
  return { cuts, flows: { levels, codes, last, plain, plainRight, weights, alive, size: groups.size } };
}

/** Bin and rightness of samples in one number each: twice the bin, and one more if right. */
function codesOf(bins, right) {
  return Uint8Array.from(right, (isRight, i) => 2 * bins[i] + isRight);
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
  const flows = /** @type {Flows} */ (model.flows);
  /** @type {{exits: number[], rights: number[], helped: number, histograms: Histogram[]}} */
  const found = { exits: [], rights: [], helped: 0, histograms: [] };
  let count = flows.size;
  let alive = null; // at first all
  for (let stage = 0; stage < model.count; stage += 1) {
    const last = stage === model.count - 1;
    const value = last ? 0 : thresholds[stage];
    const reach = last ? 0 : value === null ? Infinity : below(cutsAt(model, stage), Math.fround(value));
    const codes = last ? (plain ? flows.plain : flows.last) : flows.codes[stage];
    const next = flows.alive[stage % 2];
    const passed = pass(flows, { codes, levels: last ? null : flows.levels[stage], reach }, alive, count, next);
    const { leaving } = passed;
    found.histograms.push(histogramOf(model, passed));
    found.rights.push(leaving.reduce((sum, n, code) => sum + (code % 2 ? n : 0), 0));
    found.exits.push(leaving.reduce((sum, n) => sum + n, 0));
    found.helped += passed.helped;
    [alive, count] = [next, passed.stay];
  }
  return found;
}

/**
 * Samples at one stage: by code those that reach it and those that leave, and into `next` those that stay.
 * @param {Flows} flows
 */
function pass({ weights, plainRight }, { codes, levels, reach }, alive, count, next) {
  const reaching = new Float64Array(256);
  const leaving = new Float64Array(256);
  let helped = 0;
  let stay = 0;
  for (let k = 0; k < count; k += 1) {
    const i = alive ? alive[k] : k;
    const code = codes[i];
    const weight = weights ? weights[i] : 1;
    reaching[code] += weight;
    if (levels && levels[i] < reach) {
      next[stay] = i;
      stay += 1;
    } else {
      leaving[code] += weight;
      if (code & 1 && !plainRight[i]) helped += weight;
    }
  }
  return { reaching, leaving, helped, stay };
}

/** Counts by bin, spread evenly over the bins that groups do not tell apart. @param {Model} model @returns {Histogram} */
function histogramOf(model, { reaching, leaving }) {
  const { bins } = model.histogram;
  const { step } = /** @type {Groups} */ (model.groups);
  const part = (counts, isRight) => {
    return Float64Array.from({ length: bins }, (_, bin) => {
      const first = bin - (bin % step);
      return counts[2 * first + isRight] / Math.min(step, bins - first);
    });
  };
  return { right: part(reaching, 1), wrong: part(reaching, 0), leaveRight: part(leaving, 1), leaveWrong: part(leaving, 0) };
}
