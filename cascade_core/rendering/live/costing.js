// @ts-check
/** What thresholds cost, from how many samples leave where: as `Meter.mean` in Python, from its `CostTable`. */

/** @import { Model } from "./types.js" */

/**
 * The mean cost of a sample.
 * @param {Model} model
 * @param {{exits: number[], active: boolean[], plain: boolean}} rule samples that leave at each stage, the early heads
 *   that are run, and whether the plain network is run instead
 * @param {boolean} compaction whether a stage is computed for a batch's survivors alone
 */
export function expectedCost(model, { exits, active, plain }, compaction) {
  if (plain || !active.some(Boolean)) return model.baseline.cost;
  return stageCosts(model, { exits, active }, compaction).reduce((sum, cost) => sum + cost, 0) / model.costing.batch;
}

/**
 * What each stage costs for a batch, where an early head is run.
 * @param {Model} model
 * @param {{exits: number[], active: boolean[]}} rule
 * @param {boolean} compaction
 * @param {boolean} everyone whether all samples get to every stage, and not only those that no earlier one answers
 */
export function stageCosts(model, { exits, active }, compaction, everyone = false) {
  const { batch, trunk, head, pool, pooled } = model.costing;
  const last = model.count - 1;
  let left = model.samples;
  return trunk.map((_, stage) => {
    const survivors = binomial(batch, everyone ? 1 : left / model.samples);
    const run = stage === last || active[stage];
    const answers = stage === last || exits[stage] > 0;
    const cost = (n) => trunk[stage][n] + (run ? head[stage][n] : 0) + (pooled && answers ? pool[stage][n] : 0);
    left -= exits[stage];
    if (compaction) return survivors.reduce((sum, share, n) => sum + share * cost(n), 0);
    return (1 - survivors[0]) * cost(batch);
  });
}

/**
 * Which early heads are run at a point, and whether the plain network is run instead.
 * @param {Model} model @param {{g: number, byHand: boolean, thresholds: ?(?number)[]}} point
 */
export function activeHeads(model, { g, byHand, thresholds }) {
  if (!thresholds) return { plain: model.plain[g], active: (model.active ?? []).map((stage) => stage[g]) };
  // By hand, it is with every exit off that the plain network is run.
  const plain = byHand ? thresholds.every((value) => value === null) : model.plain[g];
  return { plain, active: thresholds.map((value, stage) => !plain && (value !== null || model.costing.used_later[stage])) };
}

/**
 * Costs within which shares of the samples are done, each computed alone; as `Milliseconds.percentiles` in Python.
 * @param {Model} model @param {{exits: number[], active: boolean[], plain: boolean}} rule @param {number[]} shares
 */
export function percentiles(model, { exits, active, plain }, shares) {
  if (plain || !active.some(Boolean)) return shares.map(() => model.baseline.cost);
  const alone = stageCosts(model, { exits, active }, true, true);
  return shares.map((share) => {
    const enough = Math.ceil(share * model.samples - 1e-9);
    let [done, taken] = [0, 0];
    for (let stage = 0; done < enough; stage += 1) {
      taken += alone[stage];
      done += exits[stage];
    }
    return taken;
  });
}

/** Probabilities of 0 to n successes of n. @param {number} n @param {number} p */
export function binomial(n, p) {
  const chances = new Array(n + 1).fill(0);
  if (p <= 0 || p >= 1) {
    chances[p >= 1 ? n : 0] = 1;
    return chances;
  }
  let ways = 0; // its logarithm
  for (let k = 0; k <= n; k += 1) {
    chances[k] = Math.exp(ways + k * Math.log(p) + (n - k) * Math.log1p(-p));
    ways += Math.log(n - k) - Math.log(k + 1);
  }
  return chances;
}
