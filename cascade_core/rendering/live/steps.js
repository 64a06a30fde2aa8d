// @ts-check
/**
 * Where to go from here: what the next step of the slider brings, in words, and settings that people ask for.
 *
 * Everything is looked up at positions that there are; nothing is said of what lies beyond the slider's end.
 */

import { html } from "./elements.js";
import { nearestTo } from "./positions.js";
import { fixed, percent } from "./words.js";
/** @import { Model, Point } from "./types.js" */

const HALF_A_POINT = 0.5;
const STEP_OF_SAVING = 0.05; // of the baseline's cost, where the slider is not in points
const LITTLE = 0.005; // of the baseline's cost: less than half a percent is almost nothing
const BEST = "Best value";
const ABOUT_BEST =
  "The point of the curve that lies farthest above the straight line between its ends: beyond it, giving up more saves less than before.";

/** The next step in words, below the slider. @param {Model} model */
export function nextStep(model) {
  const node = html("p", "next", { "data-testid": "live-next" });
  node.hidden = model.positions === 1;
  /** @param {Point} point */
  const draw = (point) => {
    if (!node.hidden) node.textContent = nextText(model, point);
  };
  return { node, draw };
}

/** What the slider's next step brings, be it in points or in what is saved. @param {Model} model @param {Point} point */
export function nextText(model, point) {
  if (point.byHand) return "Moving the slider takes thresholds back to the policy's.";
  return model.slider.unit.startsWith("points") ? pointsText(model, point) : savingsText(model, point);
}

/**
 * "The next half point saves 5 % more of the computation; the one after that almost nothing."
 * @param {Model} model @param {Point} point
 */
function pointsText(model, point) {
  const { values, decimals } = model.slider;
  const rest = values[model.positions - 1] - values[point.g];
  if (point.g === model.positions - 1) return "This is the bold end of the slider.";
  if (rest < HALF_A_POINT) {
    const more = model.saving[model.positions - 1] - model.saving[point.g];
    return `Going to the slider's end, ${fixed(rest, decimals + 1)} points on, ${gained(model, more, true)}.`;
  }
  const first = nearestTo(model, values[point.g] + HALF_A_POINT);
  const second = nearestTo(model, values[first] + HALF_A_POINT);
  const more = model.saving[first] - model.saving[point.g];
  const after = model.saving[second] - model.saving[first];
  if (values[second] - values[first] < HALF_A_POINT / 2) return `The next half point ${gained(model, more, true)}.`;
  if (more < LITTLE && after < LITTLE) return "The next half points save almost nothing more.";
  return `The next half point ${gained(model, more, true)}; the one after that ${gained(model, after, false)}.`;
}

/** @param {Model} model @param {number} more share of the baseline's cost @param {boolean} whole whether it has a verb */
function gained(model, more, whole) {
  const size = more < LITTLE ? "almost nothing" : percent(more);
  return whole ? `saves ${size}${more < LITTLE ? " more" : ` more of the ${model.cost_noun}`}` : size;
}

/**
 * "Saving 5 % more of the computation lowers accuracy by 0.4 points; saving 5 % less raises it by 0.2."
 * @param {Model} model @param {Point} point
 */
function savingsText(model, { g }) {
  const { saving, accuracy, cost_noun, terms } = model;
  const here = saving[g];
  const more = saving.findIndex((share, other) => other > g && share >= here + STEP_OF_SAVING - 1e-9);
  const less = saving.findLastIndex((share, other) => other < g && share <= here - STEP_OF_SAVING + 1e-9);
  const size = percent(STEP_OF_SAVING, 0);
  const of = `of the ${cost_noun}`;
  const told = (other, what) => changed(accuracy[other] - accuracy[g], what);
  if (more < 0 && less < 0) return `All positions of the slider save about as much ${of}.`;
  if (more < 0) return `The slider's end is less than ${size} on; saving ${size} less ${of} ${told(less, terms.accuracy)}.`;
  const first = `Saving ${size} more ${of} ${told(more, terms.accuracy)}`;
  return less < 0 ? `${first}.` : `${first}; saving ${size} less ${told(less, "it")}.`;
}

/** @param {number} gain of accuracy @param {string} what it is called */
function changed(gain, what) {
  const size = fixed(Math.abs(100 * gain), 1);
  if (!/[1-9]/.test(size)) return `hardly changes ${what}`;
  return `${gain > 0 ? "raises" : "lowers"} ${what} by ${size} points`;
}

/**
 * Buttons that go to settings that people ask for.
 * @param {Model} model @param {(g: number) => void} goTo
 */
export function presets(model, goTo) {
  const node = html("div", "presets", { role: "group", "aria-label": "Settings that are often asked for" });
  const all = presetPositions(model).map(({ name, g, about }) => {
    const button = html("button", "button", { type: "button" }, name);
    if (about) button.title = about;
    button.addEventListener("click", () => goTo(g));
    node.append(button);
    return { button, g };
  });
  /** @param {Point} point */
  const draw = (point) => {
    for (const { button, g } of all) button.setAttribute("aria-pressed", String(g === point.g && !point.byHand));
  };
  return { node, draw };
}

/**
 * Names of settings and where they are, as far as the slider reaches.
 * @param {Model} model @returns {{name: string, g: number, about: string}[]}
 */
export function presetPositions(model) {
  const { values, unit } = model.slider;
  /** @type {[string, number][]} */
  const wanted = unit === "points" ? [["No loss", 0], ["Half a point", 0.5], ["One point", 1]] : [];
  const reached = wanted.filter(([, value]) => value >= values[0] && value <= values[model.positions - 1]);
  const found = reached.map(([name, value]) => ({ name, g: nearestTo(model, value), about: "" }));
  const best = bestValue(model);
  return best === null ? found : [...found, { name: BEST, g: best, about: ABOUT_BEST }];
}

/**
 * The position farthest above the straight line between the curve's ends; null where none lies above it.
 * @param {Model} model
 */
export function bestValue(model) {
  const { cost, accuracy } = model;
  const last = model.positions - 1;
  if (cost[0] === cost[last]) return null;
  const slope = (accuracy[last] - accuracy[0]) / (cost[last] - cost[0]);
  const above = (g) => accuracy[g] - accuracy[0] - slope * (cost[g] - cost[0]);
  const best = cost.reduce((found, _, g) => (above(g) > above(found) ? g : found), 0);
  return above(best) > 1e-9 ? best : null;
}
