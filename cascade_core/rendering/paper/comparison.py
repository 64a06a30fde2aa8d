"""Several runs and policies on one accuracy-compute plot: a marker and a shade for a run, dashes for a policy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from cascade_core.analysis.exploration import Exploration
from cascade_core.rendering.palette import LIGHT
from cascade_core.rendering.paper import marks
from cascade_core.rendering.paper.sheet import Draw, Sheet
from cascade_core.rendering.published import PublishedResult
from cascade_core.simulation.meters import MACS, Meter, along

EVERY = 0.12
"""Of the plot's diagonal, from one marker of a line to the next."""

PLAIN: dict[str, Any] = {"marker": "s", "markerfacecolor": "#ffffff"}
ORACLE: dict[str, Any] = {"marker": "*", "markerfacecolor": "#ffffff"}
"""A run's plain network and its oracle: open, where the marks along its lines are filled."""


def comparison(
    curves: Sequence[tuple[str, Exploration]], published: Sequence[PublishedResult] = (), meter: Meter = MACS
) -> Draw:
    """Accuracy against mean cost of explorations, each with the name of its run.

    Costs are shares of the plain network's where that is the same for all, and published results are shown with those.
    """
    runs = list(dict.fromkeys(run for run, _ in curves))
    policies = list(dict.fromkeys(exploration.policy.title for _, exploration in curves))
    colours = dict(zip(runs, LIGHT.stages(max(2, len(runs))), strict=False))
    whole = {meter.plain(exploration.evaluation) for _, exploration in curves}
    unit = whole.pop() / 100 if len(whole) == 1 else 1.0
    shares = unit != 1.0

    def draw(sheet: Sheet) -> None:
        (axes,) = sheet.plots(1, 3.4 if sheet.style.wide else 2.5)
        across = f"mean {meter.unit}, % of the plain network" if shares else f"mean {meter.unit} of a sample"
        marks.frame(sheet, axes, across, "accuracy, %")
        for name, exploration in curves:
            dash = marks.DASHES[policies.index(exploration.policy.title) % len(marks.DASHES)]
            _line(axes, exploration, meter, unit, linestyle=dash, markevery=EVERY, **looks(sheet, name))
        for run in runs:
            exploration = next(one for name, one in curves if name == run)
            _references(axes, exploration, meter, unit, sheet.style.size, colours[run])
            sheet.explain(Line2D([], [], **looks(sheet, run)), run)
        if len(policies) > 1:
            for dash, title in zip(marks.DASHES, policies, strict=False):
                sheet.explain(Line2D([], [], color=marks.INK, linestyle=dash), title)
        for marker, text in ((PLAIN, "plain network"), (ORACLE, "oracle")):
            sheet.explain(
                Line2D([], [], linestyle="none", color=marks.INK, markersize=sheet.style.size, **marker), text
            )
        if shares and meter is MACS:
            marks.published(sheet, axes, published)

    def looks(sheet: Sheet, run: str) -> dict[str, Any]:
        marker = marks.MARKERS[runs.index(run) % len(marks.MARKERS)]
        return {"color": colours[run], "marker": marker, "markersize": 0.55 * sheet.style.size}

    return draw


def _line(axes: Axes, exploration: Exploration, meter: Meter, unit: float, **looks: Any) -> None:
    costs = along(meter, exploration.evaluation) / unit
    order = np.argsort(costs, kind="stable")
    axes.plot(costs[order], 100 * exploration.evaluation.accuracy[order], **looks)


def _references(axes: Axes, exploration: Exploration, meter: Meter, unit: float, size: float, colour: str) -> None:
    """A run's plain network and its oracle, in its colour."""
    result, best = exploration.evaluation, exploration.oracle
    for marker, cost, accuracy in (
        (PLAIN, meter.plain(result), result.full_accuracy),
        (ORACLE, meter.mean(best), best.accuracy),
    ):
        axes.plot(cost / unit, 100 * accuracy, color=colour, markersize=size, linestyle="none", **marker)
