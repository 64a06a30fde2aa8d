// @ts-check
/** What a first visit needs to know: four sentences, each with something to do, until the reader puts them away. */

import { html } from "./elements.js";
/** @import { Model } from "./types.js" */

const REMEMBERED = "cascade-core:guide"; // in this browser, for all pages of this address

/** The four sentences; nothing where the reader has put them away, or the panel is shown to others. @param {Model} model */
export function guide(model) {
  const node = html("aside", "guide", { "aria-label": "How to use this page", "data-testid": "live-guide" });
  node.hidden = !model.panel || Boolean(model.presentation) || model.positions === 1 || isPutAway();
  const list = html("ol", "guide-list");
  for (const [act, rest] of sentences(model)) {
    const item = html("li", "");
    item.append(html("strong", "", {}, act), rest);
    list.append(item);
  }
  const button = html("button", "button", { type: "button" }, "Got it");
  button.title = "Put these lines away for good, in this browser";
  button.addEventListener("click", () => {
    node.hidden = true;
    remember();
  });
  node.append(list, button);
  return { node, draw: () => {} };
}

/** @param {Model} model @returns {[string, string][]} what to do, and what comes of it */
function sentences(model) {
  const byHand = model.cuts ? "Drag a threshold" : "Watch the thresholds";
  return [
    ["Drag the slider", ", and everything on this page shows what the cascade does there."],
    [byHand, model.cuts ? ", a black flag in a histogram, to set that one by hand." : ", the black flags in the histograms, as they move."],
    ["Click a point of the curve", " to go to the thresholds that gave it."],
    ["Pin a point", " with the button below, to compare it with others and to present it."],
  ];
}

function isPutAway() {
  try {
    return localStorage.getItem(REMEMBERED) !== null;
  } catch {
    return false; // a browser that keeps nothing
  }
}

function remember() {
  try {
    localStorage.setItem(REMEMBERED, "read");
  } catch {
    // Then they are back at the next visit.
  }
}
