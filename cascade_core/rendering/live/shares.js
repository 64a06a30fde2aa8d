// @ts-check
/** Where samples leave. */

import { canvas, html, section, svg, tint } from "./elements.js";
import { grouped, percent, rightText } from "./words.js";
/** @import { Model } from "./types.js" */

/** Where samples leave: a bar of shares, and a table that says the same in numbers. @param {Model} model */
export function shares(model) {
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
  const draw = (point) => {
    if (width) drawSegments(model, point, segments, width, letter);
    rows.forEach((row, stage) => shareTexts(model, stage, point).forEach((text, i) => (row[i].textContent = text)));
  };
  const describe = (point) => drawing.setAttribute("aria-label", sharesSentence(model, point));
  return { node, layout, draw, describe };
}

/** @param {Model} model */
function shareTexts(model, stage, point) {
  const leave = point.exits[stage];
  return [percent(leave / model.samples), grouped.format(leave), rightText(point, stage)];
}

/** @param {Model} model */
function sharesSentence(model, point) {
  const each = model.stages.map((name, stage) => `${shareTexts(model, stage, point)[0]} at ${name}`);
  return `Where ${model.unit} leave: ${each.join(", ")}.`;
}

/** @param {Model} model */
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

/** @param {Model} model */
function drawSegments(model, point, segments, width, letter) {
  let before = 0;
  segments.forEach(({ bar, text }, stage) => {
    const share = point.exits[stage] / model.samples;
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
