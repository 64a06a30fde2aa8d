// @ts-check
/**
 * Presenting: the panel fills one screen, in type as large as fits, and keys steer it wherever the focus is.
 *
 * Where type would be small, on a telephone or with many stages, less is shown in its place: `data-fewer` on the panel
 * counts what the style sheet leaves out.
 *
 * Arrows, Home and End move the slider; Page Down, Page Up and Escape press the buttons that the selectors `next`,
 * `previous` and `leave` of `data.presentation` find: the stops of a talk may be of other runs, which Python brings.
 */

import { pressTo } from "./gestures.js";

const LARGEST = 2.5; // of the usual size
const SMALLEST = 0.55;
const READABLE = 0.85; // below, less is shown
const FEWEST = 4; // steps of leaving out
const BELOW = 64; // pixels that are left to a line under the panel
const TRIES = 7; // halvings of the range of sizes: to about a hundredth

export function sameLook(data, view) {
  return JSON.stringify(data.presentation ?? null) === JSON.stringify(view.presentation ?? null);
}

/** Call `fit` at the largest size at which the panel is no higher than the window, and again when that changes. */
export function keepFilling(shell, fit) {
  shell.classList.add("cascade-live--presented");
  const body = shell.firstElementChild;
  const room = () => window.innerHeight - body.getBoundingClientRect().top - window.scrollY - BELOW;
  const fits = (size) => {
    body.style.zoom = size;
    body.style.setProperty("--cascade-live-zoom", size);
    fit();
    return body.getBoundingClientRect().height <= room() && shell.scrollWidth <= shell.clientWidth;
  };
  const largest = () => {
    let [low, high] = [SMALLEST, LARGEST];
    for (let i = 0; i < TRIES; i += 1) {
      const size = (low + high) / 2;
      if (fits(size)) low = size;
      else high = size;
    }
    return low;
  };
  const fill = () => {
    let size = 0;
    for (let fewer = 0; fewer <= FEWEST && size < READABLE; fewer += 1) {
      shell.dataset.fewer = String(fewer);
      size = largest();
    }
    fits(size);
  };
  let shown = "";
  const check = () => {
    const size = `${shell.clientWidth} ${window.innerHeight}`;
    if (size === shown || shell.clientWidth === 0) return;
    shown = size;
    fill();
  };
  check();
  const observer = new ResizeObserver(check);
  observer.observe(shell);
  window.addEventListener("resize", check);
  return () => {
    observer.disconnect();
    window.removeEventListener("resize", check);
    shell.classList.remove("cascade-live--presented");
    delete shell.dataset.fewer;
  };
}

/** Let the keyboard move the slider wherever the focus is, unless that is where something is typed. */
export function steer(input, { next = "", previous = "", leave = "" }) {
  const ends = { Home: Number(input.min), End: Number(input.max) };
  const buttons = { Escape: leave, PageDown: next, PageUp: previous };
  const press = (event) => {
    const { target } = event;
    const typing = target !== input && target.closest?.("input, textarea, select, [contenteditable], [role=listbox]");
    if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
    if (buttons[event.key]) {
      event.preventDefault(); // the slider would jump at the last stop, whose button is off
      /** @type {?HTMLElement} */ (document.querySelector(buttons[event.key]))?.click();
      return;
    }
    if (target === input) return; // the slider moves itself
    if (event.key in ends) pressTo(input, ends[event.key]);
    else if (event.key.startsWith("Arrow")) input.dispatchEvent(new KeyboardEvent("keydown", event));
    else return;
    event.preventDefault();
  };
  document.addEventListener("keydown", press);
  input.focus({ preventScroll: true });
  return () => document.removeEventListener("keydown", press);
}
