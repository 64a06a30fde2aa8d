// @ts-check
/** Accuracy against computation: the path with its band, the moving point, and what it is compared with. */

import { canvas, html, legend, section, svg } from "./elements.js";
import { samePoint } from "./elsewhere.js";
import { boxAround, boxesAlong, placeLabelAt } from "./labels.js";
import { scale, spread, ticksOf } from "./scales.js";
import { capital, fixed, percent, sliderText } from "./words.js";
/** @import { Model } from "./types.js" */

/** @param {Model} model */
export function curve(model) {
  const { node } = section("curve", `${capital(model.terms.accuracy)} against ${model.cost_noun}`);
  const drawing = svg("svg", "plot", { role: "img" });
  const below = html("div", "below");
  const plot = html("div", "plot-box", { tabindex: "0", role: "group" });
  plot.setAttribute("aria-label", "Left and right arrows read the curve");
  plot.append(drawing);
  node.append(plot, below);
  let spot = null;
  const layout = () => (spot = curveFrame(model, drawing, below));
  const draw = (point) => {
    if (!spot) return;
    const x = spot.x(point.cost / model.baseline.cost).toFixed(1);
    const y = spot.y(point.accuracy).toFixed(1);
    spot.point.setAttribute("transform", `translate(${x} ${y})`);
    spot.ghost.setAttribute("visibility", point.byHand ? "visible" : "hidden");
    if (point.byHand) {
      const [from, to] = [spot.x(model.cost[point.g] / model.baseline.cost), spot.y(model.accuracy[point.g])];
      spot.ghost.setAttribute("transform", `translate(${from.toFixed(1)} ${to.toFixed(1)})`);
    }
    if (model.there) {
      const other = samePoint(model.there, point);
      const [across, up] = [spot.x(other.cost / model.there.baseline.cost), spot.y(other.accuracy)];
      spot.there.setAttribute("transform", `translate(${across.toFixed(1)} ${up.toFixed(1)})`);
    }
    spot.guides.setAttribute("d", `M${spot.left} ${y}H${x}V${spot.bottom}`);
  };
  const describe = (point) => drawing.setAttribute("aria-label", curveSentence(model, point));
  const answers = [{ area: plot, drawing, chart: curveNumbers(model, () => spot) }];
  return { node, drawing, answers, spot: () => spot, layout, draw, describe };
}

const NEAR = 14; // pixels from a mark within which it is meant

/** The curve's positions and marks, as numbers.js asks for them. @param {Model} model */
function curveNumbers(model, spot) {
  const at = ({ cost, accuracy }, key, name) => {
    const text = `${name}: ${fixed(100 * accuracy, 2)} % at ${fixed(100 * cost, 1)} % of the ${model.cost_unit}`;
    return { key, x: spot().x(cost), y: spot().y(accuracy), text };
  };
  const position = (g) => {
    const cost = model.cost[g] / model.baseline.cost;
    return at({ cost, accuracy: model.accuracy[g] }, g, sliderText(model, g));
  };
  const named = (label, p) => at(p, `${label} ${p.cost}`, [label, p.text].filter(Boolean).join(", "));
  const marks = () => references(model).flatMap(({ label, points }) => points.map((p) => named(label, p)));
  const find = (x, y) => {
    if (!spot()) return null;
    const mark = marks().find((one) => Math.hypot(one.x - x, one.y - y) < NEAR);
    return mark ?? position(nearestPosition(model, spot(), x, y));
  };
  const step = (old, by) => {
    const from = typeof old?.key === "number" ? old.key : by > 0 ? -1 : model.positions;
    return spot() && position(Math.min(model.positions - 1, Math.max(0, from + by)));
  };
  return { find, step };
}

/** The position whose point is nearest in pixels. @param {Model} model */
export function nearestPosition(model, spot, x, y) {
  let [nearest, least] = [0, Infinity];
  for (let g = 0; g < model.positions; g += 1) {
    const across = spot.x(model.cost[g] / model.baseline.cost) - x;
    const down = spot.y(model.accuracy[g]) - y;
    const away = across * across + down * down;
    if (away < least) [nearest, least] = [g, away];
  }
  return nearest;
}

/** @param {Model} model */
function curveSentence(model, point) {
  const here = `${fixed(100 * point.accuracy, 1)} % ${model.terms.accuracy} at ${percent(point.cost / model.baseline.cost)}`;
  const plain = `the ${model.baseline.label} has ${fixed(100 * model.baseline.accuracy, 1)} % at 100 %`;
  const other = model.there && samePoint(model.there, point);
  const there = other ? ` On ${model.there?.name}: ${fixed(100 * other.accuracy, 1)} %.` : "";
  return `${capital(model.terms.accuracy)} against ${model.cost_unit}. Here: ${here} of the ${model.cost_unit}; ${plain}.${there}`;
}

/** Axes, band, line, reference points and their labels; returns the scales and what moves. @param {Model} model */
function curveFrame(model, drawing, below) {
  const width = Math.max(200, drawing.clientWidth);
  const height = width < 380 ? 250 : 290;
  const area = { left: 46, right: width - 8, top: 10, bottom: height - 42 };
  canvas(drawing, width, height);
  const points = pathPoints(model);
  const thereabouts = model.there ? pathPoints(model.there) : [];
  const marks = references(model);
  const { x, y } = curveScales([...points, ...thereabouts], marks, area);
  drawing.append(...curveAxes(model, x, y, area));
  const line = (ends) => ends.map(([a, b]) => `${x(a).toFixed(1)} ${y(b).toFixed(1)}`).join("L");
  const upper = points.map((p) => [p.cost, p.high]);
  const lower = points.map((p) => [p.cost, p.low]).reverse();
  drawing.append(svg("path", "band", { d: `M${line([...upper, ...lower])}Z` }));
  if (model.certificate) {
    const certain = svg("path", "certain", { d: `M${line(points.map((p) => [p.cost, p.certain]))}` });
    const sure = `${fixed(100 * model.certificate.level, 0)} %`;
    certain.append(svg("title", "", {}, `certified: with ${sure} confidence ${model.terms.accuracy} is above this line everywhere`));
    drawing.append(certain);
  }
  drawing.append(svg("path", "line", { d: `M${line(points.map((p) => [p.cost, p.accuracy]))}` }));
  const there = svg("circle", "point-elsewhere", { r: 6 });
  if (model.there) {
    const path = svg("path", "line-elsewhere", { d: `M${line(thereabouts.map((p) => [p.cost, p.accuracy]))}` });
    path.append(svg("title", "", {}, `the same thresholds on ${model.there.name}`));
    drawing.append(path, there);
  }
  const guides = svg("path", "guides");
  const point = svg("circle", "point", { r: 7.5 });
  drawing.append(guides);
  labelReferences(drawing, below, marks, [...points, ...thereabouts], x, y, area);
  const ghost = svg("circle", "point-ghost", { r: 6.5 });
  drawing.append(ghost, point);
  return { x, y, left: area.left, bottom: area.bottom, guides, point, ghost, there };
}

/** The positions as points of the curve, cheapest first. @param {Model} model */
function pathPoints(model) {
  const plain = model.baseline.accuracy;
  const all = model.cost.map((cost, g) => ({
    cost: cost / model.baseline.cost,
    accuracy: model.accuracy[g],
    low: plain - model.drop_high[g],
    high: plain - model.drop_low[g],
    certain: model.certificate ? plain - model.certificate.drop[g] : model.accuracy[g],
  }));
  return all.sort((a, b) => a.cost - b.cost || a.accuracy - b.accuracy);
}

const SHAPES = {
  circle: "M-5 0A5 5 0 1 0 5 0A5 5 0 1 0 -5 0Z",
  ring: "M-5 0A5 5 0 1 0 5 0A5 5 0 1 0 -5 0ZM-2.5 0A2.5 2.5 0 1 1 2.5 0A2.5 2.5 0 1 1 -2.5 0Z",
  star: "M0 -7.5L1.9 -2.6L7.1 -2.3L3.1 1L4.4 6.1L0 3.2L-4.4 6.1L-3.1 1L-7.1 -2.3L-1.9 -2.6Z",
  published: ["M0 -5.5L5.5 0L0 5.5L-5.5 0Z", "M-4.5 -4.5H4.5V4.5H-4.5Z", "M0 -5.5L5.5 4.5H-5.5Z"],
};

/** What the curve is compared with: groups of points that share a label and a shape. @param {Model} model */
function references(model) {
  const { published = [], oracle } = model.curve;
  const plain = { cost: 1, accuracy: model.baseline.accuracy };
  const groups = [{ label: model.baseline.label, shape: SHAPES.circle, name: "plain", points: [plain] }];
  if (model.there) {
    const other = { cost: 1, accuracy: model.there.baseline.accuracy };
    groups.push({ label: `${model.baseline.label} on ${model.there.name}`, shape: SHAPES.ring, name: "plain", points: [other] });
  }
  if (oracle && model.count > 1) {
    const point = { ...oracle, text: `leaves at the first stage that is ${model.terms.right}` };
    groups.push({ label: "oracle", shape: SHAPES.star, name: "oracle", points: [point] });
  }
  published.forEach(({ label, points }, i) => {
    groups.push({ label, shape: SHAPES.published[i % SHAPES.published.length], name: "published", points });
  });
  return groups.filter((group) => group.points.length > 0);
}

function curveScales(points, marks, area) {
  const others = marks.flatMap((group) => group.points);
  const [left, right] = spread([...points, ...others].map((p) => p.cost), 0.1, 0.04);
  const heights = [...points.flatMap((p) => [p.low, p.high, p.certain]), ...others.map((p) => p.accuracy)];
  const [bottom, top] = spread(heights, 0.01, 0.05);
  return { x: scale(left, right, area.left, area.right), y: scale(bottom, top, area.bottom, area.top) };
}

/** @param {Model} model */
function curveAxes(model, x, y, area) {
  const nodes = [];
  for (const value of ticksOf(100 * y.from, 100 * y.to, (area.bottom - area.top) / 75)) {
    const at = Math.round(y(value / 100)) + 0.5;
    nodes.push(svg("path", "grid", { d: `M${area.left} ${at}H${area.right}` }));
    nodes.push(svg("text", "axis", { x: area.left - 6, y: at + 4, "text-anchor": "end" }, `${value} %`));
  }
  for (const value of ticksOf(100 * x.from, 100 * x.to, (area.right - area.left) / 110)) {
    const at = x(value / 100);
    if (at < area.left + 14) continue;
    const near = at > area.right - 10; // too near the edge to be centred
    const place = { x: near ? area.right + 8 : at, y: area.bottom + 18, "text-anchor": near ? "end" : "middle" };
    nodes.push(svg("text", "axis", place, `${value} %`));
  }
  const title = `${model.cost_unit}, against the ${model.baseline.label}`;
  nodes.push(svg("text", "axis", { x: area.right, y: area.bottom + 36, "text-anchor": "end" }, title));
  return nodes;
}

/** Draw the marks, and write each group's label where nothing else is; what finds no room goes below. */
function labelReferences(drawing, below, marks, points, x, y, area) {
  const taken = ["low", "accuracy", "high", "certain"].flatMap((what) => boxesAlong(points.map((p) => [x(p.cost), y(p[what])])));
  for (const group of marks) {
    for (const p of group.points) {
      const transform = `translate(${x(p.cost).toFixed(1)} ${y(p.accuracy).toFixed(1)})`;
      const mark = svg("path", group.name, { d: group.shape, transform });
      drawing.append(mark);
      taken.push(boxAround(x(p.cost), y(p.accuracy), 8));
    }
  }
  const inner = { left: area.left + 2, right: area.right, top: 0, bottom: area.bottom - 2 };
  const homeless = marks.filter((group) => {
    const text = svg("text", "label", {}, group.label);
    return !placeLabelAt(drawing, text, group.points.map((p) => [x(p.cost), y(p.accuracy)]), taken, inner);
  });
  below.replaceChildren(legend(homeless.map((group) => [legendMark(group), group.label])));
}

function legendMark(group) {
  const drawing = svg("svg", "mark", { viewBox: "-8 -8 16 16", width: 14, height: 14, "aria-hidden": "true" });
  drawing.append(svg("path", group.name, { d: group.shape }));
  return drawing;
}
