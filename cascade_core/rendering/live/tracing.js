// @ts-check
/** The accuracy-compute curve as a control: a click or a drag moves the slider to the nearest position. */

import { draggable } from "./gestures.js";
/** @import { Model } from "./types.js" */

/**
 * @param {Model} model
 * @param {{drawing: SVGElement, spot: () => any}} chart
 * @param {{holder: any, goTo: (g: number) => void}} hand
 */
export function traceable(model, chart, hand) {
  return draggable(chart.drawing, chart.drawing, hand.holder, (x, y) => {
    const spot = chart.spot();
    if (spot) hand.goTo(nearestPosition(model, spot, x, y));
  });
}

/** The position whose point is nearest in pixels. @param {Model} model */
export function nearestPosition(model, spot, x, y) {
  let [nearest, least] = [0, Infinity];
  for (let g = 0; g < model.positions; g += 1) {
    const across = spot.x(model.cost[g] / model.baseline.cost) - x;
    const down = spot.y(model.accuracy[g]) - y;
    const away = across * across + down * down;
    if (away < least) [nearest, least] = [g, away];
  }
  return nearest;
}
