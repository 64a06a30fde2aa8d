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
  const area = html("div", "plot-box", { tabindex: "0", role: "group" });
  area.setAttribute("aria-label", "Left and right arrows read where samples leave");
  area.append(picture.drawing);
  node.append(area, table);
  let now = null;
  const answers = [{ area, drawing: picture.drawing, chart: stageNumbers(model, picture, () => now) }];
  const draw = (point) => {
    now = point;
    picture.draw(point);
    rows.forEach((row, stage) => shareTexts(model, stage, point).forEach((text, i) => (row[i].textContent = text)));
  };
  return { ...picture, node, answers, draw };
}

/** The stages of the picture, as numbers.js asks for them. @param {Model} model */
function stageNumbers(model, picture, point) {
  const thing = (stage) => {
    const [share, count, right] = shareTexts(model, stage, point());
    const text = `${count} ${model.unit} leave at ${model.stages[stage]}, ${share} of all; ${right} of them ${model.terms.right}`;
    const x = ((stage + 0.5) * picture.drawing.clientWidth) / model.count;
    return { key: stage, x, y: 0, text, open: { kind: "stage", stage } };
  };
  const within = (stage) => Math.min(model.count - 1, Math.max(0, stage));
  const find = (x) => thing(within(Math.floor((x * model.count) / picture.drawing.clientWidth)));
  return { find, step: (old, by) => thing(within(old ? old.key + by : by > 0 ? 0 : model.count)) };
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
  top.append(...["stage", "share", model.unit, model.terms.right].map((text) => html("th", "", { scope: "col" }, text)));
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
