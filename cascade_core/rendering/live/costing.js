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
  const { batch, trunk, head, pool, pooled } = model.costing;
  const last = model.count - 1;
  if (plain || !active.some(Boolean)) return model.baseline.cost;
  let left = model.samples;
  let total = 0;
  for (let stage = 0; stage <= last; stage += 1) {
    const survivors = binomial(batch, left / model.samples);
    const run = stage === last || active[stage];
    const answers = stage === last || exits[stage] > 0;
    const cost = (n) => trunk[stage][n] + (run ? head[stage][n] : 0) + (pooled && answers ? pool[stage][n] : 0);
    if (compaction) survivors.forEach((share, n) => (total += share * cost(n)));
    else total += (1 - survivors[0]) * cost(batch);
    left -= exits[stage];
  }
  return total / batch;
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
