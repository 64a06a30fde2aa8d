import assert from "node:assert/strict";
import { test } from "node:test";

import { pictureName } from "../../cascade_core/rendering/live/pictures.js";
import { confidence, costs, fixed, percent, singular, sliderText } from "../../cascade_core/rendering/live/words.js";

test("a minus is a real one, and never before zero", () => {
  assert.deepEqual([fixed(-0.04, 1), fixed(-1.25, 2)], ["0.0", "\u22121.25"]);
});

test("shares are finer below ten percent", () => {
  assert.deepEqual([0.4312, 0.0431, 0, 0.0996].map(percent), ["43 %", "4.3 %", "0 %", "10 %"]);
});

test("confidences have the digits that tell them from one", () => {
  assert.deepEqual([0.97812, 0.999871, 1, -0.25].map(confidence), ["0.978", "0.99987", "1", "\u22120.25"]);
});

test("costs share one magnitude", () => {
  const model = { baseline: { cost: 125.5e6 }, cost_unit: "MACs", one: "image" };
  assert.equal(costs(model, 74e6), "74 of 125.5 million MACs per image");
});

test("one of many", () => {
  assert.deepEqual(["images", "glass"].map(singular), ["image", "glass"]);
});

test("a picture's name says run, policy, position and chart", () => {
  const model = { name: "a/b: c", policy: "cheapest", slider: { values: [0.5], decimals: 1, unit: "points" } };
  assert.equal(sliderText(model, 0), "0.5 points");
  assert.equal(pictureName(model, "curve", 0), "a-b-c-cheapest-0.5points-curve");
});
