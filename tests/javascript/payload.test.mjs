import assert from "node:assert/strict";
import { test } from "node:test";
import { deflateRawSync } from "node:zlib";

import { unpack } from "../../cascade_core/rendering/live/bytes.js";
import { decodePayload, reaching } from "../../cascade_core/rendering/live/payload.js";
import { pointAt } from "../../cascade_core/rendering/live/point.js";

const base64 = (counts) => Buffer.from(new Uint16Array(counts).buffer).toString("base64");

/** Two stages, two positions, three bins; a hundred samples pile up in the last bin of the first stage. */
function payload() {
  return {
    unit: "images",
    stages: ["early", "late"],
    accuracy: [0.9, 0.8],
    harmed: [0, 5],
    drop: [0, 0.1],
    drop_low: [0, 0],
    drop_high: [0, 0.2],
    saving: [0, 0.5],
    cost: [2, 1],
    correct_counts: [[0, 55], [90, 25]],
    thresholds: [[null, 0.9]],
    exit_counts: [[0, 60], [100, 40]],
    histogram: { bins: 3, label: "confidence, on a scale of nines" },
    counts: {
      dtype: "uint16",
      right: base64([1, 2, 90, 1, 2, 90, 4, 4, 4, 0, 0, 0]),
      wrong: base64([0, 0, 10, 0, 0, 10, 0, 0, 0, 0, 0, 0]),
      leaving_right: base64([0, 0, 0, 0, 0, 50]),
      leaving_wrong: base64([0, 0, 0, 0, 0, 10]),
    },
  };
}

test("counts are decoded, and the unit and the score have words", () => {
  const model = decodePayload(payload());
  const { right, leaveRight } = pointAt(model, 1).histogram(0);
  assert.deepEqual([[...right], [...leaveRight]], [[1, 2, 90], [0, 0, 50]]);
  assert.deepEqual([model.count, model.positions, model.one, model.score], [2, 2, "image", "confidence"]);
});

test("a bar far above all others is cut off", () => {
  assert.deepEqual(decodePayload(payload()).scales, [{ full: 2.16, tall: 2 }, { full: 4, tall: -1 }]);
});

test("what reaches a stage exits there or later", () => {
  const model = decodePayload(payload());
  assert.deepEqual([0, 1].map((stage) => reaching(pointAt(model, 1), stage)), [100, 40]);
});

test("compressed counts come back as they were", async () => {
  const plain = payload();
  const deflated = (text) => deflateRawSync(Buffer.from(text, "base64")).toString("base64");
  const { right, wrong } = plain.counts;
  const counts = { ...plain.counts, right: deflated(right), wrong: deflated(wrong) };
  const packed = { format: "deflate-raw", parts: { counts: ["right", "wrong"] } };
  const model = decodePayload(await unpack({ ...plain, counts, packed }));
  assert.deepEqual(model.counts, decodePayload(plain).counts);
  assert.equal(await unpack(plain), plain);
});
