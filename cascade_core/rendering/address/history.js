// @ts-check
/**
 * The browser's history: one entry for each step, so that Back and Forward go from step to step.
 *
 * Python says which query the address should have.  What the page itself changes without a step (it completes the
 * address that it was opened with, or answers Back) replaces the entry; so does a slider that moves again before it
 * has rested.  All else is a step of its own.  Parameters that are not the page's own stay as they are.
 *
 * Streamlit has a listener for popstate too, which runs the page with the state that it has, and so would write the
 * address that was just left: it is kept from hearing of it.
 */

/**
 * @typedef {object} Wanted
 * @property {[string, string][]} query What the address should say.
 * @property {string} step The same without what moves: a change of it is a step at once.
 * @property {string[]} keys All parameters that are the page's own.
 * @property {number} turn The number of the last Back or Forward that Python has answered.
 */

const SLIDER_REST = 3000; // ms after which a slider's next move is a step of its own

let opened = false; // whether the address has been completed
let turn = 0;
let unanswered = 0; // the turn of the last Back or Forward, until Python shows what it named
/** @type {(turn: number, query: string) => void} */
let goBack = () => {};

/** Tell `hear` of every Back and Forward; returns what stops that. @param {(turn: number, query: string) => void} hear */
export function listenForBack(hear) {
  goBack = hear;
  window.addEventListener("popstate", heard, true); // adding it again does nothing
  return () => {
    // Streamlit may clean up after a superseded call late: what has been listening since goes on.
    if (goBack === hear) window.removeEventListener("popstate", heard, true);
  };
}

/** @param {PopStateEvent} event */
function heard(event) {
  event.stopImmediatePropagation();
  unanswered = turn += 1;
  goBack(turn, window.location.search);
}

/** Have the address say what is wanted. @param {Wanted} wanted */
export function follow(wanted) {
  // What was on its way when Back was pressed is of the entry that was left.
  if (unanswered && wanted.turn !== unanswered) return;
  const settles = !opened || unanswered > 0;
  opened = true;
  unanswered = 0;
  const search = merged(window.location.search, wanted);
  const here = window.history.state?.cascade;
  const same = search === String(new URLSearchParams(window.location.search));
  if (same && here?.step === wanted.step) return;
  const now = Date.now();
  const moves = here?.step === wanted.step;
  const state = { cascade: { step: wanted.step, moved: moves && !settles ? now : 0 } };
  const url = window.location.pathname + (search && `?${search}`) + window.location.hash;
  const replaces = same || settles || (moves && now - here.moved < SLIDER_REST);
  if (replaces) window.history.replaceState(state, "", url);
  else window.history.pushState(state, "", url);
}

/** The wanted query, and behind it what the address has of others. @param {string} search @param {Wanted} wanted */
export function merged(search, { query, keys }) {
  const others = [...new URLSearchParams(search)].filter(([key]) => !keys.includes(key));
  return String(new URLSearchParams([...query, ...others]));
}
