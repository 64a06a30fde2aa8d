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
  assert.equal(pictureName(model, "curve", 0), "a-b-c-cheapest-0.50points-curve");
});
