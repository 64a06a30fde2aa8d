"""Accuracy against computation: a cascade at every slider position, and what it is compared with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from cascade_core.analysis.exploration import Exploration
from cascade_core.rendering.cost_words import mean_title
from cascade_core.rendering.paper import marks
from cascade_core.rendering.paper.sheet import Draw, Sheet
from cascade_core.rendering.published import PublishedResult
from cascade_core.simulation.bounds import CERTAINTY, COVERAGE
from cascade_core.simulation.evaluation import Evaluation
from cascade_core.simulation.meters import MACS, along


def curve(exploration: Exploration, chosen: Evaluation, published: Sequence[PublishedResult] = ()) -> Draw:
    """Accuracy against the cost that was sought for, with `chosen`, the plain network and the oracle.

    `published` results are savings of MACs, and drawn where these are the cost.
    """
    meter = exploration.meter

    def draw(sheet: Sheet) -> None:
        (axes,) = sheet.plots(1, 3.1 if sheet.style.wide else 2.15)
        marks.frame(sheet, axes, mean_title(meter, shares=True), f"{exploration.terms.accuracy}, %")
        unit = meter.plain(exploration.evaluation) / 100
        _cascade(sheet, exploration, unit)
        if meter is MACS:
            marks.published(sheet, axes, published)
        marks.plain(sheet, axes, chosen, meter, unit)
        marks.oracle(sheet, axes, exploration.oracle, meter, unit)
        place = (meter.mean(chosen) / unit, 100 * chosen.accuracy)
        marks.point(sheet, axes, place, "chosen", marker="o", color=marks.CASCADE, markersize=sheet.style.size)

    return draw


def _cascade(sheet: Sheet, exploration: Exploration, unit: float) -> None:
    """The path, the band of its interval, and what is certain."""
    (axes,) = sheet.figure.axes
    result = exploration.evaluation
    order = np.argsort(costs := along(exploration.meter, result) / unit, kind="stable")
    low, high = (100 * (result.full_accuracy - end[order]) for end in result.drop_interval())
    (line,) = axes.plot(costs[order], 100 * result.accuracy[order], color=marks.CASCADE, zorder=3)
    sheet.explain(line, "cascade")
    band = axes.fill_between(costs[order], low, high, color=marks.CASCADE, alpha=0.16, linewidth=0)
    sheet.explain(band, f"{COVERAGE} interval")
    if exploration.certificate is not None:
        certain = 100 * (result.full_accuracy - exploration.certificate[order])
        thin: dict[str, Any] = {"linewidth": 0.13 * sheet.style.size, "linestyle": marks.DASHES[1]}
        (line,) = axes.plot(costs[order], certain, color=marks.CASCADE, **thin)
        sheet.explain(line, f"certified, {CERTAINTY}")
