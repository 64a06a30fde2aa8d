// @ts-check
/**
 * The numbers behind a chart: what lies under the pointer, a finger or the keyboard's focus, in words beside it.
 *
 * A chart that answers is given `find(x, y)`, the thing at a place in its drawing, and `step(thing, by)`, the thing that
 * the arrow keys reach; a thing is {key, x, y, text, open}, `open` being what a click tells the host.
 */

import { html } from "./elements.js";

/** One note for a whole panel. @param {HTMLElement} shell */
export function noteOf(shell) {
  const node = html("div", "note-beside", { role: "status" });
  node.hidden = true;
  shell.append(node);
  const hide = () => (node.hidden = true);
  /** @param {Element} drawing @param {{x: number, y: number, text: string}} thing */
  const show = (drawing, { x, y, text }) => {
    node.textContent = text;
    node.hidden = false;
    const [inner, outer] = [drawing.getBoundingClientRect(), shell.getBoundingClientRect()];
    const zoom = outer.width / (shell.clientWidth || outer.width);
    const left = (inner.left - outer.left) / zoom + x - node.offsetWidth / 2;
    const top = (inner.top - outer.top) / zoom + y - node.offsetHeight - 10;
    node.style.left = `${Math.min(shell.clientWidth - node.offsetWidth, Math.max(0, left)).toFixed(0)}px`;
    node.style.top = `${top.toFixed(0)}px`;
  };
  return { show, hide };
}

/**
 * Have a chart answer.
 * @param {HTMLElement | SVGElement} area what listens, and has the focus
 * @param {Element} drawing
 * @param {{find: (x: number, y: number) => any, step: (thing: any, by: number) => any}} chart
 * @param {{note: any, tell: ?((what: object) => void), held: () => boolean}} panel
 */
export function answering(area, drawing, chart, { note, tell, held }) {
  const events = new AbortController();
  const on = (name, act) => area.addEventListener(name, act, { signal: events.signal });
  let shown = null;
  const show = (thing) => {
    shown = thing;
    if (thing) note.show(drawing, thing);
    else note.hide();
    area.classList.toggle("cascade-live__opens", Boolean(tell && thing?.open));
  };
  const under = (event) => {
    const box = drawing.getBoundingClientRect();
    const zoom = box.width / (drawing.clientWidth || box.width);
    return chart.find((event.clientX - box.left) / zoom, (event.clientY - box.top) / zoom);
  };
  const open = (thing) => tell && thing?.open && tell(thing.open);
  on("pointermove", (event) => event.pointerType === "mouse" && (held() ? show(null) : show(under(event))));
  on("pointerleave", (event) => event.pointerType === "mouse" && show(null));
  on("click", (event) => {
    if (event.target.closest("[role=slider]")) return; // a handle over the chart
    const thing = under(event);
    // A finger asks first, and opens what it touches again.
    if (event.pointerType === "mouse" || (thing && thing.key === shown?.key)) open(thing);
    else show(thing);
  });
  on("blur", () => show(null));
  on("keydown", (event) => {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (event.target !== area) return;
    if (event.key === "Escape" && shown) show(null);
    else if (event.key === "Enter" && shown) open(shown);
    else if (by) show(chart.step(shown, by));
    else return;
    event.preventDefault();
    event.stopPropagation(); // a presented panel moves its slider by the same keys
  });
  return () => events.abort();
}
