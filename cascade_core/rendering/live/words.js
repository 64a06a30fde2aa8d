// @ts-check
/** Numbers and behaviour in words: the same wording on the page, in titles and for screen readers. */

/** @import { Model, Point, Terms } from "./types.js" */

export const grouped = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });
/** @type {[number, string][]} */
const MAGNITUDES = [
  [1e15, "quadrillion"],
  [1e12, "trillion"],
  [1e9, "billion"],
  [1e6, "million"],
  [1e3, "thousand"],
];

/** A number with a real minus sign, and never "−0.0". @param {number} value @param {number} digits */
export function fixed(value, digits) {
  const [whole, rest] = Math.abs(value).toFixed(digits).split(".");
  const text = [whole.replace(/\B(?=(\d{3})+$)/g, ","), rest].filter(Boolean).join(".");
  return value < 0 && /[1-9]/.test(text) ? `\u2212${text}` : text;
}

/** A share as a percentage; without a number of digits, finer below ten. @param {number} share @param {number} [digits] */
export function percent(share, digits) {
  const value = 100 * share;
  return `${fixed(value, digits ?? (Math.abs(value) < 9.95 && value !== 0 ? 1 : 0))} %`;
}

/** Whether a number that was rounded is more than zero. @param {string} size */
function shows(size) {
  return /[1-9]/.test(size);
}

/** @param {number} drop @param {Terms} terms */
function side(drop, terms) {
  return drop < 0 ? terms.gained : terms.given_up;
}

/** What a drop, a fraction, is to the reader: something given up, a gain, or nothing. @param {number} drop @param {Terms} terms */
export function change(drop, digits, terms) {
  const size = fixed(Math.abs(100 * drop), digits);
  return shows(size) ? `${size} points ${side(drop, terms)}` : terms.no_drop;
}

/**
 * A bound with so many decimals, rounded to the side on which it claims less: an upper one up, a lower one down.
 * @param {number} value @param {number} digits @param {boolean} up
 */
export function outward(value, digits, up) {
  const scaled = value * 10 ** digits;
  return (up ? Math.ceil(scaled - 1e-9) + 0 : Math.floor(scaled + 1e-9)) / 10 ** digits;
}

/** The interval of a drop, on either side of zero or on both. @param {number} low @param {number} high @param {Terms} terms */
export function interval(low, high, digits, terms) {
  const [least, most] = [outward(100 * low, digits, false), outward(100 * high, digits, true)];
  if (least < 0 && most > 0) return `from ${fixed(most, digits)} points ${terms.given_up} to ${fixed(-least, digits)} ${terms.gained}`;
  const [near, far] = [least, most].map(Math.abs).sort((a, b) => a - b);
  return `from ${fixed(near, digits)} to ${fixed(far, digits)} points ${side(least, terms)}`;
}

/** What an upper bound on a drop, a fraction, says: given up at most, or more accurate at least. @param {number} drop @param {Terms} terms */
export function at_most(drop, digits, terms) {
  const most = outward(100 * drop, digits, true);
  if (most === 0) return terms.no_drop;
  return `${most > 0 ? "at most" : "at least"} ${fixed(Math.abs(most), digits)} points ${side(most, terms)}`;
}

/** Which bound on the drop holds everywhere, or why there is none. @param {?number} drop @param {number} level @param {Terms} terms */
export function certified(drop, level, byHand, terms) {
  if (drop === null) return `not certified: ${byHand ? "set by hand on these samples" : "the same samples chose the thresholds"}`;
  return `${at_most(drop, 2, terms)}, with ${percent(level, 0)} confidence at this and every position of the slider at once`;
}

/** What stands beside numbers that promise less than others do. @param {boolean} inSample @param {boolean} byHand */
export function badge(inSample, byHand) {
  return [byHand && "set by hand", inSample && "in-sample"].filter(Boolean).join(", ");
}

/** What a cascade saves of the plain network's cost, or costs beside it. @param {number} share @param {string} noun */
export function saving(share, noun) {
  const size = percent(Math.abs(share));
  return share < 0 ? `costs ${size} more ${noun} than the plain network` : `saves ${size} of the ${noun}`;
}

/**
 * Where a slider stands; a bare number is a confidence.  Points have a decimal more than `decimals` unless it is zero,
 * since positions lie that close; fewer than none are a gain.
 * @param {number} value @param {Terms} terms
 */
export function setting(value, decimals, unit, terms) {
  if (unit !== "points") return unit ? `${fixed(value, decimals)} ${unit}` : confidence(value);
  const gain = value < 0 && shows(fixed(-value, decimals + 1));
  const size = fixed(gain ? -value : value, decimals + 1).replace(/\.?0$/, "");
  return gain ? `${size} ${unit} ${terms.gained}` : `${size} ${unit}`;
}

/** What files on a slider position are called, as in wording.py. @param {number} value @param {number} decimals */
export function file_stem(run, policy, value, decimals, unit) {
  const place = `${value.toFixed(decimals + 1)}${unit.split(" ")[0].replace("%", "percent")}`;
  const name = [run, policy, place].filter(Boolean).join("-");
  return name.replace(/[\s\x00-\x1f\x7f-\x9f<>:"/\\|?*]+/gu, "-").slice(-180);
}

/** "74 of 125.5 million MACs per image", "0.12 of 0.65 dollars per 1,000 images". @param {Model} model @param {number} cost */
export function costs(model, cost) {
  const whole = model.baseline.cost;
  const { size, word, digits } = magnitude(whole);
  const brief = (value) => String(Number((value / size).toFixed(digits)));
  const { cost_per: many = 1 } = model;
  const each = many === 1 ? model.one : `${grouped.format(many)} ${model.unit}`;
  return `${brief(cost)} of ${brief(whole)} ${word} ${model.cost_unit} per ${each}`.replace("  ", " ");
}

/** What a number is told in, and with how many decimals: three digits or four. @param {number} value */
function magnitude(value) {
  const [size, word] = MAGNITUDES.find(([least]) => value >= least) ?? [1, ""];
  const told = value / size;
  const digits = told >= 9.995 ? 1 : told >= 1 || !told ? 2 : 2 - Math.floor(Math.log10(told));
  return { size, word, digits };
}

/** Within which times most samples are done, behind what they take on average. @param {Model} model @param {Point} point */
function percentileWords(model, point) {
  if (!model.percentiles || !point.within) return "";
  const { digits } = magnitude(model.baseline.cost);
  const each = model.percentiles.shares.map(
    (share, i) => `${percent(share, 0)} within ${fixed(/** @type {number[]} */ (point.within)[i], digits)}`,
  );
  return `; ${each.join(", ")}`;
}

/** A text as the beginning of a sentence. @param {string} text */
export function capital(text) {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

export function singular(noun) {
  return noun.replace(/(?<=[^s])s$/, "");
}

/** A threshold with as many digits as tell it from one: 0.978, 0.99987. @param {number} value */
export function confidence(value) {
  if (value <= 0 || value >= 1) return String(Number(value.toPrecision(4))).replace("-", "\u2212");
  const digits = Math.max(3, Math.ceil(-Math.log10(1 - value)) + 1);
  return value.toFixed(digits);
}

/** What a stage does, as the end of a sentence that begins with its name. @param {Model} model @param {Point} point */
export function behaviour(model, stage, point) {
  if (stage === model.count - 1) return "always answers";
  if (!point.thresholds) return "leaves at a threshold for each class";
  const threshold = point.thresholds[stage];
  if (threshold === null) return "never leaves here (head switched off)";
  return `leaves at ${model.score} ${confidence(threshold)} or more`;
}

/** @param {Model} model @param {number} g */
export function sliderText(model, g) {
  const { values, decimals, unit } = model.slider;
  return setting(values[g], decimals, unit, model.terms);
}

/** Where the panel stands: what the slider is at, or that thresholds are set by hand. @param {Model} model @param {Point} point */
export function placeText(model, point) {
  return point.byHand ? "thresholds set by hand" : `${model.slider.label} ${sliderText(model, point.g)}`;
}

/** @param {Point} point */
export function rightText(point, stage) {
  const leave = point.exits[stage];
  if (leave === 0) return "\u2013";
  const share = (100 * point.rights[stage]) / leave;
  return `${share === 100 ? 100 : fixed(share, 1)} %`;
}

/**
 * The readouts: number, its unit, what it is, what it is measured against.
 * @param {Model} model @param {Point} point
 */
export function readoutTexts(model, point) {
  const { drop } = point;
  const size = fixed(Math.abs(100 * drop), 1);
  const { terms } = model;
  const kind = !shows(size) ? terms.no_drop : drop < 0 ? terms.gained : terms.accuracy_given_up;
  const share = percent(Math.abs(point.saving)).replace(" %", "");
  const ratio = model.baseline.cost / point.cost;
  const times = Math.max(ratio, 1 / ratio);
  const factor = times.toFixed(times < 9.995 ? 2 : 1);
  const compared = Number(factor) === 1 ? "the same" : ratio < 1 ? "more" : "less";
  const early = `${percent(1 - point.exits[model.count - 1] / model.samples)} of ${model.unit} leave early`;
  const compute = model.cost_noun === "computation" ? "to compute" : model.cost_noun;
  const plain = `${model.baseline.label} ${fixed(100 * model.baseline.accuracy, 1)} %`;
  const ends = interval(point.low, point.high, 1, terms);
  const cost = point.saving < 0 ? `more ${model.cost_noun} than the plain network` : `${model.cost_noun} saved`;
  return [
    [fixed(100 * point.accuracy, 1), "%", terms.accuracy, plain],
    [size, "points", kind, `${percent(model.level, 0)} interval, here alone: ${ends}`],
    boundTexts(model, point),
    [share, "%", cost, costs(model, point.cost) + percentileWords(model, point)],
    [factor, "\u00d7", `${compared} ${compute}`, early + wholeBatches(point)],
  ];
}

/** The readout of what is certain of the drop, or why nothing is. @param {Model} model @param {Point} point */
function boundTexts(model, point) {
  if (point.certified === null || !model.certificate) {
    return ["\u2013", "", "not certified", certified(null, 0, point.byHand, model.terms).split(": ")[1]];
  }
  const most = outward(100 * point.certified, 2, true);
  const kind = most < 0 ? `${model.terms.gained}, at least` : `${model.terms.given_up}, at most`;
  const sure = `${percent(model.certificate.level, 0)} sure, at this and every position`;
  return [fixed(Math.abs(most), 2), "points", kind, sure];
}

/**
 * What would be saved if survivors were not gathered in smaller batches; empty where it is the same.
 * @param {Point} point
 */
function wholeBatches(point) {
  const share = point.savingOfWholeBatches;
  if (share === null) return "";
  return share < 0 ? `; whole batches would cost ${percent(-share)} more` : `; whole batches would save ${percent(share)}`;
}

/** What is certain of the drop, or why nothing is, in one sentence. @param {Model} model @param {Point} point */
export function certificateText(model, point) {
  const { certificate, terms } = model;
  const text = certified(certificate ? point.certified : null, certificate?.level ?? 0, point.byHand, terms);
  return `${capital(text)}.`;
}
