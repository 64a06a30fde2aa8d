// @ts-check
/**
 * A point: what the panel shows at once, the numbers of a position of the slider or of thresholds set by hand.
 *
 * At a position they are Python's, looked up; by hand they are counted here, sample by sample, and are the same that
 * Python would count.
 */

import { activeHeads, expectedCost, percentiles } from "./costing.js";
import { flow, nearestCut, shortest } from "./groups.js";
/** @import { DecodedCounts, Histogram, Model, Point } from "./types.js" */

/** The point at a position of the slider. @param {Model} model @param {number} g @returns {Point} */
export function pointAt(model, g) {
  const thresholds = model.thresholds?.map((row) => row[g]) ?? null;
  return {
    g,
    byHand: false,
    accuracy: model.accuracy[g],
    drop: model.drop[g],
    harmed: model.harmed[g],
    low: model.drop_low[g],
    high: model.drop_high[g],
    saving: model.saving[g],
    savingOfWholeBatches: model.saving_of_whole_batches?.[g] ?? null,
    cost: model.cost[g],
    within: model.percentiles?.within.map((row) => row[g]) ?? null,
    exits: model.exit_counts.map((row) => row[g]),
    rights: model.correct_counts.map((row) => row[g]),
    thresholds,
    certified: model.certificate?.drop[g] ?? null,
    histogram: lazily(() => (model.counts ? countsAt(model, g) : flowAt(model, thresholds, model.plain[g]).histograms)),
  };
}

/**
 * The point of thresholds set by hand, which differ from those at a position; null in them: nothing leaves there.
 * @param {Model} model @param {number} g @param {(?number)[]} wanted @returns {Point}
 */
export function pointByHand(model, g, wanted) {
  const thresholds = wanted.map((value, stage) => snapped(model, stage, value));
  const heads = activeHeads(model, { g, byHand: true, thresholds });
  const { exits, rights, helped, histograms } = flowAt(model, thresholds, heads.plain);
  const right = rights.reduce((sum, count) => sum + count, 0);
  const harmed = model.plain_right - right + helped;
  const [low, high] = pairedInterval(harmed, helped, model.samples, model.quantile);
  const rule = { exits, ...heads };
  const cost = expectedCost(model, rule, model.costing.compaction);
  const whole = model.saving_of_whole_batches ? expectedCost(model, rule, false) : null;
  return {
    g,
    byHand: true,
    accuracy: right / model.samples,
    drop: (harmed - helped) / model.samples,
    harmed,
    low,
    high,
    saving: 1 - cost / model.baseline.cost,
    savingOfWholeBatches: whole === null ? null : 1 - whole / model.baseline.cost,
    cost,
    within: model.percentiles ? percentiles(model, rule, model.percentiles.shares) : null,
    exits,
    rights,
    thresholds,
    certified: null,
    histogram: (stage) => histograms[stage],
  };
}

/** The threshold itself, or where samples are counted together the nearest that tells them apart. @param {Model} model */
function snapped(model, stage, value) {
  if (value === null || !model.cuts) return value;
  return shortest(model.cuts[stage][nearestCut(model, stage, value)]);
}

/** @param {Model} model */
function flowAt(model, thresholds, plain) {
  return flow(model, thresholds ?? model.stages.slice(1).map(() => null), plain);
}

/** @param {() => Histogram[]} make */
function lazily(make) {
  let made = null;
  return (stage) => (made ??= make())[stage];
}

/** @param {Model} model @returns {Histogram[]} */
function countsAt(model, g) {
  const { right, wrong, leaving_right, leaving_wrong } = /** @type {DecodedCounts} */ (model.counts);
  const { bins } = model.histogram;
  return model.stages.map((_, stage) => {
    const begin = (stage * model.positions + g) * bins;
    const part = (counts) => counts.subarray(begin, begin + bins);
    const last = stage === model.count - 1;
    const [leaveRight, leaveWrong] = (last ? [right, wrong] : [leaving_right, leaving_wrong]).map(part);
    return { right: part(right), wrong: part(wrong), leaveRight, leaveWrong };
  });
}

/** As `paired_interval` of bounds.py, where its source is named. */
export function pairedInterval(harmed, helped, n, quantile) {
  const size = n + 2;
  const [lost, won] = [(harmed + 1) / size, (helped + 1) / size];
  const half = quantile * Math.sqrt((lost + won - (lost - won) ** 2) / size);
  const middle = (harmed - helped) / size;
  return [Math.max(middle - half, -1), Math.min(middle + half, 1)];
}
