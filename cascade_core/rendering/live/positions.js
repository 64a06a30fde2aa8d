// @ts-check
/** Positions of the slider by what they mean: the nearest to a value, and a step of round size from one. */

/** @import { Model } from "./types.js" */

const STEP = 0.1; // points
const FINE = 0.01;

/** The position whose value is nearest. @param {Model} model @param {number} value in the slider's unit */
export function nearestTo(model, value) {
  const { values } = model.slider;
  return values.reduce((best, one, g) => (Math.abs(one - value) < Math.abs(values[best] - value) ? g : best), 0);
}

/**
 * Where an arrow key leads: to the next tenth of a point (hundredth with Shift), at least one position on; where the
 * slider is not in points, one position on.
 * @param {Model} model @param {number} g @param {1 | -1} way @param {boolean} fine
 */
export function stepFrom(model, g, way, fine) {
  const next = Math.min(model.positions - 1, Math.max(0, g + way));
  const { values, unit } = model.slider;
  if (unit !== "points") return next;
  const step = fine ? FINE : STEP;
  const slack = Math.abs(values[next] - values[g]) / step / 2; // a position may lie beside its round number
  const place = values[g] / step;
  const round = way > 0 ? Math.floor(place + slack) + 1 : Math.ceil(place - slack) - 1;
  const there = nearestTo(model, round * step);
  return way * (there - next) > 0 ? there : next;
}
