// @ts-check
/** The accuracy-compute curve as a control: a click or a drag moves the slider to the nearest position. */

import { nearestPosition } from "./curve.js";
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
