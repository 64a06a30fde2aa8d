// @ts-check
/** What thresholds set by hand cost against the policy's, in words, and the way back. */

import { html } from "./elements.js";
import { fixed, percent } from "./words.js";
/** @import { Model, Point } from "./types.js" */

/**
 * The line, which is there while thresholds are set by hand, and stays in sight while the charts are scrolled.
 * @param {Model} model @param {() => void} back takes all thresholds back to the policy's
 */
export function handLine(model, back) {
  const node = html("div", "by-hand", { "data-testid": "live-by-hand" });
  if (!model.groups?.exact) node.title = `Of so many ${model.unit} thresholds set by hand stop at few places.`;
  const text = html("span", "by-hand-text");
  const button = html("button", "button", { type: "button" }, "Back");
  button.append(html("span", "by-hand-more", {}, " to the policy"));
  button.addEventListener("click", back);
  node.append(text, button);
  /** @param {Point} point */
  const draw = (point) => {
    node.hidden = !point.byHand;
    if (point.byHand) text.textContent = handText(model, point);
  };
  return { node, draw };
}

/**
 * "0.2 points more given up, 1.1 % less saved than by the policy, whose best at this ${model.terms.short_drop} saves 3.4 % more."
 * @param {Model} model @param {Point} point
 */
export function handText(model, point) {
  const here = { drop: model.drop[point.g], saving: model.saving[point.g] };
  const how = model.costing?.means ? ", by the stages' mean costs" : "";
  const against = `${differences(model, point, here).join(", ")} than by the policy${how}`;
  const best = bestWithin(model, point.drop);
  if (best === null) return `${against}; none of its positions is ${model.terms.as_accurate}.`;
  if (point.drop > Math.max(...model.drop)) return `${against}, whose slider does not go that far.`;
  const more = model.saving[best] - point.saving;
  const size = percent(Math.abs(more), 1);
  const what = /[1-9]/.test(size) ? `${size} ${more > 0 ? "more" : "less"}` : "as much";
  return `${against}, whose best at this drop saves ${what}.`;
}

function differences({ terms }, point, here) {
  const drop = fixed(Math.abs(100 * (point.drop - here.drop)), 2);
  const saved = percent(Math.abs(point.saving - here.saving), 1);
  return [
    `${drop} points ${point.drop < here.drop ? "less" : "more"} ${terms.given_up}`,
    `${saved} ${point.saving < here.saving ? "less" : "more"} saved`,
  ];
}

/** The position that saves most of those that give up no more than `drop`; null: there is none. @param {Model} model */
export function bestWithin(model, drop) {
  let best = null;
  for (let g = 0; g < model.positions; g += 1) {
    if (model.drop[g] <= drop + 1e-12 && (best === null || model.saving[g] > model.saving[best])) best = g;
  }
  return best;
}
