import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { handText } from "../../cascade_core/rendering/live/byhand.js";
import { flowSentence } from "../../cascade_core/rendering/live/flow.js";
import { sums } from "../../cascade_core/rendering/live/opened.js";
import { nearestTo, stepFrom } from "../../cascade_core/rendering/live/positions.js";
import { bestValue, nextText, presetPositions } from "../../cascade_core/rendering/live/steps.js";

const TERMS = JSON.parse(readFileSync(new URL("../support/terms.json", import.meta.url), "utf8"));

/** A slider from 0 to 2 points in steps of 0.05; savings rise to 40 % at one point and stay there. */
function model() {
  const values = Array.from({ length: 41 }, (_, g) => g / 20);
  const saving = values.map((value) => 0.4 * Math.min(1, value));
  return {
    positions: 41,
    slider: { values, unit: "points", decimals: 1 },
    saving,
    cost: saving.map((share) => 100 * (1 - share)),
    accuracy: values.map((value) => 0.9 - value / 100),
    cost_noun: "computation",
    terms: TERMS.labels,
  };
}

const at = (g) => ({ g, byHand: false });

test("the nearest position to a value, and none beyond the ends", () => {
  assert.deepEqual([0.49, 0.51, -3, 9].map((value) => nearestTo(model(), value)), [10, 10, 0, 40]);
});

test("arrows go to the next tenth of a point, finely by at least one position, and stop at the ends", () => {
  const steps = [[0, 1, false], [1, 1, false], [2, 1, false], [3, -1, false], [2, -1, false], [0, 1, true], [5, -1, true]];
  assert.deepEqual(steps.map(([g, way, fine]) => stepFrom(model(), g, way, fine)), [2, 2, 4, 2, 0, 1, 4]);
  assert.deepEqual([stepFrom(model(), 0, -1, false), stepFrom(model(), 40, 1, false)], [0, 40]);
  const bare = { ...model(), slider: { ...model().slider, unit: "" } };
  assert.equal(stepFrom(bare, 7, 1, false), 8);
});

test("a position that lies beside its round number is taken for it", () => {
  const values = [0, 0.0997, 0.1996, 0.3];
  const odd = { positions: 4, slider: { values, unit: "points", decimals: 1 } };
  assert.deepEqual([0, 1, 2].map((g) => stepFrom(odd, g, 1, false)), [1, 2, 3]);
  assert.deepEqual([3, 2, 1].map((g) => stepFrom(odd, g, -1, false)), [2, 1, 0]);
});

test("the next step is looked up, and nothing is said beyond the slider's end", () => {
  const said = [0, 10, 20, 34, 40].map((g) => nextText(model(), at(g)));
  assert.deepEqual(said, [
    "The next half point saves 20 % more of the computation; the one after that 20 %.",
    "The next half point saves 20 % more of the computation; the one after that almost nothing.",
    "The next half points save almost nothing more.",
    "Going to the slider's end, 0.30 points on, saves almost nothing more.",
    "This is the bold end of the slider.",
  ]);
  assert.match(nextText(model(), { g: 0, byHand: true }), /^Moving the slider takes thresholds back/);
});

test("sliders that are not in points tell what saving a twentieth more or less does to accuracy", () => {
  // Savings of 0, 1, ... 40 %, and accuracies that fall by 0.06 points a step from the sixth on.
  const saving = Array.from({ length: 41 }, (_, g) => g / 100);
  const accuracy = saving.map((_, g) => 0.9 - 0.0006 * Math.max(0, g - 5));
  const budget = { ...model(), slider: { ...model().slider, unit: "% of the MACs" }, saving, accuracy };
  const said = [0, 3, 20, 38].map((g) => nextText(budget, at(g)));
  assert.deepEqual(said, [
    "Saving 5 % more of the computation hardly changes accuracy.",
    "Saving 5 % more of the computation lowers accuracy by 0.2 points.",
    "Saving 5 % more of the computation lowers accuracy by 0.3 points; saving 5 % less raises it by 0.3 points.",
    "The slider's end is less than 5 % on; saving 5 % less of the computation raises accuracy by 0.3 points.",
  ]);
  const flat = { ...budget, saving: saving.map((share) => share / 100) };
  assert.equal(nextText(flat, at(20)), "All positions of the slider save about as much of the computation.");
});

test("thresholds set by hand against the policy's, here and at their drop", () => {
  const drop = model().slider.values.map((value) => value / 100);
  const said = [{ drop: 0.007, saving: 0.1 }, { drop: 0.003, saving: 0.3 }, { drop: 0.005, saving: 0.2 }, { drop: -0.001, saving: 0 }, { drop: 0.9, saving: 0.9 }].map(
    (byHand) => handText({ ...model(), drop }, { g: 10, ...byHand }),
  );
  assert.deepEqual(said, [
    "0.20 points more given up, 10.0 % less saved than by the policy, whose best at this drop saves 18.0 % more.",
    "0.20 points less given up, 10.0 % more saved than by the policy, whose best at this drop saves 18.0 % less.",
    "0.00 points more given up, 0.0 % more saved than by the policy, whose best at this drop saves as much.",
    "0.60 points less given up, 20.0 % less saved than by the policy; none of its positions is as accurate.",
    "89.50 points more given up, 70.0 % more saved than by the policy, whose slider does not go that far.",
  ]);
});

test("the best value is farthest above the line between the ends; a straight curve has none", () => {
  // At one point the whole saving is reached, for half of what the bold end gives up.
  assert.equal(bestValue(model()), 20);
  const straight = { ...model(), accuracy: model().cost.map((cost) => cost / 1000) };
  assert.equal(bestValue(straight), null);
  const names = presetPositions(model()).map(({ name, g }) => [name, g]);
  assert.deepEqual(names, [["No loss", 0], ["Half a point", 10], ["One point", 20], ["Best value", 20]]);
  const percents = { ...model(), slider: { ...model().slider, unit: "% of the MACs" } };
  assert.deepEqual(presetPositions(percents).map(({ name }) => name), ["Best value"]);
});

/** Two stages of 30 and 60 MACs, the first with a head of 4; 50 of 100 leave at the first. */
function chosen() {
  const costing = { batch: 1, compaction: true, pooled: false, used_later: [false], trunk: [[0, 30], [0, 60]], head: [[0, 4], [0, 0]], pool: [[0, 0], [0, 0]] };
  const shown = { reference: "labels", terms: TERMS.labels, count: 2, stages: ["early", "late"], samples: 100, unit: "images", level: 0.95, baseline: { cost: 90, label: "plain network" }, certificate: { level: 0.95 }, plain: [false], costing };
  const point = { g: 0, byHand: false, thresholds: [0.9], exits: [50, 50], rights: [48, 40], accuracy: 0.88, drop: 0.03, harmed: 5, certified: 0.05001, cost: 64, saving: 26 / 90 };
  return [shown, point];
}

test("numbers open up into sums that come out", () => {
  assert.deepEqual(sums(...chosen()).map(([sum]) => sum.replaceAll("\u00a0", " ")), [
    "88.0 % = 50.0 % \u00d7 96.0 + 50.0 % \u00d7 80.0",
    "3.00 points given up = 5.00 \u2212 2.00",
    "at most 5.01 points given up, at this and every position of the slider at once",
    "29 % = 100 \u2212 (50.0 % \u00d7 37.8 + 50.0 % \u00d7 104.4)",
    "1.41 = 100.0 / 71.1",
  ]);
  const [shown, point] = chosen();
  const gain = sums(shown, { ...point, drop: -0.01, harmed: 5 })[1][0];
  assert.equal(gain, "1.00 points more accurate = 6.00 \u2212 5.00");
  const byHand = sums(shown, { ...point, byHand: true, certified: null })[2];
  assert.match(byHand.join(" "), /Not certified. These thresholds were set by hand/);
});

test("without labels sums are of agreement", () => {
  const [shown, point] = chosen();
  const unlabelled = { ...shown, reference: "last stage", terms: TERMS["last stage"] };
  const [accuracy, drop] = sums(unlabelled, { ...point, accuracy: 0.95, drop: 0.05, harmed: 5 });
  assert.match(accuracy[1], /88 of 100 images are in agreement\.$/);
  assert.deepEqual(drop, [
    "5.00 points of disagreement = 5 / 100",
    "5 of 100 images are changed: the cascade answers otherwise than the last stage.",
  ]);
});

test("a threshold for each class has its sum too, from the heads that are run", () => {
  const [shown, point] = chosen();
  const sum = sums({ ...shown, active: [[true]] }, { ...point, thresholds: null })[3][0].replaceAll("\u00a0", " ");
  assert.equal(sum, "29 % = 100 \u2212 (50.0 % \u00d7 37.8 + 50.0 % \u00d7 104.4)");
});

test("what pooled answers take is told where it shows", () => {
  const [shown, point] = chosen();
  const told = (early) => {
    const pool = [[0, early], [0, 1.8]];
    return sums({ ...shown, costing: { ...shown.costing, pooled: true, pool } }, point)[3][1];
  };
  // 0.9 for all, and 1.8 for the half that gets to the second stage: 1.8 of 90.
  assert.match(told(0.9), /costs 100\. Of this, combining the answers of the stages passed \(pooled answers\) takes 2\.0\.$/);
  assert.match(sums(shown, point)[3][1], /costs 100\.$/);
});

test("costs of batches are added up by stages", () => {
  const [shown, point] = chosen();
  const twos = (costs) => costs.map((cost) => [0, cost, 2 * cost]);
  const costing = { ...shown.costing, batch: 2, trunk: twos([30, 60]), head: twos([4, 0]), pool: twos([0, 0]) };
  const [sum, about] = sums({ ...shown, costing }, point)[3];
  // 34 of 90 for all, and 60 of 90 for the half that gets to the second stage.
  assert.equal(sum, "29 % = 100 \u2212 (37.8 + 33.3)");
  assert.match(about, /What each stage costs/);
});

test("the flow in words", () => {
  assert.equal(
    flowSentence(...chosen()),
    "100 images go in. 50 leave at early, 96.0 % of them right; 50 go on. 50 leave at late, 80.0 % of them right.",
  );
});
