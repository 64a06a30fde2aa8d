// @ts-check
/** A histogram for each stage: the samples that reach it by confidence, with a threshold that slides. */

import { canvas, html, legend, section, svg, tint } from "./elements.js";
import { reaching } from "./payload.js";
import { axisPlace, niceStep, short } from "./scales.js";
import { behaviour, capital, confidence, grouped, rightText } from "./words.js";
/** @import { Histogram, Model, Point } from "./types.js" */

const FLAG = 8; // pixels that half a flag's head takes beyond the axis

/** @param {Model} model */
export function stageCharts(model) {
  const { node, head } = section("stages", `${capital(model.unit)} that reach each stage`);
  head.append(stageLegend(model));
  const charts = model.stages.map((_, stage) => stageChart(model, stage));
  node.append(...charts.map((chart) => chart.node));
  const each = (act) => (point) => charts.forEach((chart) => chart[act](point));
  const parts = { node, layout: each("layout"), draw: each("draw"), describe: each("describe") };
  const answers = charts.map(({ plot, drawing, numbers }) => ({ area: plot, drawing, chart: numbers }));
  return { ...parts, answers, plots: charts.map((chart) => chart.plot), box: (stage) => charts[stage].box() };
}

/** @param {Model} model */
function stageLegend(model) {
  const swatch = (...names) => {
    const node = html("span", "swatch");
    node.append(...names.map((name) => html("i", name)));
    return node;
  };
  const leaving = html("span", "swatch");
  leaving.append(...model.stages.map((_, stage) => tint(html("i", "swatch-stage"), model, stage)));
  const { right, wrong } = model.terms;
  const entries = [[leaving, `${right}, leaves here`]];
  if (model.count > 1) entries.push([swatch("swatch-on"), `${right}, goes on`]);
  entries.push([model.count > 1 ? swatch("swatch-wrong", "swatch-wrong-on") : swatch("swatch-wrong"), wrong]);
  return legend(entries);
}

/** One stage: its name, what it does, and the samples that reach it by confidence. @param {Model} model */
function stageChart(model, stage) {
  const node = tint(html("div", "stage"), model, stage);
  const words = html("span", "behaviour");
  const tally = html("span", "tally");
  const title = html("div", "stage-head");
  const name = html("strong", "stage-name");
  name.append(html("span", "dot"), model.stages[stage]);
  title.append(name, words, tally);
  const drawing = svg("svg", "plot", { role: "img" });
  const plot = html("div", "plot-box", { tabindex: "0", role: "group" });
  plot.setAttribute("aria-label", `${model.stages[stage]}: left and right arrows read the histogram`);
  plot.append(drawing);
  node.append(title, plot);
  let frame = null;
  let now = null;
  const layout = () => (frame = stageFrame(model, stage, drawing));
  const draw = (point) => {
    now = point;
    words.textContent = behaviour(model, stage, point);
    tally.textContent = tallyText(stage, point);
    if (!frame) return;
    drawBars(model, stage, point, frame);
    drawMarks(model, stage, point, frame);
  };
  const describe = (point) => drawing.setAttribute("aria-label", stageSentence(model, stage, point));
  const numbers = binNumbers(model, stage, () => frame, () => now);
  return { node, plot, drawing, numbers, box: () => frame?.box ?? null, layout, draw, describe };
}

/** What a bin of the histogram holds, as numbers.js asks for it. @param {Model} model */
function binNumbers(model, stage, frame, point) {
  const { bins, edges, low, high } = model.histogram;
  const ends = [low, ...edges, high];
  const thing = (bin) => {
    if (!frame() || bin < 0 || bin >= bins) return null;
    const { box } = frame();
    const counts = point().histogram(stage);
    const open = { kind: "bin", stage, from: ends[bin], to: bin === bins - 1 ? null : ends[bin + 1] };
    const x = box.left + ((bin + 0.5) / bins) * box.width;
    return { key: bin, x, y: box.top, text: binText(model, [ends[bin], ends[bin + 1]], counts, bin), open };
  };
  const find = (x) => frame() && thing(Math.floor(((x - frame().box.left) / frame().box.width) * bins));
  const step = (old, by) => thing(old ? Math.min(bins - 1, Math.max(0, old.key + by)) : by > 0 ? 0 : bins - 1);
  return { find, step };
}

/** @param {Model} model @param {number[]} ends @param {Histogram} counts */
function binText(model, ends, { right, wrong, leaveRight, leaveWrong }, bin) {
  const reach = right[bin] + wrong[bin];
  const leave = leaveRight[bin] + leaveWrong[bin];
  const range = `${model.score} ${confidence(ends[0])} to ${confidence(ends[1])}`;
  if (reach === 0) return `${range}: no ${model.unit}`;
  const whole = leave === reach ? "all leave" : leave === 0 ? "none leaves" : `${grouped.format(leave)} leave`;
  return `${range}: ${grouped.format(reach)} ${model.unit}, ${grouped.format(right[bin])} ${model.terms.right}; ${whole}`;
}

/** @param {Point} point */
function tallyText(stage, point) {
  return `${grouped.format(point.exits[stage])} of ${grouped.format(reaching(point, stage))} leave`;
}

/** @param {Model} model */
function stageSentence(model, stage, point) {
  const leave = point.exits[stage];
  const arrivals = `${grouped.format(reaching(point, stage))} ${model.unit} arrive`;
  const right = leave ? `, ${rightText(point, stage)} of them ${model.terms.right}` : "";
  const says = `${model.stages[stage]} ${behaviour(model, stage, point)}`;
  return `Histogram. ${says}: ${arrivals} and ${grouped.format(leave)} leave${right}.`;
}

/**
 * Everything of a histogram that stays while the slider moves, and the paths and marks that do not.
 * @param {Model} model
 */
function stageFrame(model, stage, drawing) {
  const last = stage === model.count - 1;
  const tall = model.count > 5 ? 56 : model.count > 3 ? 76 : 104;
  const room = model.scales[stage].tall >= 0 ? 22 : last ? 6 : 14; // for a cut bar's count, the flag's head
  const box = { left: 34, top: room, width: Math.max(120, drawing.clientWidth - 34 - FLAG), height: tall };
  box.base = box.top + tall;
  canvas(drawing, box.left + box.width + FLAG, box.base + (last ? 40 : 2));
  drawing.append(...countGrid(model, stage, box), ...confidenceGrid(model, box, last));
  const names = ["bar-on", "bar-wrong-on", "bar-leave", "bar-wrong"];
  const [on, wrongOn, leave, wrong] = names.map((name) => svg("path", name));
  const cut = svg("path", "cut");
  const { tall: bin } = model.scales[stage];
  const { bins } = model.histogram;
  const edges = Array.from({ length: bins + 1 }, (_, i) => box.left + Math.round((i * box.width) / bins));
  const late = bin >= bins / 2; // written towards the middle, where there is room
  const place = { x: edges[late ? bin + 1 : Math.max(bin, 0)], y: 9, "text-anchor": late ? "end" : "start" };
  const beyond = svg("text", "count", place);
  const flag = svg("path", "flag", { d: `M0 ${box.base}V${box.top - 2}M-6 ${box.top - 10}H6L0 ${box.top - 1}Z` });
  const ghost = svg("path", "ghost", { d: `M0 ${box.base}V${box.top - 2}` });
  const ground = svg("path", "ground", { d: `M${box.left} ${box.base + 0.5}H${box.left + box.width}` });
  drawing.append(on, wrongOn, leave, wrong, cut, ground, beyond, ghost, flag);
  return { box, edges, on, wrongOn, leave, wrong, cut, beyond, flag, ghost };
}

/** @param {Model} model */
function countGrid(model, stage, box) {
  const { full } = model.scales[stage];
  const step = Math.max(1, niceStep(full / (box.height > 70 ? 2 : 1.3)));
  const marks = [];
  for (let count = step; count <= full; count += step) {
    const y = box.base - Math.round((count / full) * box.height) + 0.5;
    marks.push(svg("path", "grid", { d: `M${box.left} ${y}H${box.left + box.width}` }));
    marks.push(svg("text", "axis", { x: box.left - 6, y: y + 4, "text-anchor": "end" }, short(count)));
  }
  return marks;
}

/** @param {Model} model */
function confidenceGrid(model, box, labelled) {
  const { ticks, label } = model.histogram;
  const marks = ticks.map(({ at }) => {
    const x = Math.round(box.left + at * box.width) + 0.5;
    return svg("path", "grid", { d: `M${x} ${box.base}v${labelled ? 5 : 3}` });
  });
  if (!labelled) return marks;
  let free = -Infinity;
  for (const { at, text } of ticks) {
    const anchor = at > 0.97 ? "end" : at < 0.03 ? "start" : "middle";
    const x = box.left + at * box.width;
    const size = 7 * text.length;
    const begin = x - { start: 0, middle: 0.5, end: 1 }[anchor] * size;
    if (begin < free) continue;
    free = begin + size + 6;
    marks.push(svg("text", "axis", { x, y: box.base + 18, "text-anchor": anchor }, text));
  }
  marks.push(svg("text", "axis", { x: box.left + box.width, y: box.base + 36, "text-anchor": "end" }, label));
  return marks;
}

/** Stack each bin, wrong answers lowest: what leaves, then what goes on. @param {Model} model @param {Point} point */
function drawBars(model, stage, point, frame) {
  const { bins } = model.histogram;
  const { box, edges } = frame;
  const { full } = model.scales[stage];
  const { right, wrong, leaveRight, leaveWrong } = point.histogram(stage);
  const paths = ["", "", "", ""];
  for (let bin = 0; bin < bins; bin += 1) {
    if (right[bin] + wrong[bin] === 0) continue;
    let sum = 0;
    let y = box.base;
    const [exitRight, exitWrong] = [leaveRight[bin], leaveWrong[bin]];
    const counts = [exitWrong, wrong[bin] - exitWrong, exitRight, right[bin] - exitRight];
    for (let layer = 0; layer < 4; layer += 1) {
      if (counts[layer] === 0) continue;
      sum += counts[layer];
      const top = box.base - Math.round(10 * Math.min(1, sum / full) * box.height) / 10;
      paths[layer] += `M${edges[bin]} ${y}V${top}H${edges[bin + 1] - 1}V${y}Z`;
      y = top;
    }
  }
  [frame.wrong, frame.wrongOn, frame.leave, frame.on].forEach((path, layer) => path.setAttribute("d", paths[layer]));
}

/** The threshold's flag, parked at the end where the exit is off; by hand, also where the policy has it. */
function drawFlags(model, stage, point, { box, flag, ghost }) {
  if (stage === model.count - 1) return [flag, ghost].forEach((mark) => mark.setAttribute("visibility", "hidden"));
  const policy = model.thresholds?.[stage][point.g] ?? null;
  const threshold = point.thresholds?.[stage] ?? null;
  const stand = (mark, value) => {
    const place = value === null ? 1 : axisPlace(model, value);
    mark.setAttribute("transform", `translate(${(box.left + place * box.width).toFixed(1)} 0)`);
  };
  stand(flag, threshold);
  stand(ghost, policy);
  const off = threshold === null;
  flag.setAttribute("visibility", off && !model.cuts ? "hidden" : "visible");
  flag.setAttribute("opacity", off ? "0.35" : "1");
  ghost.setAttribute("visibility", point.byHand && policy !== threshold ? "visible" : "hidden");
}

/** The threshold's flag, and the count of a bar that was cut off. @param {Model} model @param {Point} point */
function drawMarks(model, stage, point, frame) {
  const { box, edges, cut, beyond } = frame;
  drawFlags(model, stage, point, frame);
  const { tall, full } = model.scales[stage];
  const { right, wrong } = point.histogram(stage);
  const count = tall < 0 ? 0 : right[tall] + wrong[tall];
  const shown = count > full;
  cut.setAttribute("d", shown ? `M${edges[tall] - 1} ${box.top + 11}L${edges[tall + 1]} ${box.top + 6}` : "");
  beyond.textContent = shown ? `${grouped.format(count)} ${model.unit}` : "";
}
