// @ts-check
/**
 * The comparison's chart: curves of several runs and policies with their names at their ends.
 *
 * Colours are of runs, dashes of policies.  A name stands at its curve's cheap end if there is room, else at its other
 * end or along it, else below the chart; never on another name or mark.  A pointer that moves over the chart has the
 * nearest point read out below.  Names come from files: they are put into the page as text only.
 */

import { keepFitted } from "../live/fitting.js";
import { canvas, html, svg } from "../live/elements.js";
import { keptAlive } from "../live/hosting.js";
import { boxAround, boxesAlong, placeLabelAt } from "../live/labels.js";
import { scale, spread, ticksOf } from "../live/scales.js";
import { followScheme, paintScheme } from "../live/scheme.js";
import { capital, change, fixed, percent } from "../live/words.js";

const NARROW_CHART = 520; // px
const [CERTAIN, MEAN] = ["5 3", "1.5 2.5"]; // dashes of thin lines; those of policies are thick
const NEAR_POINTER = 60; // px from a pointer to a point that it means
const SQUARE = "M-5 -5H5V5H-5Z";
const STAR = "M0 -7.5L1.9 -2.6L7.1 -2.3L3.1 1L4.4 6.1L0 3.2L-4.4 6.1L-3.1 1L-7.1 -2.3L-1.9 -2.6Z";
const DIAMOND = "M0 -5.5L5.5 0L0 5.5L-5.5 0Z";
const READ_HINT = "Point at a curve, or touch it, for its numbers.";
const charts = new WeakMap(); // Streamlit's element -> the chart inside

/** Streamlit's entry, called at every rerun and every theme switch with the same parentElement. */
export default function comparisonChart({ parentElement, data }) {
  return keptAlive(charts, parentElement, () => mountChart(parentElement, data), (chart) => chart.update(data));
}

/** Show what `comparison_data` of data.py made inside `root`; returns {update(data), destroy()}. */
export function mountChart(root, data) {
  const shell = html("section", "", { "data-testid": "comparison-chart", "aria-label": "Runs and policies compared" });
  shell.classList.add("cascade-live");
  const drawing = svg("svg", "plot", { role: "img" });
  const reading = html("p", "reading", { "data-testid": "comparison-reading" }, READ_HINT);
  const below = html("div", "keys");
  shell.append(drawing, reading, below);
  root.append(shell);
  const forgetScheme = followScheme(shell);
  let frame = null;
  const fit = () => (frame = drawComparison(drawing, below, data));
  const stopReading = readUnderPointer(drawing, reading, () => frame);
  const stopFitting = keepFitted(shell, fit);
  return {
    update(next) {
      paintScheme(shell);
      if (JSON.stringify(next) === JSON.stringify(data)) return;
      data = next;
      fit();
    },
    destroy() {
      stopReading();
      stopFitting();
      forgetScheme();
      shell.remove();
    },
  };
}

/** Everything that does not move; returns the scales and the curves in pixels, and what follows a pointer. */
function drawComparison(drawing, below, data) {
  const width = Math.max(240, drawing.clientWidth);
  const height = width < NARROW_CHART ? 380 : 470;
  const area = { left: 46, right: width - 8, top: 10, bottom: height - 42 };
  canvas(drawing, width, height);
  drawing.setAttribute("aria-label", comparisonSentence(data));
  const { x, y } = comparisonScales(data, area);
  drawing.append(...comparisonAxes(data, x, y, area));
  const curves = data.curves.map((one) => ({ ...one, ends: one.cost.map((cost, i) => [x(cost), y(one.accuracy[i])]) }));
  for (const one of curves) drawing.append(...bandsOf(one, x, y));
  for (const one of curves) drawing.append(runLine(one, lineOf(one.ends)));
  const marks = drawRunMarks(drawing, data, x, y);
  const homeless = nameCurves(drawing, curves, marks, area);
  below.replaceChildren(...comparisonKeys(data, homeless));
  const spot = svg("circle", "run-spot", { r: 6, visibility: "hidden" });
  drawing.append(spot);
  return { curves, spot, width };
}

function comparisonSentence(data) {
  const told = data.curves.map((one) => {
    const best = one.saving.reduce((most, saving, i) => (one.drop[i] <= 0.01 && saving > one.saving[most] ? i : most), one.saving.length - 1);
    return `${one.run}, ${one.policy}: ${fixed(100 * one.accuracy[best], 1)} % at ${costText(data, one.cost[best])}`;
  });
  const { accuracy, given_up } = data.terms;
  return `${capital(accuracy)} against mean cost. Cheapest points with at most one point ${given_up}: ${told.join("; ")}.`;
}

function comparisonScales(data, area) {
  const marks = [...data.runs.flatMap((run) => [run.plain, run.oracle]), ...data.pinned, ...data.published.flatMap((one) => one.points)];
  const costs = [...data.curves.flatMap((one) => [one.cost[0], one.cost.at(-1)]), ...marks.map((one) => one.cost)];
  const heights = data.curves.flatMap((one) => [...one.accuracy, ...(one.certain ?? []), ...(one.spread?.low ?? []), ...(one.spread?.high ?? [])]);
  const [left, right] = spread(costs, data.shares ? 0.1 : 0, 0.04);
  const [bottom, top] = spread([...heights, ...marks.map((one) => one.accuracy)], 0.01, 0.05);
  return { x: scale(left, right, area.left, area.right), y: scale(bottom, top, area.bottom, area.top) };
}

function comparisonAxes(data, x, y, area) {
  const nodes = [];
  const heights = ticksOf(100 * y.from, 100 * y.to, (area.bottom - area.top) / 75);
  const digits = heights.every(Number.isInteger) ? 0 : 1; // no step of an axis is finer than its tenths can tell
  for (const value of heights) {
    const at = Math.round(y(value / 100)) + 0.5;
    nodes.push(svg("path", "grid", { d: `M${area.left} ${at}H${area.right}` }));
    nodes.push(svg("text", "axis", { x: area.left - 6, y: at + 4, "text-anchor": "end" }, `${fixed(value, digits)} %`));
  }
  const factor = data.shares ? 100 : 1;
  for (const value of ticksOf(factor * x.from, factor * x.to, (area.right - area.left) / 110)) {
    const at = x(value / factor);
    if (at < area.left + 14) continue;
    const near = at > area.right - 16; // too near the edge to be centred
    const place = { x: near ? area.right + 8 : at, y: area.bottom + 18, "text-anchor": near ? "end" : "middle" };
    nodes.push(svg("text", "axis", place, costText(data, value / factor)));
  }
  nodes.push(svg("text", "axis", { x: area.right + 8, y: area.bottom + 36, "text-anchor": "end" }, data.axis));
  return nodes;
}

/** A cost as axes and readings have it: a share in percent, or so many of the unit. */
function costText(data, cost) {
  if (data.shares) return percent(cost, cost === Math.round(100 * cost) / 100 ? 0 : 1);
  const [size, letter] = [[1e9, "G"], [1e6, "M"], [1e3, "k"]].find(([least]) => cost >= Number(least)) ?? [1, ""];
  return `${Number((cost / Number(size)).toPrecision(3))}${letter ? ` ${letter}` : ""}`;
}

const lineOf = (ends) => `M${ends.map(([a, b]) => `${a.toFixed(1)} ${b.toFixed(1)}`).join("L")}`;

function coloured(node, { colour }) {
  node.style.setProperty("--cascade-live-run", `var(--cascade-live-run-${colour})`);
  return node;
}

function runLine(one, d) {
  const name = one.looked_at ? "run-line cascade-live__run-line--looked-at" : "run-line";
  return coloured(svg("path", name, { d, "stroke-dasharray": one.dash }), one);
}

/** What a curve is certainly above, a line as on the live panel; and where it lies over splits, a band. */
function bandsOf(one, x, y) {
  const nodes = [];
  if (one.certain) {
    const lower = one.certain.map((value, i) => [x(one.cost[i]), y(value)]);
    nodes.push(svg("path", "run-edge", { d: lineOf(lower), "stroke-dasharray": CERTAIN }));
  }
  if (one.spread) {
    const { cost, low, high, mean } = one.spread;
    const along = (values) => values.map((value, i) => [x(cost[i]), y(value)]);
    nodes.push(svg("path", "run-band", { d: `${lineOf([...along(high), ...along(low).toReversed()])}Z` }));
    nodes.push(svg("path", "run-edge", { d: lineOf(along(mean)), "stroke-dasharray": MEAN }));
  }
  return nodes.map((node) => coloured(node, one));
}

/** Stars, squares, diamonds and numbers; returns the boxes that they take. */
function drawRunMarks(drawing, data, x, y) {
  const boxes = [];
  const mark = (name, shape, at, title) => {
    const node = svg("path", name, { d: shape, transform: `translate(${x(at.cost).toFixed(1)} ${y(at.accuracy).toFixed(1)})` });
    node.append(svg("title", "", {}, `${title}, ${fixed(100 * at.accuracy, 2)} % at ${costText(data, at.cost)}`));
    drawing.append(node);
    boxes.push(boxAround(x(at.cost), y(at.accuracy), 8));
    return node;
  };
  for (const run of data.runs) {
    coloured(mark("run-mark", SQUARE, run.plain, `${run.name}: plain network`), run);
    coloured(mark("run-mark", STAR, run.oracle, `${run.name}: oracle, which leaves at the first stage that is ${data.terms.right}`), run);
  }
  for (const series of data.published) {
    for (const point of series.points) mark("published", DIAMOND, point, `${series.label}, ${point.text}`);
  }
  for (const pin of data.pinned) {
    mark("pin-ring", "M-9 0A9 9 0 1 0 9 0A9 9 0 1 0 -9 0Z", pin, pin.text);
    const place = { x: x(pin.cost), y: y(pin.accuracy) + 4, "text-anchor": "middle" };
    drawing.append(svg("text", "pin-number", place, String(pin.number)));
  }
  return boxes;
}

/** Put each curve's name beside it, first clear of all lines, then at least of names and marks; returns those left. */
function nameCurves(drawing, curves, marks, area) {
  const inner = { ...area, left: area.left + 4, bottom: area.bottom - 4 };
  const names = [];
  const lines = curves.flatMap((one) => boxesAlong(one.ends));
  return curves.filter((one) => {
    const text = coloured(svg("text", "run-name", { "data-run": one.run }, one.label), one);
    const [cheap, rest] = [one.ends.slice(0, 1), along(one.ends)];
    const clear = [...names, ...marks, ...lines];
    const crossing = [...names, ...marks];
    const placed = [[cheap, clear], [rest, clear], [cheap, crossing], [rest, crossing]].some(([points, taken]) => {
      if (!placeLabelAt(drawing, text, points, taken, inner)) return false;
      names.push(taken[taken.length - 1]);
      return true;
    });
    return !placed;
  });
}

/** Some points of a curve, its ends first. */
function along(ends) {
  const last = ends.length - 1;
  return [last, ...[0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9].map((part) => Math.round(part * last))].map((i) => ends[i]);
}

/** Below the chart: dashes of policies, what the marks are, and names that found no room. */
function comparisonKeys(data, homeless) {
  const key = (shape, text) => {
    const entry = html("span", "legend-entry");
    const drawing = svg("svg", "mark", { viewBox: "-14 -8 28 16", width: 26, height: 14, "aria-hidden": "true" });
    drawing.append(shape);
    entry.append(drawing, document.createTextNode(text));
    return entry;
  };
  const line = (dash) => svg("path", "key-line", { d: "M-14 0H14", "stroke-dasharray": dash });
  const rows = [];
  if (homeless.length) rows.push(homeless.map((one) => key(runLine(one, "M-14 0H14"), one.label)));
  if (data.policies.length > 1) rows.push(data.policies.map(({ title, dash }) => key(line(dash), title)));
  const marks = [
    key(svg("path", "key-mark", { d: STAR }), `oracle: leaves at the first stage that is ${data.terms.right}`),
    key(svg("path", "key-mark", { d: SQUARE }), "plain network"),
  ];
  if (data.published.length) marks.push(key(svg("path", "published", { d: DIAMOND }), data.published.map((one) => one.label).join(", ")));
  if (data.pinned.length) marks.push(key(svg("path", "pin-ring", { d: "M-7 0A7 7 0 1 0 7 0A7 7 0 1 0 -7 0Z" }), "pinned, by number"));
  const edge = (dash) => svg("path", "run-edge", { d: "M-14 0H14", "stroke-dasharray": dash });
  if (data.curves.some((one) => one.certain)) marks.push(key(edge(CERTAIN), `the ${data.terms.accuracy} is above this line with ${data.sure} confidence`));
  if (data.curves.some((one) => one.spread)) {
    const band = svg("g", "key-spread");
    band.append(svg("path", "key-band", { d: "M-14 -7H14V7H-14Z" }), edge(MEAN));
    marks.push(key(band, `over split seeds: the mean, and between the ${data.band} quantiles`));
  }
  rows.push(marks);
  return rows.map((entries) => {
    const row = html("div", "legend");
    row.append(...entries);
    return row;
  });
}

/** Have the point nearest to a pointer read out; returns what stops that. */
function readUnderPointer(drawing, reading, frameNow) {
  const events = new AbortController();
  const read = (event) => {
    const frame = frameNow();
    const box = drawing.getBoundingClientRect();
    const found = frame && nearestPoint(frame.curves, event.clientX - box.left, event.clientY - box.top);
    frame?.spot.setAttribute("visibility", found ? "visible" : "hidden");
    reading.textContent = found ? readingText(found) : READ_HINT;
    if (!found) return;
    const [x, y] = found.curve.ends[found.i];
    coloured(frame.spot, found.curve).setAttribute("transform", `translate(${x.toFixed(1)} ${y.toFixed(1)})`);
  };
  const on = (name, act) => drawing.addEventListener(name, act, { signal: events.signal });
  on("pointermove", read);
  on("pointerdown", read);
  return () => events.abort();
}

function nearestPoint(curves, x, y) {
  let best = NEAR_POINTER;
  let found = /** @type {?{curve: any, i: number}} */ (null);
  for (const curve of curves) {
    curve.ends.forEach(([a, b], i) => {
      const distance = Math.hypot(a - x, b - y);
      if (distance >= best) return;
      best = distance;
      found = { curve, i };
    });
  }
  return found;
}

function readingText({ curve, i }) {
  const saved = curve.saving[i];
  const cost = `${percent(Math.abs(saved), 1)} ${saved < 0 ? "added" : "saved"}`;
  return `${curve.run}, ${curve.policy}: ${fixed(100 * curve.accuracy[i], 1)} %, ${change(curve.drop[i], 1, curve.terms)}, ${cost}.`;
}
