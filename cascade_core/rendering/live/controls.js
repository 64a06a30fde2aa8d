// @ts-check
/** The readouts, the slider that moves them, and what is certain. */

import { html } from "./elements.js";
import { pointAt } from "./point.js";
import { certificateText, change, placeText, readoutTexts, saving, sliderText } from "./words.js";
/** @import { Model } from "./types.js" */

/** @param {Model} model */
export function readouts(model) {
  const node = html("div", "readouts", { "data-testid": "live-readout" });
  const cells = readoutTexts(model, pointAt(model, 0)).map(() => {
    const cell = html("div", "readout");
    const value = html("div", "value");
    const texts = [html("span", "number"), html("span", "unit"), html("div", "caption"), html("div", "note")];
    value.append(texts[0], texts[1]);
    cell.append(value, texts[2], texts[3]);
    node.append(cell);
    return texts;
  });
  const draw = (point) => {
    readoutTexts(model, point).forEach((texts, i) => texts.forEach((text, j) => (cells[i][j].textContent = text)));
    node.dataset.accuracy = String(point.accuracy);
    node.dataset.drop = String(point.drop);
    node.dataset.saving = String(point.saving);
    node.dataset.position = String(point.g);
    node.dataset.value = String(model.slider.values[point.g]);
  };
  return { node, draw };
}

/** What is certain, in words below the slider. @param {Model} model */
export function certificate(model) {
  const node = html("p", "certificate", { "data-testid": "live-certificate" });
  node.hidden = !model.certificate;
  return { node, draw: (point) => (node.textContent = certificateText(model, point)) };
}

/** The sentence that a screen reader speaks once the slider rests. @param {Model} model */
export function story(model) {
  const node = html("p", "unseen", { "aria-live": "polite" });
  const describe = (point) => {
    const [accuracy, , , times] = readoutTexts(model, point);
    const results = [
      `accuracy ${accuracy[0]} %`,
      change(point.drop, 1),
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
  const rail = html("div", "rail");
  rail.append(bubble, html("span", "caret", { "aria-hidden": "true" }), input);
  if (zero != null) rail.append(zeroMark(zero / Math.max(1, last)));
  node.append(html("p", "slider-label", { "aria-hidden": "true" }, label), rail, sliderTicks(ticks, last));
  if (help) node.append(html("p", "help", {}, help));
  node.hidden = last === 0; // one position: nothing to choose
  const layout = () => {
    const ends = [sliderText(model, 0), sliderText(model, last)]; // a gain takes more words than a drop
    value.textContent = ends[0].length > ends[1].length ? ends[0] : ends[1];
    node.classList.remove("cascade-live__slider--narrow");
    node.classList.toggle("cascade-live__slider--narrow", bubble.offsetWidth > rail.clientWidth);
    node.style.setProperty("--cascade-live-half-bubble", `${bubble.offsetWidth / 2}px`);
  };
  const draw = ({ g }) => {
    node.style.setProperty("--cascade-live-at", g / Math.max(1, last));
    value.textContent = sliderText(model, g);
    input.setAttribute("aria-valuetext", sliderText(model, g));
  };
  return { node, input, layout, draw };
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
