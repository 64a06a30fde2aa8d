// @ts-check
/**
 * The live panel: one slider, and everything a cascade would do at each of its positions.
 *
 * Python has computed every number of the slider's positions beforehand; of thresholds set by hand the panel counts
 * them from the samples (see point.js).  A drag therefore stays in the browser: it redraws within one animation frame,
 * and only the release tells Python where the panel stands.
 *
 * Convention: a part of the panel is an object {node, layout, draw, describe}.  `node` is built once;
 * `layout()` fits it to the width there is and may measure; `draw(point)` shows a point and only writes
 * attributes and texts; `describe(point)`, on release, says the same in words for those who do not see it.
 * Arrays run over stages first, then positions.  Counts are samples, accuracies and costs are fractions
 * of one until they are printed.
 *
 * It fetches nothing, and puts names into the page as text only: names come from files.
 * What it does not do: choosing thresholds, keeping state across page loads.
 *
 * The panel is several modules, of which this one has the entries and the assembly; `joined` in modules.py makes one of
 * them, for hosts that take a single text.  types.js describes the data.
 */

import { handLine } from "./byhand.js";
import { readouts, slider, story } from "./controls.js";
import { curve } from "./curve.js";
import { html } from "./elements.js";
import { elsewhere } from "./elsewhere.js";
import { keepFitted } from "./fitting.js";
import { hold, listen } from "./gestures.js";
import { guide } from "./guide.js";
import { handles } from "./handles.js";
import { keptAlive } from "./hosting.js";
import { decodePayload } from "./payload.js";
import { answering, noteOf } from "./numbers.js";
import { offerPictures } from "./pictures.js";
import { pointAt, pointByHand } from "./point.js";
import { keepFilling, sameLook, steer } from "./presentation.js";
import { followScheme, paintScheme } from "./scheme.js";
import { shares } from "./shares.js";
import { stageCharts } from "./stages.js";
import { nextStep } from "./steps.js";
import { traceable } from "./tracing.js";
import { zoomed } from "./zoom.js";
/** @import { Heard, Model, Parts, Payload, Stand } from "./types.js" */

const released = new Map(); // panel key -> {id, turn, stand}: survives a remount, as Python's state does
const mounts = new WeakMap(); // Streamlit's element -> the panel inside

/** Streamlit's entry, called at every rerun and every theme switch with the same parentElement. */
export default function streamlit({ parentElement, data, setStateValue, setTriggerValue }) {
  const heard = {
    release(stand, id) {
      released.set(data.panel, { id, turn: data.turn, stand });
      setStateValue("position", { id, index: stand.g, hand: stand.hand, turn: data.turn, zoom: zoomed() });
    },
    tell: (what) => setTriggerValue("opened", what),
  };
  const mounted = () => {
    const last = released.get(data.panel);
    const known = last?.id === data.id && last.turn === data.turn;
    return mount(parentElement, data, heard, known ? last.stand : undefined);
  };
  return keptAlive(mounts, parentElement, mounted, (panel) => panel.update(data, heard));
}

/**
 * Show `data` inside `root`.
 *
 * `heard.release(stand, id)` is told where the panel stands once it is let go, a stand being a position of the slider
 * and thresholds set by hand, if they are; `heard.tell(what)` of what is to be opened elsewhere; `heard.move(point)` of
 * every point on the way.  Returns {update(data, heard), goTo(stand), describe(), destroy()}; an update with the same id and turn
 * leaves the panel where it stands, and another waits until nobody holds it.  With `data.presentation` it fills one
 * screen and is steered by keys (see presentation.js).  `place` puts the parts where they are to be seen.
 * @param {Element} root @param {Payload} data @param {Heard} [heard] @param {Stand} [start]
 * @param {(shell: HTMLElement, model: Model, parts: Parts) => void} [place]
 */
export function mount(root, data, heard = {}, start = opening(data), place = arrange) {
  const shell = html("section", "", { "data-testid": "live-panel" });
  shell.classList.add("cascade-live");
  root.append(shell);
  let told = heard;
  const forward = {
    release: (stand, id) => told.release?.(stand, id),
    tell: (what) => told.tell?.(what),
    move: (point) => told.move?.(point),
  };
  const forgetScheme = followScheme(shell);
  let latest = data;
  const renew = () => {
    const same = latest.id === view.id && latest.turn === view.turn;
    if ((same && sameLook(latest, view)) || view.held()) return;
    const begin = same ? view.stand() : opening(latest);
    view.close();
    view = show(shell, latest, begin, forward, renew, place);
  };
  let view = show(shell, data, start, forward, renew, place);
  return {
    update(next, heardNow = told) {
      told = heardNow;
      latest = next;
      paintScheme(shell);
      renew();
    },
    goTo: (stand) => view.goTo(stand),
    describe: () => view.describe(),
    destroy() {
      view.close();
      forgetScheme();
      shell.remove();
    },
  };
}

/** Where a payload says that the panel stands at first. @param {Payload} data @returns {Stand} */
function opening(data) {
  return { g: data.slider.initial, hand: data.hand ?? null };
}

/** Build the panel for one payload and keep it current until `close()`; `free` is told whenever a hand lets go. */
function show(shell, data, start, heard, free, place) {
  const model = decodePayload(data);
  shell.setAttribute("aria-label", model.slider.label);
  let stand = start;
  let settled = start;
  const hand = hands({ model, stand: () => stand, goTo, describe, settle, free });
  const parts = {
    readouts: readouts(model),
    elsewhere: elsewhere(model),
    slider: slider(model, start.g),
    next: nextStep(model),
    guide: guide(model),
    byHand: handLine(model, hand.allBack),
    stages: stageCharts(model),
    curve: curve(model),
    shares: shares(model),
    story: story(model),
  };
  place(shell, model, parts);
  const input = parts.slider.input;
  const grips = handles(model, parts.stages, hand);
  const all = [...Object.values(parts), grips];
  const point = () => (stand.hand ? pointByHand(model, stand.g, stand.hand) : pointAt(model, stand.g));
  offerPictures(shell, model, parts, point);
  function draw() {
    const now = point();
    all.forEach((part) => part.draw(now));
    heard.move?.(now);
  }
  function describe() {
    const now = point();
    all.forEach((part) => part.describe?.(now));
  }
  /** @param {Stand} next */
  function goTo(next) {
    stand = next;
    if (input.valueAsNumber !== next.g) input.value = String(next.g);
    draw();
  }
  function settle() {
    if (stand.g === settled.g && String(stand.hand) === String(settled.hand)) return;
    settled = stand;
    describe();
    heard.release(stand, model.id);
  }
  const fit = () => {
    all.forEach((part) => part.layout?.());
    draw();
  };
  const stopFitting = data.presentation ? keepFilling(shell, fit) : keepFitted(shell, fit);
  const note = noteOf(shell);
  const tell = data.panel ? heard.tell : null;
  const chances = [...parts.stages.answers, ...parts.curve.answers, ...parts.shares.answers];
  const stops = [
    stopFitting,
    ...chances.map(({ area, drawing, chart }) => answering(area, drawing, chart, { note, tell, held: hand.holder.held })),
    listen(input, hand.holder, (g) => goTo({ g, hand: null })),
    traceable(model, parts.curve, { holder: hand.holder, goTo: (g) => goTo({ g, hand: null }) }),
    grips.stop,
    hand.holder.stop,
    data.presentation ? steer(input, data.presentation) : () => {},
  ];
  describe();
  const close = () => (stops.forEach((stop) => stop()), shell.replaceChildren());
  const { id, turn, presentation } = data;
  return { id, turn, presentation, stand: () => stand, goTo, describe, held: hand.holder.held, close };
}

/** What sets thresholds by hand, and takes them back. @param {{model: Model, stand: () => Stand, [key: string]: any}} panel */
function hands({ model, stand, goTo, settle, free }) {
  const holder = hold({ settle, free });
  const policy = (stage) => model.thresholds?.[stage][stand().g] ?? null;
  const now = () => stand().hand ?? model.stages.slice(1).map((_, stage) => policy(stage));
  const set = (stage, value) => {
    const hand = now().map((old, other) => (other === stage ? value : old));
    const moved = hand.some((one, other) => one !== policy(other));
    goTo({ g: stand().g, hand: moved ? hand : null });
  };
  const allBack = () => (goTo({ g: stand().g, hand: null }), settle(), free());
  return { holder, set, back: (stage) => set(stage, policy(stage)), allBack };
}

/** @param {HTMLElement} shell @param {Model} model @param {Parts} parts */
function arrange(shell, model, parts) {
  const body = html("div", "body");
  body.append(parts.readouts.node, parts.slider.node, parts.elsewhere.node, ...belowSlider(model, parts));
  shell.replaceChildren(body);
}

/** All parts but the readouts and the slider. @param {Model} model @param {Parts} parts */
export function belowSlider(model, parts) {
  const left = html("div", "column");
  left.append(parts.stages.node);
  const right = html("div", "column");
  right.append(parts.curve.node, parts.shares.node);
  const columns = html("div", "columns");
  columns.append(left, right);
  const footnote = model.footnote ? [html("p", "footnote", {}, model.footnote)] : [];
  return [parts.next.node, parts.guide.node, columns, ...footnote, parts.byHand.node, parts.story.node];
}
