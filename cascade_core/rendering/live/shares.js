// @ts-check
/** Where samples leave. */

import { html, section, tint } from "./elements.js";
import { flowPicture } from "./flow.js";
import { grouped, percent, rightText } from "./words.js";
/** @import { Model } from "./types.js" */

/** Where samples leave: a picture of how they flow, and a table that says the same in numbers. @param {Model} model */
export function shares(model) {
  const { node } = section("shares", `Where ${model.unit} leave`);
  const picture = flowPicture(model);
  const { table, rows } = shareTable(model);
  node.append(picture.drawing, table);
  const draw = (point) => {
    picture.draw(point);
    rows.forEach((row, stage) => shareTexts(model, stage, point).forEach((text, i) => (row[i].textContent = text)));
  };
  return { ...picture, node, draw };
}

/** @param {Model} model */
function shareTexts(model, stage, point) {
  const leave = point.exits[stage];
  return [percent(leave / model.samples), grouped.format(leave), rightText(point, stage)];
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
