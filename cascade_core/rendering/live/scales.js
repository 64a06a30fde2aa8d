// @ts-check
/** Numbers for axes: ranges with room around them, round ticks, and the map from numbers to pixels. */

/** @import { Model } from "./types.js" */

/**
 * The range of values, at least `least` wide, with a margin on both sides.
 * @param {number[]} values @param {number} least @param {number} margin
 */
export function spread(values, least, margin) {
  const low = Math.min(...values);
  const high = Math.max(...values);
  const room = Math.max(0, least - (high - low)) / 2 + margin * Math.max(least, high - low);
  return [low - room, high + room];
}

/** The linear map that takes from..to to begin..end, and knows from and to. */
export function scale(from, to, begin, end) {
  const map = (value) => begin + ((value - from) / (to - from)) * (end - begin);
  return Object.assign(map, { from, to });
}

/**
 * Round numbers from `from` to `to`, about `wanted` of them and rather more than fewer.
 * @param {number} from @param {number} to @param {number} wanted
 */
export function ticksOf(from, to, wanted) {
  const step = niceStep((to - from) / Math.max(2, wanted));
  const first = Math.ceil(from / step);
  const count = Math.floor(to / step) - first + 1;
  return Array.from({ length: Math.max(0, count) }, (_, i) => Number(((first + i) * step).toPrecision(8)));
}

/** The largest 1, 2 or 5 times a power of ten that is not above `most`. @param {number} most */
export function niceStep(most) {
  const power = 10 ** Math.floor(Math.log10(most));
  return [5, 2, 1].map((n) => n * power).find((step) => step <= most * 1.001) ?? power;
}

/** A count that fits beside an axis: 250, 1.5k, 2M. @param {number} count */
export function short(count) {
  if (count < 1e3) return String(count);
  return count < 1e6 ? `${Number((count / 1e3).toFixed(1))}k` : `${Number((count / 1e6).toFixed(1))}M`;
}

/**
 * Where a confidence stands on the axis of the histograms, from 0 to 1, as `ConfidenceAxis.place` of axes.py.
 * @param {Model} model @param {number} confidence
 */
export function axisPlace(model, confidence) {
  const { low, high, nines } = model.histogram;
  const place = nines ? -Math.log10(Math.max(1 - confidence, 10 ** -nines)) / nines : (confidence - low) / (high - low);
  return Math.min(1, Math.max(0, place));
}
