import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { pictureName } from "../../cascade_core/rendering/live/pictures.js";
import * as words from "../../cascade_core/rendering/live/words.js";

const TERMS = JSON.parse(readFileSync(new URL("../support/terms.json", import.meta.url), "utf8"));
const CASES = JSON.parse(readFileSync(new URL("../support/words.json", import.meta.url), "utf8"));

for (const [name, rows] of Object.entries(CASES)) {
  test(`${name} writes what wording.py writes`, () => {
    for (const [given, text] of rows) assert.equal(words[name](...given.map((one) => TERMS[one] ?? one)), text);
  });
}

test("costs share one magnitude", () => {
  const model = { baseline: { cost: 125.5e6 }, cost_unit: "MACs", one: "image" };
  assert.equal(words.costs(model, 74e6), "74 of 125.5 million MACs per image");
  const dollars = { baseline: { cost: 0.0065 }, cost_unit: "dollars", cost_per: 1000, one: "image", unit: "images" };
  assert.equal(words.costs(dollars, 0.001234), "0.00123 of 0.0065 dollars per 1,000 images");
});

test("one of many", () => {
  assert.deepEqual(["images", "glass"].map(words.singular), ["image", "glass"]);
});

test("a picture's name says run, policy, position and chart", () => {
  const model = { name: "a/b: c", policy: "cheapest", slider: { values: [0.5], decimals: 1, unit: "points" }, terms: TERMS.labels };
  assert.equal(words.sliderText(model, 0), "0.5 points");
  assert.equal(pictureName(model, "curve", { g: 0 }), "a-b-c-cheapest-0.50points-curve");
  assert.equal(pictureName(model, "curve", { g: 0, byHand: true }), "a-b-c-cheapest-0.50points-by-hand-curve");
});

test("what is certain is a gain or a drop, rounded to the side of caution, or is not", () => {
  const model = { certificate: { level: 0.95 }, terms: TERMS.labels };
  const said = (certified, byHand = false) => words.certificateText(model, { certified, byHand });
  const end = "with 95 % confidence at this and every position of the slider at once.";
  assert.deepEqual([0, -0.0029, 0.0121].map((bound) => said(bound)), [
    `No drop, ${end}`,
    `At least 0.29 points more accurate, ${end}`,
    `At most 1.21 points given up, ${end}`,
  ]);
  assert.equal(said(null, true), "Not certified: set by hand on these samples.");
  assert.equal(words.certificateText({ ...model, certificate: null }, { certified: null, byHand: false }), "Not certified: the same samples chose the thresholds.");
});
