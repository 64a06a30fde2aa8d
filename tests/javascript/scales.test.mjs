import assert from "node:assert/strict";
import { test } from "node:test";

import { niceStep, scale, short, spread, ticksOf } from "../../cascade_core/rendering/live/scales.js";

test("a step is 1, 2 or 5 times a power of ten", () => {
  assert.deepEqual([1, 3, 7, 12, 99, 0.3].map(niceStep), [1, 2, 5, 10, 50, 0.2]);
});

test("ticks are round, inside, and no -0.30000000000000004", () => {
  assert.deepEqual(ticksOf(0, 1, 5), [0, 0.2, 0.4, 0.6, 0.8, 1]);
  assert.deepEqual(ticksOf(91.2, 93.1, 2), [91.5, 92, 92.5, 93]);
  assert.deepEqual(ticksOf(-0.35, 0.05, 4), [-0.3, -0.2, -0.1, 0]);
});

test("a range has room around it and a least width", () => {
  assert.deepEqual(spread([2, 4], 1, 0.5), [1, 5]);
  const [low, high] = spread([3], 1, 0);
  assert.deepEqual([low, high], [2.5, 3.5]);
});

test("a scale maps its ends, and knows them", () => {
  const x = scale(0, 2, 100, 300);
  assert.deepEqual([x(0), x(1), x(2), x.from, x.to], [100, 200, 300, 0, 2]);
});

test("counts fit beside an axis", () => {
  assert.deepEqual([250, 1500, 2e6].map(short), ["250", "1.5k", "2M"]);
});
