// @ts-check
/**
 * The live panel: one slider, and everything a cascade would do at each of its positions.
 *
 * Python has computed every number beforehand, for each position of the slider; this file looks them
 * up and draws them.  A drag therefore stays in the browser: an `input` event redraws within one
 * animation frame, and only the release tells Python where the slider stands.
 *
 * Convention: a part of the panel is an object {node, layout, draw, describe}.  `node` is built once;
 * `layout()` fits it to the width there is and may measure; `draw(g)` shows position g and only writes
 * attributes and texts; `describe(g)`, on release, says the same in words for those who do not see it.
 * Arrays run over stages first, then positions.  Counts are samples, accuracies and costs are fractions
 * of one until they are printed.
 *
 * It fetches nothing, and puts names into the page as text only: names come from files.
 * What it does not do: arithmetic on samples, choosing thresholds, keeping state across page loads.
 *
 * The panel is several modules, of which this one has the entries and the assembly; `joined` in modules.py makes one of
 * them, for hosts that take a single text.  types.js describes the data.
 */

import { certificate, readouts, slider, story } from "./controls.js";
import { curve } from "./curve.js";
import { html } from "./elements.js";
import { decodePayload } from "./payload.js";
import { offerPictures } from "./pictures.js";
import { keepFilling, sameLook, steer } from "./presentation.js";
import { followScheme, paintScheme } from "./scheme.js";
import { shares } from "./shares.js";
import { stageCharts } from "./stages.js";
import { zoomed } from "./zoom.js";
/** @import { Model } from "./types.js" */

const KEYBOARD_REST = 250; // ms without a key before the position counts as released
const released = new Map(); // panel key -> {id, index, turn}: survives a remount, as Python's state does
const mounts = new WeakMap(); // Streamlit's element -> the panel inside

/** Streamlit's entry, called at every rerun and every theme switch with the same parentElement. */
export default function streamlit({ parentElement, data, setStateValue }) {
  const release = (index, id) => {
    const position = { id, index, turn: data.turn };
    released.set(data.panel, position);
    setStateValue("position", { ...position, zoom: zoomed() });
  };
  let panel = mounts.get(parentElement);
  if (panel) {
    panel.update(data, release);
  } else {
    const last = released.get(data.panel);
    const known = last?.id === data.id && last.turn === data.turn;
    panel = mount(parentElement, data, release, known ? last.index : undefined);
    mounts.set(parentElement, panel);
  }
  const call = (panel.calls = (panel.calls ?? 0) + 1);
  return () => {
    // Streamlit may run the cleanup of a superseded call late: only the latest one may take down.
    if (call !== panel.calls) return;
    panel.destroy();
    mounts.delete(parentElement);
  };
}

/**
 * Show `data` inside `root`; `onRelease(index, id)` is told where the slider was let go.
 * Returns {update(data, onRelease), destroy()}; an update with the same id and turn leaves the slider alone, and
 * another waits until nobody holds it.  With `data.presentation` the panel fills one screen and is steered by keys
 * (see presentation.js).
 */
export function mount(root, data, onRelease = /** @type {(index: number, id: string) => void} */ (() => {}), start = data.slider.initial) {
  const shell = html("section", "", { "data-testid": "live-panel" });
  shell.classList.add("cascade-live");
  root.append(shell);
  const release = (index, id) => onRelease(index, id);
  const forgetScheme = followScheme(shell);
  let latest = data;
  const renew = () => {
    const same = latest.id === view.id && latest.turn === view.turn;
    if ((same && sameLook(latest, view)) || view.held()) return;
    const begin = same ? view.position() : latest.slider.initial;
    view.close();
    view = show(shell, latest, begin, release, renew);
  };
  let view = show(shell, data, start, release, renew);
  return {
    update(next, notify = onRelease) {
      onRelease = notify;
      latest = next;
      paintScheme(shell);
      renew();
    },
    destroy() {
      view.close();
      forgetScheme();
      shell.remove();
    },
  };
}

/** Build the panel for one payload and keep it current until `close()`; `free` is told whenever a hand lets go. */
function show(shell, data, start, release, free) {
  const model = decodePayload(data);
  shell.setAttribute("aria-label", model.slider.label);
  const parts = {
    readouts: readouts(model),
    slider: slider(model, start),
    certificate: certificate(model),
    stages: stageCharts(model),
    curve: curve(model),
    shares: shares(model),
    story: story(model),
  };
  arrange(shell, model, parts);
  offerPictures(shell, model, parts, () => position);
  const all = Object.values(parts);
  let position = start;
  const draw = () => all.forEach((part) => part.draw(position));
  const describe = () => all.forEach((part) => part.describe?.(position));
  const fit = () => {
    all.forEach((part) => part.layout?.());
    draw();
  };
  const stopFitting = data.presentation ? keepFilling(shell, fit) : keepFitted(shell, fit);
  const hand = listen(parts.slider.input, {
    move: (index) => ((position = index), draw()),
    settle: (index) => (describe(), release(index, model.id)),
    free,
  });
  const stopSteering = data.presentation ? steer(parts.slider.input, data.presentation) : () => {};
  describe();
  const close = () => (stopFitting(), hand.stop(), stopSteering(), shell.replaceChildren());
  const { id, turn, presentation } = data;
  return { id, turn, presentation, position: () => position, held: hand.held, close };
}

/** @param {Model} model */
function arrange(shell, model, parts) {
  const left = html("div", "column");
  left.append(parts.stages.node);
  const right = html("div", "column");
  right.append(parts.curve.node, parts.shares.node);
  const columns = html("div", "columns");
  columns.append(left, right);
  const body = html("div", "body");
  body.append(parts.readouts.node, parts.slider.node, parts.certificate.node, columns);
  if (model.footnote) body.append(html("p", "footnote", {}, model.footnote));
  body.append(parts.story.node);
  shell.replaceChildren(body);
}

/** Tell `move` of positions at most once a frame, `settle` of a position that was let go, and `free` after that. */
function listen(input, { move, settle, free }) {
  const events = new AbortController();
  let frame = 0;
  let rest = 0;
  let byKey = false;
  let held = false;
  let settled = input.valueAsNumber;
  const redraw = () => {
    frame = 0;
    move(input.valueAsNumber);
  };
  const letGo = () => {
    if (frame) (cancelAnimationFrame(frame), redraw());
    if (input.valueAsNumber === settled) return;
    settled = input.valueAsNumber;
    settle(settled);
  };
  const on = (name, act) => input.addEventListener(name, act, { signal: events.signal });
  on("input", () => (frame ||= requestAnimationFrame(redraw)));
  on("keydown", () => (byKey = true));
  on("pointerdown", () => {
    byKey = false;
    held = true;
    clearTimeout(rest); // what the keys left waiting is sent when the pointer lets go
  });
  const rested = () => {
    clearTimeout(rest); // each key press is a change of its own: wait for the last
    rest = setTimeout(() => ((held = false), letGo(), free()), byKey ? KEYBOARD_REST : 0);
  };
  ["change", "pointerup", "pointercancel"].forEach((name) => on(name, rested));
  const stop = () => {
    events.abort();
    clearTimeout(rest);
    cancelAnimationFrame(frame);
  };
  return { stop, held: () => held };
}

/** Run `fit` now and whenever the width changes; heights follow from it, so they are no reason. */
function keepFitted(shell, fit) {
  let width = -1;
  const check = () => {
    if (shell.clientWidth === width || shell.clientWidth === 0) return;
    width = shell.clientWidth;
    fit();
  };
  check();
  const observer = new ResizeObserver(check);
  observer.observe(shell);
  document.fonts?.ready.then(() => shell.isConnected && width > 0 && fit());
  return () => ((width = 0), observer.disconnect());
}
