// @ts-check
/**
 * Touch on the slider: a tap or a sideways drag moves it, a swipe up or down scrolls the page and leaves it alone.
 *
 * A browser moves a slider to the finger at once, and learns only later that the finger wanted to scroll.  Until that is
 * known, what it says is kept back, and the thumb stays where it was.
 */

const SIDEWAYS = 8; // px after which a finger drags

/**
 * @param {HTMLInputElement} input
 * @param {() => number} at where the slider stands
 */
export function letScroll(input, at) {
  let begun = null; // where a finger came down, until it is known what it wants
  let wanted = 0;
  const tell = () => {
    begun = null;
    input.value = String(wanted);
    input.dispatchEvent(new Event("input", { bubbles: true }));
  };
  input.addEventListener("pointerdown", (event) => {
    begun = event.pointerType === "touch" ? { x: event.clientX, y: event.clientY } : null;
    wanted = at();
  });
  input.addEventListener("pointermove", ({ clientX, clientY }) => {
    if (!begun) return;
    const [across, along] = [Math.abs(clientX - begun.x), Math.abs(clientY - begun.y)];
    if (across > SIDEWAYS && across > along) tell();
  });
  input.addEventListener("pointerup", () => begun && tell());
  input.addEventListener("pointercancel", () => {
    if (!begun) return;
    begun = null;
    input.value = String(at());
  });
  input.addEventListener("input", (event) => {
    if (!begun) return;
    event.stopImmediatePropagation();
    wanted = input.valueAsNumber;
    input.value = String(at());
  });
}
