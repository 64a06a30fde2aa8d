// @ts-check
/** The readouts, and the slider that moves them. */

import { html } from "./elements.js";
import { pressTo } from "./gestures.js";
import { opened } from "./opened.js";
import { pointAt } from "./point.js";
import { nearestTo, stepFrom } from "./positions.js";
import { presets } from "./steps.js";
import { letScroll } from "./swipes.js";
import { badge, certificateText, change, placeText, readoutTexts, saving, sliderText } from "./words.js";
/** @import { Model, Point } from "./types.js" */

const BOUND = 2; // the readout of what is certain
/** @type {Record<string, 1 | -1>} */
const WAYS = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1 };

/**
 * Numbers in large type, each a button that tells where it comes from (see opened.js).
 * @param {Model} model @param {string} [which] of several on one panel
 */
export function readouts(model, which = "") {
  const node = html("div", "readouts", { "data-testid": `live-readout${which}` });
  const badges = html("span", "badge");
  const cells = readoutTexts(model, pointAt(model, 0)).map((_, i) => {
    const cell = html("div", "readout", i === BOUND ? { "data-testid": `live-certificate${which}` } : {});
    const value = html("button", "value", { type: "button", title: "Show where this number comes from" });
    const texts = [html("span", "number"), html("span", "unit"), html("span", "caption-text"), html("div", "note")];
    const caption = html("div", "caption");
    caption.append(texts[2], i === 0 ? badges : "");
    value.append(texts[0], texts[1]);
    cell.append(value, caption, texts[3]);
    node.append(cell);
    return texts;
  });
  const box = opened(model, [...node.querySelectorAll("button")], which);
  node.append(box.node);
  /** @param {Point} point */
  const draw = (point) => {
    readoutTexts(model, point).forEach((texts, i) => texts.forEach((text, j) => (cells[i][j].textContent = text)));
    badges.textContent = badge(model.in_sample, point.byHand);
    box.draw(point);
    node.dataset.accuracy = String(point.accuracy);
    node.dataset.drop = String(point.drop);
    node.dataset.saving = String(point.saving);
    node.dataset.position = String(point.g);
    node.dataset.value = String(model.slider.values[point.g]);
  };
  return { node, draw };
}

/** The sentence that a screen reader speaks once the slider rests. @param {Model} model */
export function story(model) {
  const node = html("p", "unseen", { "aria-live": "polite" });
  const describe = (point) => {
    const [accuracy, , , , times] = readoutTexts(model, point);
    const results = [
      `${model.terms.accuracy} ${accuracy[0]} %`,
      change(point.drop, 1, model.terms),
      saving(point.saving, model.cost_noun),
      times[3],
    ];
    const told = `${point.byHand ? "With" : "At"} ${placeText(model, point)}: ${results.join(", ")}.`;
    node.textContent = `${told} ${certificateText(model, point)}`.trim();
  };
  return { node, draw: () => {}, describe };
}

/** @param {Model} model */
export function slider(model, start) {
  const { label, ticks, zero, help } = model.slider;
  const last = model.positions - 1;
  const node = html("div", "slider");
  const bubble = html("output", "bubble", { "aria-hidden": "true" });
  const value = html("strong", "");
  bubble.append(html("span", "bubble-label", {}, `${label} `), value);
  const input = html("input", "range", { type: "range", min: 0, max: last, step: 1, "data-testid": "live-slider" });
  input.setAttribute("aria-label", label);
  input.autocomplete = "off"; // a browser that restores forms would move it without telling
  input.value = start;
  let now = start;
  const rail = html("div", "rail");
  rail.append(bubble, html("span", "caret", { "aria-hidden": "true" }), input);
  if (zero != null) rail.append(zeroMark(zero / Math.max(1, last)));
  node.append(html("p", "slider-label", { "aria-hidden": "true" }, label), rail, sliderTicks(ticks, last));
  const shortcuts = presets(model, (g) => pressTo(input, g));
  const field = typed(model, input);
  const below = html("div", "below-slider");
  below.append(shortcuts.node, field.node);
  node.append(below);
  if (help) node.append(html("p", "help", {}, help));
  node.hidden = last === 0; // one position: nothing to choose
  letScroll(input, () => now);
  input.addEventListener("keydown", (event) => {
    const way = WAYS[event.key];
    if (!way || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    pressTo(input, stepFrom(model, input.valueAsNumber, way, event.shiftKey));
  });
  const layout = () => {
    const texts = model.slider.values.map((_, g) => sliderText(model, g));
    value.textContent = texts.reduce((longest, text) => (text.length > longest.length ? text : longest));
    node.classList.remove("cascade-live__slider--narrow");
    node.classList.toggle("cascade-live__slider--narrow", bubble.offsetWidth > rail.clientWidth);
    node.style.setProperty("--cascade-live-half-bubble", `${bubble.offsetWidth / 2}px`);
  };
  /** @param {Point} point */
  const draw = (point) => {
    now = point.g;
    node.style.setProperty("--cascade-live-at", String(now / Math.max(1, last)));
    value.textContent = sliderText(model, now);
    input.setAttribute("aria-valuetext", sliderText(model, now));
    shortcuts.draw(point);
    field.draw(point);
  };
  return { node, input, layout, draw };
}

/**
 * A field that takes the slider to the position nearest to a typed value.
 * @param {Model} model @param {HTMLInputElement} input
 */
function typed(model, input) {
  const { label, unit, values, decimals } = model.slider;
  const node = html("label", "typed");
  const field = /** @type {HTMLInputElement} */ (html("input", "typed-value", { type: "number", "data-testid": "live-typed" }));
  field.step = unit === "points" ? "0.1" : "any";
  field.setAttribute("aria-label", `${label}${unit ? `, ${unit}` : ""}: type a value`);
  const written = (value) => (unit ? value.toFixed(decimals + 1).replace(/0$/, "") : String(Number(value.toFixed(6))));
  const write = (g) => (field.value = written(values[g]));
  field.addEventListener("change", () => {
    if (!Number.isNaN(field.valueAsNumber)) pressTo(input, nearestTo(model, field.valueAsNumber));
    write(input.valueAsNumber);
  });
  node.append(field, html("span", "", { "aria-hidden": "true" }, unit));
  /** @param {Point} point */
  const draw = ({ g }) => document.activeElement !== field && write(g); // nobody's typing is written over
  return { node, draw };
}

/** Where the track passes from gains to drops. @param {number} place from 0 to 1 */
function zeroMark(place) {
  const mark = html("span", "zero", { "aria-hidden": "true" });
  mark.style.setProperty("--cascade-live-at", String(place));
  return mark;
}

function sliderTicks(ticks, last) {
  const row = html("div", "ticks", { "aria-hidden": "true" });
  for (const { index, text } of ticks) {
    const long = text.length > 3; // wider than the thumb: kept within the track's ends
    const mark = html("span", "tick", {}, text);
    if (long && index === 0) mark.classList.add("cascade-live__tick--first");
    if (long && index === last) mark.classList.add("cascade-live__tick--last");
    mark.style.left = `${(100 * index) / Math.max(1, last)}%`;
    row.append(mark);
  }
  return row;
}
