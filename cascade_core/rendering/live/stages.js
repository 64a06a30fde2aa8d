// @ts-check
/** A histogram for each stage: the samples that reach it by confidence, with a threshold that slides. */

import { canvas, html, legend, section, svg, tint } from "./elements.js";
import { offset, reaching } from "./payload.js";
import { niceStep, short } from "./scales.js";
import { behaviour, grouped, rightText } from "./words.js";
/** @import { Model } from "./types.js" */

/** @param {Model} model */
export function stageCharts(model) {
  const { node, head } = section("stages", `${capital(model.unit)} that reach each stage`);
  head.append(stageLegend(model));
  const charts = model.stages.map((_, stage) => stageChart(model, stage));
  node.append(...charts.map((chart) => chart.node));
  const each = (act) => (g) => charts.forEach((chart) => chart[act](g));
  return { node, layout: each("layout"), draw: each("draw"), describe: each("describe") };
}

function capital(text) {
  return text.charAt(0).toUpperCase() + text.slice(1);
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
  const entries = [[leaving, "right, leaves here"]];
  if (model.count > 1) entries.push([swatch("swatch-on"), "right, goes on"]);
  entries.push([model.count > 1 ? swatch("swatch-wrong", "swatch-wrong-on") : swatch("swatch-wrong"), "wrong"]);
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
  node.append(title, drawing);
  let frame = null;
  const layout = () => (frame = stageFrame(model, stage, drawing));
  const draw = (g) => {
    words.textContent = behaviour(model, stage, g);
    tally.textContent = tallyText(model, stage, g);
    if (frame) drawBars(model, stage, g, frame);
  };
  const describe = (g) => drawing.setAttribute("aria-label", stageSentence(model, stage, g));
  return { node, layout, draw, describe };
}

/** @param {Model} model */
function tallyText(model, stage, g) {
  const leave = grouped.format(model.exit_counts[stage][g]);
  return `${leave} of ${grouped.format(reaching(model, stage, g))} leave`;
}

/** @param {Model} model */
function stageSentence(model, stage, g) {
  const leave = model.exit_counts[stage][g];
  const arrivals = `${grouped.format(reaching(model, stage, g))} ${model.unit} arrive`;
  const right = leave ? `, ${rightText(model, stage, g)} of them right` : "";
  const says = `${model.stages[stage]} ${behaviour(model, stage, g)}`;
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
  const box = { left: 34, top: room, width: Math.max(120, drawing.clientWidth - 34), height: tall };
  box.base = box.top + tall;
  canvas(drawing, box.left + box.width, box.base + (last ? 40 : 2));
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
  const ground = svg("path", "ground", { d: `M${box.left} ${box.base + 0.5}H${box.left + box.width}` });
  drawing.append(on, wrongOn, leave, wrong, cut, ground, beyond, flag);
  return { box, edges, on, wrongOn, leave, wrong, cut, beyond, flag };
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

/** Stack each bin, wrong answers lowest: what leaves, then what goes on. @param {Model} model */
function drawBars(model, stage, g, frame) {
  const { bins } = model.histogram;
  const { box, edges } = frame;
  const { full } = model.scales[stage];
  const begin = offset(model, stage, g);
  const leaving = leaveIn(model, stage, g);
  const paths = ["", "", "", ""];
  for (let bin = 0; bin < bins; bin += 1) {
    const right = model.right[begin + bin];
    const wrong = model.wrong[begin + bin];
    if (right + wrong === 0) continue;
    const [rightLeaves, wrongLeaves] = leaving(bin, right, wrong);
    let sum = 0;
    let y = box.base;
    const counts = [wrongLeaves, wrong - wrongLeaves, rightLeaves, right - rightLeaves];
    for (let layer = 0; layer < 4; layer += 1) {
      if (counts[layer] === 0) continue;
      sum += counts[layer];
      const top = box.base - Math.round(10 * Math.min(1, sum / full) * box.height) / 10;
      paths[layer] += `M${edges[bin]} ${y}V${top}H${edges[bin + 1] - 1}V${y}Z`;
      y = top;
    }
  }
  [frame.wrong, frame.wrongOn, frame.leave, frame.on].forEach((path, layer) => path.setAttribute("d", paths[layer]));
  drawMarks(model, stage, g, frame, flagAt(model, stage, g));
}

/**
 * Where the flag of a stage's one threshold stands, in [0, 1]; null where there is none to show.
 * @param {Model} model
 */
function flagAt(model, stage, g) {
  const { flag } = model.histogram;
  return stage === model.count - 1 || !flag ? null : flag[stage][g];
}

/** How many right and wrong answers of a bin leave a stage: (bin, right, wrong) to two counts. @param {Model} model */
function leaveIn(model, stage, g) {
  if (stage === model.count - 1) return (_, right, wrong) => [right, wrong];
  const { leavingRight, leavingWrong } = model;
  if (leavingRight && leavingWrong) {
    const begin = offset(model, stage, g);
    return (bin) => [leavingRight[begin + bin], leavingWrong[begin + bin]];
  }
  // One threshold cuts one bin; what is surer leaves.
  const { bins, partial_right = [], partial_wrong = [] } = model.histogram;
  const at = flagAt(model, stage, g);
  const cut = at === null ? bins : Math.min(bins - 1, Math.floor(at * bins));
  return (bin, right, wrong) => {
    if (bin === cut) return [partial_right[stage][g], partial_wrong[stage][g]];
    return bin > cut ? [right, wrong] : [0, 0];
  };
}

/** The threshold's flag, and the count of a bar that was cut off. */
function drawMarks(model, stage, g, { box, edges, cut, beyond, flag }, at) {
  flag.setAttribute("visibility", at === null ? "hidden" : "visible");
  if (at !== null) flag.setAttribute("transform", `translate(${(box.left + at * box.width).toFixed(1)} 0)`);
  const { tall, full } = model.scales[stage];
  const index = offset(model, stage, g) + tall;
  const count = tall < 0 ? 0 : model.right[index] + model.wrong[index];
  const shown = count > full;
  cut.setAttribute("d", shown ? `M${edges[tall] - 1} ${box.top + 11}L${edges[tall + 1]} ${box.top + 6}` : "");
  beyond.textContent = shown ? `${grouped.format(count)} ${model.unit}` : "";
}
