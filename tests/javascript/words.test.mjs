import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { pictureName } from "../../cascade_core/rendering/live/pictures.js";
import * as words from "../../cascade_core/rendering/live/words.js";

const CASES = JSON.parse(readFileSync(new URL("../support/words.json", import.meta.url), "utf8"));

for (const [name, rows] of Object.entries(CASES)) {
  test(`${name} writes what wording.py writes`, () => {
    for (const [given, text] of rows) assert.equal(words[name](...given), text);
  });
}

test("costs share one magnitude", () => {
  const model = { baseline: { cost: 125.5e6 }, cost_unit: "MACs", one: "image" };
  assert.equal(words.costs(model, 74e6), "74 of 125.5 million MACs per image");
});

test("one of many", () => {
  assert.deepEqual(["images", "glass"].map(words.singular), ["image", "glass"]);
});

test("a picture's name says run, policy, position and chart", () => {
  const model = { name: "a/b: c", policy: "cheapest", slider: { values: [0.5], decimals: 1, unit: "points" } };
  assert.equal(words.sliderText(model, 0), "0.5 points");
  assert.equal(pictureName(model, "curve", { g: 0 }), "a-b-c-cheapest-0.50points-curve");
  assert.equal(pictureName(model, "curve", { g: 0, byHand: true }), "a-b-c-cheapest-0.50points-by-hand-curve");
});

test("what is certain is a gain or a drop, rounded to the side of caution", () => {
  const model = { count: 2, samples: 4, certificate: { level: 0.95 } };
  const point = (last, drop, certified) => ({ exits: [4 - last, last], drop, certified });
  const points = [point(4, 0, 0), point(4, -0.25, -0.0029), point(3, 0, 0.0121), point(3, 0, -0.0004)];
  const end = "points, at this and every other position of the slider at once.";
  assert.deepEqual(points.map((one) => words.certificateText(model, one)), [
    "Nothing leaves early here, so nothing is lost.",
    `With 95 % confidence the gain is at least 0.2 ${end}`,
    `With 95 % confidence the drop is at most 1.3 ${end}`,
    `With 95 % confidence the drop is at most 0.0 ${end}`,
  ]);
  assert.match(words.certificateText(model, point(3, 0, null)), /^Not certified: set by hand/);
});
