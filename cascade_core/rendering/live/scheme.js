// @ts-check
/** Light or dark: told by what lies behind the panel, since Streamlit and a report announce it differently. */

/** Mark the panel light or dark by what lies behind it; Streamlit and a report announce it differently. */
export function paintScheme(shell) {
  shell.dataset.scheme = luminance(backdrop(shell)) < 0.4 ? "dark" : "light";
}

export function followScheme(shell) {
  const paint = () => paintScheme(shell);
  const wish = matchMedia("(prefers-color-scheme: dark)");
  wish.addEventListener("change", paint);
  const observer = new MutationObserver(paint);
  const watched = { attributes: true, attributeFilter: ["class", "style", "data-theme"] };
  [document.documentElement, document.body].forEach((node) => observer.observe(node, watched));
  paint();
  return () => (wish.removeEventListener("change", paint), observer.disconnect());
}

/** [red, green, blue, alpha] of the nearest opaque background, or of the page's own. */
export function backdrop(node) {
  for (let at = node; at; at = at.parentElement ?? at.getRootNode().host) {
    const parts = getComputedStyle(at).backgroundColor.match(/[\d.]+/g)?.map(Number) ?? [];
    if (parts.length >= 3 && (parts[3] ?? 1) > 0.5) return parts;
  }
  const dark = getComputedStyle(document.documentElement).colorScheme.includes("dark");
  return dark && matchMedia("(prefers-color-scheme: dark)").matches ? [0, 0, 0] : [255, 255, 255];
}

export function luminance(parts) {
  const [red, green, blue] = parts;
  const linear = (c) => (c <= 10 ? c / 3294 : ((c / 255 + 0.055) / 1.055) ** 2.4);
  return 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue);
}
