// Two panels at one drop or one cost, by hand.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { differenceText, alikePosition } from "../../cascade_core/rendering/comparison/difference.js";

const { labels: terms } = JSON.parse(readFileSync(new URL("../support/terms.json", import.meta.url), "utf8"));
const panel = { drop: [0, 0.02, 0.02, 0.04], saving: [0.08, 0.24, 0.4, 0.48] };
const pair = (hold) => ({ called: ["fine heads", "hybrid"], hold, terms, panels: [{ cost_noun: "computation" }, { cost_noun: "computation" }] });

test("the nearest drop, and of several the cheapest", () => {
  const at = (drop) => alikePosition(panel, { drop, saving: 0 }, "drop");
  assert.deepEqual([-1, 0.009, 0.012, 0.02, 0.029, 0.5].map(at), [0, 0, 2, 2, 2, 3]);
});

test("the nearest saving, and of several the most accurate", () => {
  const at = (saving) => alikePosition(panel, { drop: 0, saving }, "cost");
  assert.deepEqual([0, 0.15, 0.17, 0.33, 0.9].map(at), [0, 0, 1, 2, 3]);
  assert.equal(alikePosition({ drop: [0.02, 0.01], saving: [0.3, 0.3] }, { drop: 0, saving: 0.3 }, "cost"), 1);
});

test("the difference in one line", () => {
  const first = { drop: 0.01, saving: 0.4 };
  assert.equal(
    differenceText(pair("drop"), first, { drop: 0.01, saving: 0.785 }),
    "hybrid saves another 38.5 % of the computation at this drop.",
  );
  assert.equal(
    differenceText(pair("drop"), first, { drop: 0.014, saving: 0.36 }),
    "fine heads saves another 4.0 % of the computation at this drop; the nearest that hybrid has is 1.40 points given up.",
  );
  assert.equal(differenceText(pair("drop"), first, { drop: 0.0104, saving: 0.4003 }), "Both save the same at this drop.");
  assert.equal(
    differenceText(pair("cost"), first, { drop: 0.006, saving: 0.4 }),
    "hybrid is 0.4 points more accurate at this cost.",
  );
  assert.equal(
    differenceText(pair("cost"), first, { drop: 0.01, saving: 0.46 }),
    "Both are as accurate at this cost; the nearest that hybrid has is 46.0 % saved.",
  );
});
