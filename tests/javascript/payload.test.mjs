import assert from "node:assert/strict";
import { test } from "node:test";
import { deflateRawSync } from "node:zlib";

import { decodePayload, offset, reaching, unpack } from "../../cascade_core/rendering/live/payload.js";

const base64 = (counts) => Buffer.from(new Uint16Array(counts).buffer).toString("base64");

/** Two stages, two positions, three bins; a hundred samples pile up in the last bin of the first stage. */
function payload() {
  return {
    unit: "images",
    stages: ["early", "late"],
    accuracy: [0.9, 0.8],
    exit_counts: [[0, 60], [100, 40]],
    histogram: {
      bins: 3,
      label: "confidence, on a scale of nines",
      dtype: "uint16",
      right: base64([1, 2, 90, 1, 2, 90, 4, 4, 4, 0, 0, 0]),
      wrong: base64([0, 0, 10, 0, 0, 10, 0, 0, 0, 0, 0, 0]),
    },
  };
}

test("counts are decoded, and the unit and the score have words", () => {
  const model = decodePayload(payload());
  assert.deepEqual([...model.right].slice(0, 3), [1, 2, 90]);
  assert.deepEqual([model.count, model.positions, model.one, model.score], [2, 2, "image", "confidence"]);
  assert.equal(offset(model, 1, 0), 6);
});

test("a bar far above all others is cut off", () => {
  assert.deepEqual(decodePayload(payload()).scales, [{ full: 2.16, tall: 2 }, { full: 4, tall: -1 }]);
});

test("what reaches a stage exits there or later", () => {
  const model = decodePayload(payload());
  assert.deepEqual([reaching(model, 0, 1), reaching(model, 1, 1)], [100, 40]);
});

test("compressed counts come back as they were", async () => {
  const plain = payload();
  const deflated = (text) => deflateRawSync(Buffer.from(text, "base64")).toString("base64");
  const { right, wrong } = plain.histogram;
  const histogram = { ...plain.histogram, right: deflated(right), wrong: deflated(wrong), packed: "deflate-raw" };
  const model = decodePayload(await unpack({ ...plain, histogram }));
  assert.deepEqual(model.right, decodePayload(plain).right);
  assert.equal(await unpack(plain), plain);
});
