// @ts-check
/** What hands do: the slider's input, and dragging of what lies in a chart, told at most once a frame. */

const KEYBOARD_REST = 250; // ms without a key before a position counts as released

/**
 * What holds for all hands on a panel: whether any holds something, and `rest(settled)` after the last key.
 * @param {{settle: () => void, free: () => void}} told once what was held is let go
 */
export function hold({ settle, free }) {
  let held = false;
  let waiting = 0;
  const letGo = () => ((held = false), settle(), free());
  return {
    held: () => held,
    grab: () => (clearTimeout(waiting), (held = true)),
    letGo: () => (clearTimeout(waiting), letGo()),
    /** Each key press is a change of its own: wait for the last. @param {boolean} byKey */
    rest(byKey) {
      clearTimeout(waiting);
      waiting = setTimeout(letGo, byKey ? KEYBOARD_REST : 0);
    },
    stop: () => clearTimeout(waiting),
  };
}

/** Call `act` with the latest arguments, at most once a frame; `flush` calls it now if it is waiting. */
export function onceAFrame(act) {
  let frame = 0;
  let latest = [];
  const run = () => ((frame = 0), act(...latest));
  return {
    call(...given) {
      latest = given;
      frame ||= requestAnimationFrame(run);
    },
    flush: () => frame && (cancelAnimationFrame(frame), run()),
    stop: () => cancelAnimationFrame(frame),
  };
}

/** Move the slider to a position as if a key had been pressed there. @param {HTMLInputElement} input @param {number} g */
export function pressTo(input, g) {
  input.dispatchEvent(new KeyboardEvent("keydown"));
  input.value = String(g);
  ["input", "change"].forEach((name) => input.dispatchEvent(new Event(name, { bubbles: true })));
}

/**
 * Tell `move(g)` of the slider's positions, and its release to the hold.
 * @param {HTMLInputElement} input
 */
export function listen(input, holder, move) {
  const events = new AbortController();
  const moved = onceAFrame(() => move(input.valueAsNumber));
  let byKey = false;
  const on = (name, act) => input.addEventListener(name, act, { signal: events.signal });
  on("input", () => moved.call());
  on("keydown", () => (byKey = true));
  on("pointerdown", () => ((byKey = false), holder.grab()));
  ["change", "pointerup", "pointercancel"].forEach((name) => on(name, () => (moved.flush(), holder.rest(byKey))));
  return () => (events.abort(), moved.stop());
}

/**
 * Drag an element sideways: `move(x, y)` is told of the pointer's place in pixels from the corner of `area`.
 * @param {HTMLElement | SVGElement} node what is grabbed
 * @param {Element} area
 * @param {(x: number, y: number) => void} move
 */
export function draggable(node, area, holder, move) {
  const events = new AbortController();
  const moved = onceAFrame(move);
  let pointer = null;
  const place = (event) => {
    const box = area.getBoundingClientRect();
    const zoom = box.width / (/** @type {HTMLElement} */ (area).clientWidth || box.width); // a presented panel is zoomed
    return [(event.clientX - box.left) / zoom, (event.clientY - box.top) / zoom];
  };
  const on = (name, act) => node.addEventListener(name, act, { signal: events.signal });
  on("pointerdown", (event) => {
    if (event.button !== 0) return;
    pointer = event.pointerId;
    node.setPointerCapture(pointer);
    holder.grab();
    if (node === area) moved.call(...place(event));
  });
  on("pointermove", (event) => pointer === event.pointerId && moved.call(...place(event)));
  ["pointerup", "pointercancel"].forEach((name) =>
    on(name, () => {
      if (pointer === null) return;
      pointer = null;
      moved.flush();
      holder.letGo();
    }),
  );
  return () => (events.abort(), moved.stop());
}
