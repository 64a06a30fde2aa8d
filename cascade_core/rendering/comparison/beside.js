// @ts-check
/**
 * Two live panels under one slider.
 *
 * The slider is the first panel's.  At each point of the first the second stands at the position whose drop (or saving)
 * is nearest, found among all of its positions; both show exact numbers, and nothing is sent until the slider is let go.
 * Thresholds of either may be set by hand; the second's stay so until the first moves.
 *
 * On a narrow screen the readouts of both come first, then the slider, then one panel's charts below the other's.
 */

import { html } from "../live/elements.js";
import { keptAlive } from "../live/hosting.js";
import { belowSlider, mount } from "../live/panel.js";
import { followScheme, paintScheme } from "../live/scheme.js";
import { differenceText, alikePosition } from "./difference.js";
/** @import { Heard, Payload, Stand, Terms } from "../live/types.js" */

/**
 * @typedef {object} Pair
 * @property {[Payload, Payload]} panels
 * @property {[string, string]} names of run and policy, as the panels are headed
 * @property {[string, string]} called what they are called in a sentence
 * @property {Terms} terms for both
 * @property {"drop" | "cost"} hold what the second has as near as it can to the first
 * @property {Stand} start where the first stands
 * @property {number} turn another turn moves the first to `start`
 */

const pairs = new WeakMap(); // Streamlit's element -> the pair inside

/** Streamlit's entry, called at every rerun and every theme switch with the same parentElement. */
export default function sideBySide({ parentElement, data, setStateValue }) {
  const release = (stand, id) => setStateValue("position", { id, index: stand.g, hand: stand.hand, turn: data.turn });
  return keptAlive(pairs, parentElement, () => mountPair(parentElement, data, release), (pair) => pair.update(data, release));
}

/**
 * Show two payloads inside `root`; `release(stand, id)` is told where the first was let go.
 * @param {Element} root @param {Pair} data @param {Heard["release"]} release
 */
export function mountPair(root, data, release) {
  const shell = html("section", "", { "data-testid": "beside", "aria-label": `${data.names[0]} beside ${data.names[1]}` });
  shell.classList.add("cascade-live", "cascade-live__beside");
  root.append(shell);
  const forgetScheme = followScheme(shell);
  let pair = showPair(shell, data, (stand, id) => release?.(stand, id));
  return {
    update(next, releaseNow) {
      release = releaseNow;
      paintScheme(shell);
      const same = identity(next) === identity(data);
      const moved = next.turn !== data.turn;
      data = next;
      if (!same) {
        pair.close();
        pair = showPair(shell, data, (stand, id) => release?.(stand, id));
      } else if (moved) pair.goTo(data.start);
    },
    destroy() {
      pair.close();
      forgetScheme();
      shell.remove();
    },
  };
}

/** @param {Pair} data */
const identity = ({ panels, names, hold }) => JSON.stringify([panels.map((one) => one.id), names, hold]);

/** @param {Pair} data */
function showPair(shell, data, release) {
  const [heads, charts] = [html("div", "pair"), html("div", "pair")];
  const between = html("div", "between");
  const difference = html("p", "difference", { "data-testid": "beside-difference", "aria-live": "polite" });
  shell.replaceChildren(heads, between, charts);
  const sides = data.names.map((name, side) => {
    const head = html("div", "side", { "data-testid": `beside-head-${side}` });
    const chart = html("div", "side", { "data-testid": `beside-charts-${side}` });
    heads.append(head);
    charts.append(chart);
    return { name, head, chart };
  });
  const place = (side) => (inner, model, parts) => {
    const { name, head, chart } = sides[side];
    head.replaceChildren(html("h3", "title", {}, name), parts.readouts.node);
    if (side === 0) between.replaceChildren(difference, parts.slider.node);
    inner.replaceChildren(html("p", "side-name", { "aria-hidden": "true" }, name), body(belowSlider(model, parts)));
    chart.append(inner);
  };
  const points = [];
  const tell = () => points[0] && points[1] && (difference.textContent = differenceText(data, points[0], points[1]));
  const second = mount(sides[1].chart, data.panels[1], { move: (point) => ((points[1] = point), tell()) }, undefined, place(1));
  const follow = (point) => {
    points[0] = point;
    second.goTo({ g: alikePosition(data.panels[1], point, data.hold), hand: null });
  };
  const settled = (...where) => (second.describe(), release(...where));
  const first = mount(sides[0].chart, data.panels[0], { release: settled, move: follow }, data.start, place(0));
  second.describe();
  return { goTo: first.goTo, close: () => (first.destroy(), second.destroy(), shell.replaceChildren()) };
}

function body(nodes) {
  const node = html("div", "body");
  node.append(...nodes);
  return node;
}
