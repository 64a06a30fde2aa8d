/** Reads {data, asked} and writes what the panel counts of each {g, hand}: for tests of Python against it. */

import { readFileSync } from "node:fs";

import { unpack } from "../../cascade_core/rendering/live/bytes.js";
import { decodePayload } from "../../cascade_core/rendering/live/payload.js";
import { pointAt, pointByHand } from "../../cascade_core/rendering/live/point.js";

const { data, asked } = JSON.parse(readFileSync(0, "utf8"));
const model = decodePayload(await unpack(data));
const points = asked.map(({ g, hand }) => {
  const point = hand ? pointByHand(model, g, hand) : pointAt(model, g);
  const histograms = model.stages.map((_, stage) => {
    const counts = Object.entries(point.histogram(stage));
    return Object.fromEntries(counts.map(([name, values]) => [name, [...values]]));
  });
  return { ...point, histograms };
});
process.stdout.write(JSON.stringify(points));
