// @ts-check
/** The report: mounts the live panel on the numbers in the page; on paper everything is light. */

import { mount } from "../live/panel.js";
import { unpack } from "../live/bytes.js";

const element = (id) => /** @type {HTMLElement} */ (document.getElementById(id));
const paper = matchMedia("print");
const dress = (printed) => {
  if (printed) document.documentElement.dataset.theme = "paper";
  else delete document.documentElement.dataset.theme;
};
addEventListener("beforeprint", () => dress(true));
addEventListener("afterprint", () => dress(false));
paper.addEventListener("change", () => dress(paper.matches));

try {
  const data = await unpack(JSON.parse(element("data").textContent ?? ""));
  mount(element("panel"), data);
} catch (error) {
  element("trouble").hidden = false;
  throw error;
}
