// @ts-check
/** What the reader has zoomed in the charts beside the panel; told at a release, because the page then draws them anew. */

/** {name of a chart: {axis: [from, to]}} of the axes that are not as they were drawn; `meta.zoomed` lists those drawn so. */
export function zoomed() {
  const found = {};
  for (const plot of document.querySelectorAll(".js-plotly-plot")) {
    const name = plot.closest("[aria-label]")?.getAttribute("aria-label");
    const layout = /** @type {any} */ (plot)._fullLayout ?? {};
    for (const [key, axis] of Object.entries(layout)) {
      if (!name || !/^[xy]axis\d*$/.test(key) || axis.autorange) continue;
      const [from, to] = axis.range;
      const moved = from !== axis._rangeInitial0 || to !== axis._rangeInitial1;
      if (moved || layout.meta?.zoomed?.includes(key)) (found[name] ??= {})[key] = [from, to];
    }
  }
  return found;
}
