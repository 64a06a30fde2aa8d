// @ts-check
/**
 * Where a readout comes from: the sum behind each number, live while it is open.
 *
 * Sums are written with the numbers as they are rounded; the number itself is the exact one.
 */

import { activeHeads, stageCosts } from "./costing.js";
import { html } from "./elements.js";
import { at_most, fixed, grouped, percent, rightText } from "./words.js";
/** @import { Model, Point } from "./types.js" */

const MOST_TERMS = 12;

/**
 * The box below the readouts; `buttons` open it, one for each of `sums`.
 * @param {Model} model @param {HTMLElement[]} buttons @param {string} [which] of several on one panel
 */
export function opened(model, buttons, which = "") {
  const node = html("div", "opened", { "data-testid": `live-opened${which}`, id: `cascade-live-opened${which}` });
  node.hidden = true;
  const sum = html("p", "sum");
  const about = html("p", "sum-about");
  node.append(sum, about);
  let open = -1;
  let latest = null;
  const show = () => {
    node.hidden = open < 0;
    buttons.forEach((button, i) => button.setAttribute("aria-expanded", String(i === open)));
    if (open >= 0 && latest) [sum.textContent, about.textContent] = sums(model, latest)[open];
  };
  buttons.forEach((button, i) => {
    button.setAttribute("aria-controls", node.id);
    button.addEventListener("click", () => ((open = open === i ? -1 : i), show()));
    button.addEventListener("keydown", ({ key }) => key === "Escape" && ((open = -1), show()));
  });
  /** @param {Point} point */
  const draw = (point) => ((latest = point), open >= 0 && show());
  return { node, draw };
}

/** What each readout is made of, and in which terms. @param {Model} model @param {Point} point @returns {[string, string][]} */
export function sums(model, point) {
  return [accuracySum(model, point), dropSum(model, point), boundSum(model, point), savingSum(model, point), ratioSum(model, point)];
}

/** @param {Model} model @param {Point} point @returns {[string, string]} */
function accuracySum(model, point) {
  const right = point.rights.reduce((sum, count) => sum + count, 0);
  const summands = leavers(model, point).map((stage) => `${share(model, point, stage)} \u00d7 ${rightText(point, stage).replace(" %", "")}`);
  const are = `are ${model.terms.right}`;
  const all = `${grouped.format(right)} of ${grouped.format(model.samples)} ${model.unit} ${are}`;
  return [`${fixed(100 * point.accuracy, 1)} % = ${joined(summands)}`, `The share that leaves at each stage, times how many of those ${are}; ${all}.`];
}

/** @param {Model} model @param {Point} point @returns {[string, string]} */
function dropSum(model, point) {
  const { terms } = model;
  if (model.reference !== "labels") return disagreementSum(model, point);
  const helped = point.harmed - Math.round(point.drop * model.samples);
  const part = (count) => fixed((100 * count) / model.samples, 2);
  const gain = point.drop < 0;
  const [more, less] = gain ? [helped, point.harmed] : [point.harmed, helped];
  const size = fixed(Math.abs(100 * point.drop), 2);
  const harmed = `${grouped.format(point.harmed)} of ${grouped.format(model.samples)} ${model.unit} are harmed (the plain network is right, the cascade is not)`;
  return [
    `${size} points ${gain ? terms.gained : terms.given_up} = ${part(more)} \u2212 ${part(less)}`,
    `${gain ? "Helped less harmed" : "Harmed less helped"}: ${harmed}, ${grouped.format(helped)} are helped.`,
  ];
}

/** Against the last stage nothing can be gained. @param {Model} model @param {Point} point @returns {[string, string]} */
function disagreementSum({ terms, samples, unit }, { harmed }) {
  const [changed, all] = [harmed, samples].map((count) => grouped.format(count));
  return [
    `${fixed((100 * harmed) / samples, 2)} points ${terms.given_up} = ${changed} / ${all}`,
    `${changed} of ${all} ${unit} are ${terms.harmed}: the cascade answers otherwise than the last stage.`,
  ];
}

/** @param {Model} model @param {Point} point @returns {[string, string]} */
function boundSum(model, point) {
  if (point.certified === null || !model.certificate) {
    const why = point.byHand
      ? "These thresholds were set by hand on the samples that judge them, so nothing is certain of new ones."
      : "The same samples chose and judge, so nothing is certain of new ones.";
    return ["Not certified.", why];
  }
  const sure = percent(model.certificate.level, 0);
  return [
    `${at_most(point.certified, 2, model.terms)}, at this and every position of the slider at once`,
    `With ${sure} confidence, on new ${model.unit} like these, wherever the slider is let go. ` +
      `The ${percent(model.level, 0)} interval beside the ${model.terms.short_drop} is narrower because it is about this position alone.`,
  ];
}

/** @param {Model} model @param {Point} point @returns {[string, string]} */
function savingSum(model, point) {
  const { cost } = model.baseline;
  const size = percent(Math.abs(point.saving));
  const part = (value) => fixed((100 * value) / cost, 1);
  const [first, last] = point.saving < 0 ? ["", " \u2212 100"] : ["100 \u2212 ", ""];
  const terms = costTerms(model, point, part);
  const inner = terms ? joined(terms) : part(point.cost);
  const brackets = terms && terms.length > 1 && first ? `(${inner})` : inner;
  const about = terms && model.costing.batch === 1
    ? "The share that leaves at each stage, times what leaving there costs"
    : "What each stage costs, spread over all";
  return [
    `${size} = ${first}${brackets}${last}`,
    `${terms ? about : "What the cascade costs on average"}, where the ${model.baseline.label} costs 100.${pooling(model, point, part)}`,
  ];
}

/** What of the cost is that of pooled answers, where it shows. @param {Model} model @param {Point} point @param {(cost: number) => string} part */
function pooling(model, point, part) {
  const { batch, compaction } = model.costing;
  const rule = { exits: point.exits, ...activeHeads(model, point) };
  if (!model.costing.pooled || !rule.active.some(Boolean)) return "";
  const [all, without] = [true, false].map((pooled) => {
    const costs = stageCosts({ ...model, costing: { ...model.costing, pooled } }, rule, compaction);
    return costs.reduce((sum, cost) => sum + cost, 0) / batch;
  });
  const spent = part(all - without);
  return /[1-9]/.test(spent) ? ` Of this, combining the answers of the stages passed (pooled answers) takes ${spent}.` : "";
}

/**
 * Costs that add up sample by sample are those of leaving at each stage; of batches they are those of the stages.
 * @param {Model} model @param {Point} point @param {(cost: number) => string} part
 */
function costTerms(model, point, part) {
  const heads = activeHeads(model, point);
  if (!heads.active.some(Boolean) || model.costing.means) return null;
  const { batch, compaction } = model.costing;
  if (batch > 1) return stageCosts(model, { exits: point.exits, ...heads }, compaction).map((cost) => part(cost / batch));
  let spent = 0;
  const leaving = stageCosts(model, { exits: point.exits, ...heads }, true, true).map((cost) => (spent += cost));
  return leavers(model, point).map((stage) => `${share(model, point, stage)} \u00d7 ${part(leaving[stage])}`);
}

/** @param {Model} model @param {Point} point @returns {[string, string]} */
function ratioSum(model, point) {
  const [whole, here] = [model.baseline.cost, point.cost].map((cost) => fixed((100 * cost) / model.baseline.cost, 1));
  const [above, below] = point.cost > model.baseline.cost ? [here, whole] : [whole, here];
  const ratio = Math.max(model.baseline.cost / point.cost, point.cost / model.baseline.cost);
  const early = model.samples - point.exits[model.count - 1];
  return [
    `${ratio.toFixed(2)} = ${above} / ${below}`,
    `Mean cost against that of the ${model.baseline.label}; ${grouped.format(early)} of ${grouped.format(model.samples)} ${model.unit} leave early.`,
  ];
}

/** Stages at which anything leaves. @param {Model} model @param {Point} point */
function leavers(model, point) {
  return model.stages.map((_, stage) => stage).filter((stage) => point.exits[stage] > 0);
}

/** @param {Model} model @param {Point} point */
function share(model, point, stage) {
  return percent(point.exits[stage] / model.samples, 1);
}

/** A sum that breaks between its terms only. @param {string[]} terms */
function joined(terms) {
  const whole = terms.map((term) => term.replaceAll(" ", "\u00a0"));
  return whole.length > MOST_TERMS ? `${whole.slice(0, MOST_TERMS).join(" + ")} + \u2026` : whole.join(" + ");
}
