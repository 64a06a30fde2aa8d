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
 * It imports nothing, fetches nothing, and puts names into the page as text only: names come from files.
 * What it does not do: arithmetic on samples, choosing thresholds, keeping state across page loads.
 */

const SVG = "http://www.w3.org/2000/svg";
const RAMP = 8; // stage colours that live.css defines, early to late
const KEYBOARD_REST = 250; // ms without a key before the position counts as released
const released = new Map(); // panel key -> {id, index}: survives a remount, as Python's state does
const mounts = new WeakMap(); // Streamlit's element -> the panel inside

// ------------------------------------------------------------------------------------ entries

/** Streamlit's entry, called at every rerun and every theme switch with the same parentElement. */
export default function streamlit({ parentElement, data, setStateValue }) {
  const release = (index, id) => {
    released.set(data.panel, { id, index });
    setStateValue("position", { id, index });
  };
  let panel = mounts.get(parentElement);
  if (panel) {
    panel.update(data, release);
  } else {
    const last = released.get(data.panel);
    panel = mount(parentElement, data, release, last?.id === data.id ? last.index : undefined);
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
 * Returns {update(data, onRelease), destroy()}; an update with the same id leaves the slider alone.
 */
export function mount(root, data, onRelease = () => {}, start = data.slider.initial) {
  const shell = html("section", "", { "data-testid": "live-panel", "aria-label": data.slider.label });
  shell.classList.add("cascade-live");
  root.append(shell);
  const release = (index, id) => onRelease(index, id);
  const forgetScheme = followScheme(shell);
  let view = show(shell, data, start, release);
  return {
    update(next, notify = onRelease) {
      onRelease = notify;
      paintScheme(shell);
      if (next.id === view.id) return;
      view.close();
      view = show(shell, next, next.slider.initial, release);
    },
    destroy() {
      view.close();
      forgetScheme();
      shell.remove();
    },
  };
}

// ------------------------------------------------------------------------------------ assembly

/** Build the panel for one payload and keep it current until `close()`. */
function show(shell, data, start, release) {
  const model = prepare(data);
  const parts = {
    readouts: readouts(model),
    slider: slider(model, start),
    stages: stageCharts(model),
    curve: curve(model),
    shares: shares(model),
    story: story(model),
  };
  arrange(shell, model, parts);
  const all = Object.values(parts);
  let position = start;
  const draw = () => all.forEach((part) => part.draw(position));
  const describe = () => all.forEach((part) => part.describe?.(position));
  const stopFitting = keepFitted(shell, () => {
    all.forEach((part) => part.layout?.());
    draw();
  });
  const stopListening = listen(parts.slider.input, {
    move: (index) => ((position = index), draw()),
    settle: (index) => (describe(), release(index, model.id)),
  });
  describe();
  const close = () => (stopFitting(), stopListening(), shell.replaceChildren());
  return { id: data.id, close };
}

function arrange(shell, model, parts) {
  const left = html("div", "column");
  left.append(parts.stages.node);
  const right = html("div", "column");
  right.append(parts.curve.node, parts.shares.node);
  const columns = html("div", "columns");
  columns.append(left, right);
  const body = html("div", "body");
  body.append(parts.readouts.node, parts.slider.node, columns);
  if (model.footnote) body.append(html("p", "footnote", {}, model.footnote));
  body.append(parts.story.node);
  shell.replaceChildren(body);
}

/** Tell `move` of positions at most once a frame, and `settle` of a position that was let go. */
function listen(input, { move, settle }) {
  const events = new AbortController();
  let frame = 0;
  let rest = 0;
  let byKey = false;
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
    clearTimeout(rest); // what the keys left waiting is sent when the pointer lets go
  });
  const rested = () => {
    clearTimeout(rest); // each key press is a change of its own: wait for the last
    rest = setTimeout(letGo, byKey ? KEYBOARD_REST : 0);
  };
  ["change", "pointerup", "pointercancel"].forEach((name) => on(name, rested));
  return () => {
    events.abort();
    clearTimeout(rest);
    cancelAnimationFrame(frame);
  };
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

// ------------------------------------------------------------------------------------ payload

/** The payload with its counts decoded, and what drawing would otherwise look for in every frame. */
function prepare(data) {
  const { histogram, stages } = data;
  const right = decode(histogram.right, histogram.dtype);
  const wrong = decode(histogram.wrong, histogram.dtype);
  const model = { ...data, count: stages.length, positions: data.accuracy.length, right, wrong };
  model.one = singular(data.unit);
  model.score = histogram.label.split(",")[0]; // "confidence, on a scale of nines" -> "confidence"
  model.scales = stages.map((_, stage) => verticalScale(model, stage));
  return model;
}

function decode(text, dtype) {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  return dtype === "uint32" ? new Uint32Array(bytes.buffer) : new Uint16Array(bytes.buffer);
}

/** Where the bins of a stage begin in the counts, at a position. */
function offset(model, stage, g) {
  return (stage * model.positions + g) * model.histogram.bins;
}

/**
 * The count that fills a stage's plot, one for all positions so that bars do not jump in a drag.
 * Saturated softmaxes pile up in one bin; a bar that stands that far above all others is cut off at
 * the top and has its count written beside it (`tall` is its bin), so that the others can be seen.
 */
function verticalScale(model, stage) {
  const { bins } = model.histogram;
  const most = new Array(bins).fill(0);
  for (let i = offset(model, stage, 0), end = i + bins * model.positions; i < end; i += 1) {
    most[i % bins] = Math.max(most[i % bins], model.right[i] + model.wrong[i]);
  }
  const tall = most.indexOf(Math.max(...most));
  const others = Math.max(...most.filter((_, bin) => bin !== tall), 0);
  const cut = others > 0 && most[tall] > 1.5 * others;
  return { full: Math.max(1, cut ? 1.08 * others : most[tall]), tall: cut ? tall : -1 };
}

/** How many samples reach a stage: those that leave there or later. */
function reaching(model, stage, g) {
  let sum = 0;
  for (let later = stage; later < model.count; later += 1) sum += model.exit_counts[later][g];
  return sum;
}

// ------------------------------------------------------------------------------------ words

const grouped = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });
const MAGNITUDES = [
  [1e15, "quadrillion"],
  [1e12, "trillion"],
  [1e9, "billion"],
  [1e6, "million"],
  [1e3, "thousand"],
];

/** A number with a real minus sign, and never "−0.0". */
function fixed(value, digits) {
  const text = Math.abs(value).toFixed(digits);
  return value < 0 && Number(text) !== 0 ? `\u2212${text}` : text;
}

/** A share as a percentage: finer below ten, where one more digit tells something. */
function percent(share) {
  const value = 100 * share;
  return `${fixed(value, Math.abs(value) < 9.95 && value !== 0 ? 1 : 0)} %`;
}

/** "74 of 125.5 million MACs per image". */
function costs(model, cost) {
  const whole = model.baseline.cost;
  const [size, word] = MAGNITUDES.find(([least]) => whole >= least) ?? [1, ""];
  const brief = (value) => String(Number((value / size).toFixed(whole / size < 10 ? 2 : 1)));
  return `${brief(cost)} of ${brief(whole)} ${word} ${model.cost_unit} per ${model.one}`.replace("  ", " ");
}

function singular(noun) {
  return noun.replace(/(?<=[^s])s$/, "");
}

/** A threshold with as many digits as tell it from one: 0.978, 0.99987. */
function confidence(value) {
  if (value <= 0 || value >= 1) return String(Number(value.toPrecision(4))).replace("-", "\u2212");
  const digits = Math.max(3, Math.ceil(-Math.log10(1 - value)) + 1);
  return value.toFixed(digits);
}

/** What a stage does at a position, as the end of a sentence that begins with its name. */
function behaviour(model, stage, g) {
  if (stage === model.count - 1) return "always answers";
  const threshold = model.thresholds[stage][g];
  if (threshold === null) return "never leaves here (head switched off)";
  return `leaves at ${model.score} ${confidence(threshold)} or more`;
}

function sliderText(model, g) {
  const { values, decimals, unit } = model.slider;
  // A bare number is a threshold, and may need more digits than the slider's own.
  return unit ? `${fixed(values[g], decimals)} ${unit}` : confidence(values[g]);
}

function rightText(model, stage, g) {
  const leave = model.exit_counts[stage][g];
  if (leave === 0) return "\u2013";
  const share = (100 * model.correct_counts[stage][g]) / leave;
  return `${share === 100 ? 100 : fixed(share, 1)} %`;
}

/** The four readouts at a position: number, its unit, what it is, what it is measured against. */
function readoutTexts(model, g) {
  const [drop, low, high] = [model.drop[g], model.drop_low[g], model.drop_high[g]].map((x) => 100 * x);
  const change = fixed(-drop, 1);
  const gain = drop < 0 && Number(change) !== 0;
  const [from, to] = gain ? [-high, -low] : [low, high];
  const saving = model.saving[g];
  const share = percent(Math.abs(saving)).replace(" %", "");
  const ratio = model.baseline.cost / model.cost[g];
  const times = Math.max(ratio, 1 / ratio);
  const factor = times.toFixed(times < 9.995 ? 2 : 1);
  const compared = Number(factor) === 1 ? "the same" : ratio < 1 ? "more" : "less";
  const early = 1 - model.exit_counts[model.count - 1][g] / model.samples;
  const plain = `${model.baseline.label} ${fixed(100 * model.baseline.accuracy, 1)} %`;
  const interval = `${fixed(100 * model.level, 0)} % interval ${fixed(from, 1)} to ${fixed(to, 1)}`;
  return [
    [fixed(100 * model.accuracy[g], 1), "%", "accuracy", plain],
    [gain ? `+${change}` : change, "points", gain ? "accuracy gained" : "accuracy given up", interval],
    [share, "%", saving < 0 ? "more computation" : "computation saved", costs(model, model.cost[g])],
    [factor, "\u00d7", `${compared} to compute`, `${percent(early)} of ${model.unit} leave early`],
  ];
}

// ------------------------------------------------------------------------------------ elements

function html(tag, name, attributes = {}, text = "") {
  const node = document.createElement(tag);
  if (name) node.className = `cascade-live__${name}`;
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  if (text) node.textContent = text;
  return node;
}

function svg(tag, name, attributes = {}, text = "") {
  const node = document.createElementNS(SVG, tag);
  if (name) node.setAttribute("class", `cascade-live__${name}`);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  if (text) node.textContent = text;
  return node;
}

/** Give everything inside `node` the colour of a stage; equal for all panels with as many stages. */
function tint(node, model, stage) {
  const step = model.count === 1 ? RAMP - 1 : Math.round(((RAMP - 1) * stage) / (model.count - 1));
  node.style.setProperty("--cascade-live-stage", `var(--cascade-live-ramp-${step})`);
  node.style.setProperty("--cascade-live-ink", `var(--cascade-live-ink-${step})`);
  return node;
}

/** An SVG of a given size in pixels, emptied, so that text keeps its size at every width. */
function canvas(drawing, width, height) {
  drawing.setAttribute("viewBox", `0 0 ${width} ${height}`);
  drawing.setAttribute("height", height);
  drawing.replaceChildren();
}

function section(name, title) {
  const node = html("div", name);
  const head = html("div", "head");
  head.append(html("h3", "title", {}, title));
  node.append(head);
  return { node, head };
}

function legend(entries) {
  const node = html("div", "legend");
  for (const [mark, text] of entries) {
    const entry = html("span", "legend-entry");
    entry.append(mark, document.createTextNode(text));
    node.append(entry);
  }
  return node;
}

// ------------------------------------------------------------------------------------ readouts

function readouts(model) {
  const node = html("div", "readouts", { "data-testid": "live-readout" });
  const cells = readoutTexts(model, 0).map(() => {
    const cell = html("div", "readout");
    const value = html("div", "value");
    const texts = [html("span", "number"), html("span", "unit"), html("div", "caption"), html("div", "note")];
    value.append(texts[0], texts[1]);
    cell.append(value, texts[2], texts[3]);
    node.append(cell);
    return texts;
  });
  const draw = (g) => {
    readoutTexts(model, g).forEach((texts, i) => texts.forEach((text, j) => (cells[i][j].textContent = text)));
    node.dataset.accuracy = String(model.accuracy[g]);
    node.dataset.drop = String(model.drop[g]);
    node.dataset.saving = String(model.saving[g]);
    node.dataset.position = String(g);
    node.dataset.value = String(model.slider.values[g]);
  };
  return { node, draw };
}

/** The sentence that a screen reader speaks once the slider rests. */
function story(model) {
  const node = html("p", "unseen", { "aria-live": "polite" });
  const describe = (g) => {
    const [accuracy, drop, saving, times] = readoutTexts(model, g);
    const results = [
      `accuracy ${accuracy[0]} %`,
      `${drop[0].replace(/^[+\u2212]/, "")} points ${drop[2].replace("accuracy ", "")}`,
      `${saving[0]} % ${saving[2]}`,
      times[3],
    ];
    node.textContent = `At ${model.slider.label} ${sliderText(model, g)}: ${results.join(", ")}.`;
  };
  return { node, draw: () => {}, describe };
}

// ------------------------------------------------------------------------------------ slider

function slider(model, start) {
  const { label, ticks, help } = model.slider;
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
  node.append(html("p", "slider-label", { "aria-hidden": "true" }, label), rail, sliderTicks(ticks, last));
  if (help) node.append(html("p", "help", {}, help));
  node.hidden = last === 0; // one position: nothing to choose
  const layout = () => {
    value.textContent = sliderText(model, last);
    node.classList.remove("cascade-live__slider--narrow");
    node.classList.toggle("cascade-live__slider--narrow", bubble.offsetWidth > rail.clientWidth);
    node.style.setProperty("--cascade-live-half-bubble", `${bubble.offsetWidth / 2}px`);
  };
  const draw = (g) => {
    node.style.setProperty("--cascade-live-at", g / Math.max(1, last));
    value.textContent = sliderText(model, g);
    input.setAttribute("aria-valuetext", sliderText(model, g));
  };
  return { node, input, layout, draw };
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

// ------------------------------------------------------------------------------------ stages

function stageCharts(model) {
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

/** One stage: its name, what it does, and the samples that reach it by confidence. */
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

function tallyText(model, stage, g) {
  const leave = grouped.format(model.exit_counts[stage][g]);
  return `${leave} of ${grouped.format(reaching(model, stage, g))} leave`;
}

function stageSentence(model, stage, g) {
  const leave = model.exit_counts[stage][g];
  const arrivals = `${grouped.format(reaching(model, stage, g))} ${model.unit} arrive`;
  const right = leave ? `, ${rightText(model, stage, g)} of them right` : "";
  const says = `${model.stages[stage]} ${behaviour(model, stage, g)}`;
  return `Histogram. ${says}: ${arrivals} and ${grouped.format(leave)} leave${right}.`;
}

/** Everything of a histogram that stays while the slider moves, and the paths and marks that do not. */
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

/** A count that fits beside an axis: 250, 1.5k, 2M. */
function short(count) {
  if (count < 1e3) return String(count);
  return count < 1e6 ? `${Number((count / 1e3).toFixed(1))}k` : `${Number((count / 1e6).toFixed(1))}M`;
}

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

/** Stack each bin, wrong answers lowest: what leaves, then what goes on (only one bin has both). */
function drawBars(model, stage, g, frame) {
  const { bins, flag, partial_right, partial_wrong } = model.histogram;
  const { box, edges } = frame;
  const at = stage === model.count - 1 ? -1 : flag[stage][g];
  const split = at === null ? bins : at < 0 ? -1 : Math.min(bins - 1, Math.floor(at * bins));
  const { full } = model.scales[stage];
  const begin = offset(model, stage, g);
  const paths = ["", "", "", ""];
  for (let bin = 0; bin < bins; bin += 1) {
    const right = model.right[begin + bin];
    const wrong = model.wrong[begin + bin];
    if (right + wrong === 0) continue;
    const rightLeaves = bin > split ? right : bin < split ? 0 : partial_right[stage][g];
    const wrongLeaves = bin > split ? wrong : bin < split ? 0 : partial_wrong[stage][g];
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
  drawMarks(model, stage, g, frame, at);
}

/** The threshold's flag, and the count of a bar that was cut off. */
function drawMarks(model, stage, g, { box, edges, cut, beyond, flag }, at) {
  flag.setAttribute("visibility", at === null || at < 0 ? "hidden" : "visible");
  if (at !== null && at >= 0) flag.setAttribute("transform", `translate(${(box.left + at * box.width).toFixed(1)} 0)`);
  const { tall, full } = model.scales[stage];
  const index = offset(model, stage, g) + tall;
  const count = tall < 0 ? 0 : model.right[index] + model.wrong[index];
  const shown = count > full;
  cut.setAttribute("d", shown ? `M${edges[tall] - 1} ${box.top + 11}L${edges[tall + 1]} ${box.top + 6}` : "");
  beyond.textContent = shown ? `${grouped.format(count)} ${model.unit}` : "";
}

/** The largest 1, 2 or 5 times a power of ten that is not above `most`. */
function niceStep(most) {
  const power = 10 ** Math.floor(Math.log10(most));
  return [5, 2, 1].map((n) => n * power).find((step) => step <= most * 1.001);
}

// ------------------------------------------------------------------------------------ curve

function curve(model) {
  const { node } = section("curve", "Accuracy against computation");
  const drawing = svg("svg", "plot", { role: "img" });
  const below = html("div", "below");
  node.append(drawing, below);
  let spot = null;
  const layout = () => (spot = curveFrame(model, drawing, below));
  const draw = (g) => {
    if (!spot) return;
    const x = spot.x(model.cost[g] / model.baseline.cost).toFixed(1);
    const y = spot.y(model.accuracy[g]).toFixed(1);
    spot.point.setAttribute("transform", `translate(${x} ${y})`);
    spot.guides.setAttribute("d", `M${spot.left} ${y}H${x}V${spot.bottom}`);
  };
  const describe = (g) => drawing.setAttribute("aria-label", curveSentence(model, g));
  return { node, layout, draw, describe };
}

function curveSentence(model, g) {
  const here = `${fixed(100 * model.accuracy[g], 1)} % accuracy at ${percent(model.cost[g] / model.baseline.cost)}`;
  const plain = `the ${model.baseline.label} has ${fixed(100 * model.baseline.accuracy, 1)} % at 100 %`;
  return `Accuracy against ${model.cost_unit}. Here: ${here} of the ${model.cost_unit}; ${plain}.`;
}

/** Axes, band, line, reference points and their labels; returns the scales and what moves. */
function curveFrame(model, drawing, below) {
  const width = Math.max(200, drawing.clientWidth);
  const height = width < 380 ? 250 : 290;
  const area = { left: 46, right: width - 8, top: 10, bottom: height - 42 };
  canvas(drawing, width, height);
  const points = pathPoints(model);
  const marks = references(model);
  const { x, y } = curveScales(model, points, marks, area);
  drawing.append(...curveAxes(model, x, y, area));
  const line = (ends) => ends.map(([a, b]) => `${x(a).toFixed(1)} ${y(b).toFixed(1)}`).join("L");
  const upper = points.map((p) => [p.cost, p.high]);
  const lower = points.map((p) => [p.cost, p.low]).reverse();
  drawing.append(svg("path", "band", { d: `M${line([...upper, ...lower])}Z` }));
  drawing.append(svg("path", "line", { d: `M${line(points.map((p) => [p.cost, p.accuracy]))}` }));
  const guides = svg("path", "guides");
  const point = svg("circle", "point", { r: 7.5 });
  drawing.append(guides);
  labelReferences(drawing, below, marks, points, x, y, area);
  drawing.append(point);
  return { x, y, left: area.left, bottom: area.bottom, guides, point };
}

/** The positions as points of the curve, cheapest first. */
function pathPoints(model) {
  const plain = model.baseline.accuracy;
  const all = model.cost.map((cost, g) => ({
    cost: cost / model.baseline.cost,
    accuracy: model.accuracy[g],
    low: plain - model.drop_high[g],
    high: plain - model.drop_low[g],
  }));
  return all.sort((a, b) => a.cost - b.cost || a.accuracy - b.accuracy);
}

const SHAPES = {
  circle: "M-5 0A5 5 0 1 0 5 0A5 5 0 1 0 -5 0Z",
  star: "M0 -7.5L1.9 -2.6L7.1 -2.3L3.1 1L4.4 6.1L0 3.2L-4.4 6.1L-3.1 1L-7.1 -2.3L-1.9 -2.6Z",
  published: ["M0 -5.5L5.5 0L0 5.5L-5.5 0Z", "M-4.5 -4.5H4.5V4.5H-4.5Z", "M0 -5.5L5.5 4.5H-5.5Z"],
};

/** What the curve is compared with: groups of points that share a label and a shape. */
function references(model) {
  const { published = [], oracle } = model.curve;
  const plain = { cost: 1, accuracy: model.baseline.accuracy };
  const groups = [{ label: model.baseline.label, shape: SHAPES.circle, name: "plain", points: [plain] }];
  if (oracle && model.count > 1) {
    const point = { ...oracle, text: "leaves at the first stage that is right" };
    groups.push({ label: "oracle", shape: SHAPES.star, name: "oracle", points: [point] });
  }
  published.forEach(({ label, points }, i) => {
    groups.push({ label, shape: SHAPES.published[i % SHAPES.published.length], name: "published", points });
  });
  return groups.filter((group) => group.points.length > 0);
}

function curveScales(model, points, marks, area) {
  const others = marks.flatMap((group) => group.points);
  const [left, right] = spread([...points, ...others].map((p) => p.cost), 0.1, 0.04);
  const heights = [...points.flatMap((p) => [p.low, p.high]), ...others.map((p) => p.accuracy)];
  const [bottom, top] = spread(heights, 0.01, 0.05);
  return { x: scale(left, right, area.left, area.right), y: scale(bottom, top, area.bottom, area.top) };
}

/** The linear map that takes from..to to begin..end, and knows from and to. */
function scale(from, to, begin, end) {
  const map = (value) => begin + ((value - from) / (to - from)) * (end - begin);
  return Object.assign(map, { from, to });
}

/** The range of values, at least `least` wide, with a margin on both sides. */
function spread(values, least, margin) {
  const low = Math.min(...values);
  const high = Math.max(...values);
  const room = Math.max(0, least - (high - low)) / 2 + margin * Math.max(least, high - low);
  return [low - room, high + room];
}

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

/** Round numbers from `from` to `to`, about `wanted` of them and rather more than fewer. */
function ticksOf(from, to, wanted) {
  const step = niceStep((to - from) / Math.max(2, wanted));
  const first = Math.ceil(from / step);
  const count = Math.floor(to / step) - first + 1;
  return Array.from({ length: Math.max(0, count) }, (_, i) => Number(((first + i) * step).toPrecision(8)));
}

/** Draw the marks, and write each group's label where nothing else is; what finds no room goes below. */
function labelReferences(drawing, below, marks, points, x, y, area) {
  const taken = points.flatMap((p) => [p.low, p.accuracy, p.high].map((v) => around(x(p.cost), y(v), 3)));
  for (const group of marks) {
    for (const p of group.points) {
      const transform = `translate(${x(p.cost).toFixed(1)} ${y(p.accuracy).toFixed(1)})`;
      const mark = svg("path", group.name, { d: group.shape, transform });
      const where = `${fixed(100 * p.accuracy, 2)} % at ${fixed(100 * p.cost, 1)} %`;
      mark.append(svg("title", "", {}, [group.label, p.text, where].filter(Boolean).join(", ")));
      drawing.append(mark);
      taken.push(around(x(p.cost), y(p.accuracy), 8));
    }
  }
  const homeless = marks.filter((group) => !placeLabel(drawing, group, taken, x, y, area));
  below.replaceChildren(legend(homeless.map((group) => [legendMark(group), group.label])));
}

function legendMark(group) {
  const drawing = svg("svg", "mark", { viewBox: "-8 -8 16 16", width: 14, height: 14, "aria-hidden": "true" });
  drawing.append(svg("path", group.name, { d: group.shape }));
  return drawing;
}

const around = (x, y, r) => ({ left: x - r, right: x + r, top: y - r, bottom: y + r });
const meet = (a, b) => a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;

function placeLabel(drawing, group, taken, x, y, area) {
  const text = svg("text", "label", {}, group.label);
  drawing.append(text);
  const width = text.getComputedTextLength();
  for (const gap of [11, 20]) {
    for (const p of group.points) {
      for (const box of surroundings(x(p.cost), y(p.accuracy), width, gap)) {
        const inside = box.left >= area.left + 2 && box.right <= area.right && box.top >= 0 && box.bottom <= area.bottom - 2;
        if (!inside || taken.some((other) => meet(box, other))) continue;
        text.setAttribute("x", box.left.toFixed(1));
        text.setAttribute("y", (box.bottom - 4).toFixed(1));
        taken.push(box);
        return true;
      }
    }
  }
  text.remove();
  return false;
}

/** Boxes for a label of a given width beside a point, the most pleasing first. */
function surroundings(x, y, width, gap) {
  const box = (left, middle) => ({ left, right: left + width, top: middle - 8, bottom: middle + 8 });
  const beside = [box(x + gap, y), box(x - gap - width, y)];
  const shifts = [0.5, 0.85, 0.15, 1, 0];
  const stacked = [y + gap + 7, y - gap - 7].flatMap((middle) => shifts.map((part) => box(x - part * width, middle)));
  return [...beside, ...stacked];
}

// ------------------------------------------------------------------------------------ shares

/** Where samples leave: a bar of shares, and a table that says the same in numbers. */
function shares(model) {
  const { node } = section("shares", `Where ${model.unit} leave`);
  const drawing = svg("svg", "plot", { role: "img" });
  const { table, rows } = shareTable(model);
  node.append(drawing, table);
  let width = 0;
  let letter = 0;
  const segments = model.stages.map((_, stage) => {
    const group = tint(svg("g", ""), model, stage);
    const bar = svg("rect", "segment", { y: 0, height: 44, rx: 3 });
    const text = svg("text", "segment-text", { y: 27, "text-anchor": "middle" });
    group.append(bar, text);
    return { group, bar, text };
  });
  const layout = () => {
    width = Math.max(120, drawing.clientWidth);
    canvas(drawing, width, 44);
    drawing.append(...segments.map((segment) => segment.group));
    letter = letterWidth(segments[0].text);
  };
  const draw = (g) => {
    if (width) drawSegments(model, g, segments, width, letter);
    rows.forEach((row, stage) => shareTexts(model, stage, g).forEach((text, i) => (row[i].textContent = text)));
  };
  const describe = (g) => drawing.setAttribute("aria-label", sharesSentence(model, g));
  return { node, layout, draw, describe };
}

function shareTexts(model, stage, g) {
  const leave = model.exit_counts[stage][g];
  return [percent(leave / model.samples), grouped.format(leave), rightText(model, stage, g)];
}

function sharesSentence(model, g) {
  const each = model.stages.map((name, stage) => `${shareTexts(model, stage, g)[0]} at ${name}`);
  return `Where ${model.unit} leave: ${each.join(", ")}.`;
}

function shareTable(model) {
  const table = html("table", "table");
  const top = html("tr", "");
  top.append(...["stage", "share", model.unit, "right"].map((text) => html("th", "", { scope: "col" }, text)));
  const body = html("tbody", "");
  const rows = model.stages.map((name, stage) => {
    const row = tint(html("tr", ""), model, stage);
    const heading = html("th", "", { scope: "row" });
    heading.append(html("span", "dot"), name);
    const cells = [html("td", "share"), html("td", ""), html("td", "")];
    row.append(heading, ...cells);
    body.append(row);
    return cells;
  });
  const head = html("thead", "");
  head.append(top);
  table.append(head, body);
  return { table, rows };
}

/** The mean width of a letter of a percentage, so that drawing need not measure. */
function letterWidth(text) {
  text.textContent = "100 %";
  return text.getComputedTextLength() / text.textContent.length;
}

function drawSegments(model, g, segments, width, letter) {
  let before = 0;
  segments.forEach(({ bar, text }, stage) => {
    const share = model.exit_counts[stage][g] / model.samples;
    const left = before * width;
    const size = Math.max(0, share * width - (before + share < 0.9999 ? 2 : 0));
    before += share;
    bar.setAttribute("x", left.toFixed(1));
    bar.setAttribute("width", size.toFixed(1));
    text.setAttribute("x", (left + size / 2).toFixed(1));
    const label = percent(share);
    text.textContent = size > letter * label.length + 6 ? label : "";
  });
}

// ------------------------------------------------------------------------------------ theme

/** Mark the panel light or dark by what lies behind it; Streamlit and a report announce it differently. */
function paintScheme(shell) {
  shell.dataset.scheme = luminance(backdrop(shell)) < 0.4 ? "dark" : "light";
}

function followScheme(shell) {
  const paint = () => paintScheme(shell);
  const wish = matchMedia("(prefers-color-scheme: dark)");
  wish.addEventListener("change", paint);
  const observer = new MutationObserver(paint);
  const watched = { attributes: true, attributeFilter: ["class", "style", "data-theme"] };
  [document.documentElement, document.body].forEach((node) => observer.observe(node, watched));
  paint();
  return () => (wish.removeEventListener("change", paint), observer.disconnect());
}

/** [red, green, blue, alpha] of the nearest opaque background, or of the page's own. */
function backdrop(node) {
  for (let at = node; at; at = at.parentElement ?? at.getRootNode().host) {
    const parts = getComputedStyle(at).backgroundColor.match(/[\d.]+/g)?.map(Number) ?? [];
    if (parts.length >= 3 && (parts[3] ?? 1) > 0.5) return parts;
  }
  const dark = getComputedStyle(document.documentElement).colorScheme.includes("dark");
  return dark && matchMedia("(prefers-color-scheme: dark)").matches ? [0, 0, 0] : [255, 255, 255];
}

function luminance([red, green, blue]) {
  const linear = (c) => (c <= 10 ? c / 3294 : ((c / 255 + 0.055) / 1.055) ** 2.4);
  return 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue);
}
