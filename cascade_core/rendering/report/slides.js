// @ts-check
/** Slides by keys: arrows, space, Page Up and Page Down step, Home and End go to the ends; the address names the slide. */

const slides = [...document.querySelectorAll(".slide")];
const STEPS = {
  ArrowRight: (at) => at + 1,
  ArrowDown: (at) => at + 1,
  PageDown: (at) => at + 1,
  " ": (at) => at + 1,
  ArrowLeft: (at) => at - 1,
  ArrowUp: (at) => at - 1,
  PageUp: (at) => at - 1,
  Home: () => 0,
  End: () => slides.length - 1,
};

const named = () => Math.min(slides.length, Math.max(1, Number(location.hash.slice(1)) || 1)) - 1;
let now = named();

function show(at) {
  now = Math.min(slides.length - 1, Math.max(0, at));
  slides.forEach((slide, i) => slide.classList.toggle("now", i === now));
  history.replaceState(null, "", `#${now + 1}`);
}

addEventListener("keydown", (event) => {
  const step = STEPS[event.key];
  if (!step || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  show(step(now));
});
addEventListener("click", (event) => show(now + (event.clientX < innerWidth / 3 ? -1 : 1)));
addEventListener("hashchange", () => show(named()));
document.body.classList.add("stepped");
show(now);
