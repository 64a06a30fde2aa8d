// @ts-check
/** Two panels at one drop or at one cost: where the second stands, and what the difference is in words. */

import { change, fixed, percent } from "../live/words.js";
/** @import { Payload, Point, Terms } from "../live/types.js" */

const FAR = 0.0005; // a fraction: drops and costs that print alike are held

/**
 * The position whose drop, or saving, is nearest to a point's; of several the cheapest, or the most accurate.
 * @param {Pick<Payload, "drop" | "saving">} panel @param {Pick<Point, "drop" | "saving">} point @param {"drop" | "cost"} hold
 */
export function alikePosition(panel, point, hold) {
  const [values, wish] = hold === "drop" ? [panel.drop, point.drop] : [panel.saving, point.saving];
  const better = hold === "drop" ? (g, best) => panel.saving[g] > panel.saving[best] : (g, best) => panel.drop[g] < panel.drop[best];
  let best = 0;
  for (let g = 1; g < values.length; g += 1) {
    const [away, least] = [Math.abs(values[g] - wish), Math.abs(values[best] - wish)];
    if (away < least || (away === least && better(g, best))) best = g;
  }
  return best;
}

/**
 * What one saves, or how much more accurate it is, than the other.
 * @param {{called: string[], hold: "drop" | "cost", panels: Pick<Payload, "cost_noun">[], terms: Terms}} pair
 * @param {Pick<Point, "drop" | "saving">} first @param {Pick<Point, "drop" | "saving">} second
 */
export function differenceText({ called, hold, panels, terms }, first, second) {
  const ahead = hold === "drop" ? second.saving - first.saving : first.drop - second.drop;
  const size = hold === "drop" ? percent(Math.abs(ahead), 1) : fixed(Math.abs(100 * ahead), 1);
  const winner = called[ahead > 0 ? 1 : 0];
  const equal = !/[1-9]/.test(size);
  if (hold === "drop") {
    const text = equal ? "Both save the same" : `${winner} saves another ${size} of the ${panels[0].cost_noun}`;
    return `${text} at this ${terms.short_drop}${offDrop(called[1], first, second, terms)}.`;
  }
  const text = equal ? `Both are ${terms.as_accurate}` : `${winner} is ${size} points ${terms.gained}`;
  return `${text} at this cost${offCost(called[1], first, second)}.`;
}

/** @param {string} name @param {Terms} terms */
function offDrop(name, first, second, terms) {
  if (Math.abs(first.drop - second.drop) < FAR) return "";
  return `; the nearest that ${name} has is ${change(second.drop, 2, terms)}`;
}

function offCost(name, first, second) {
  if (Math.abs(first.saving - second.saving) < FAR) return "";
  return `; the nearest that ${name} has is ${percent(second.saving, 1)} saved`;
}
