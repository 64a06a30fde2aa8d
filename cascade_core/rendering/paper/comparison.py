"""Several runs and policies on one accuracy-compute plot: a marker and a shade for a run, dashes for a policy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from cascade_core.rendering.comparison.data import Curve, not_drawn, of_one_network
from cascade_core.rendering.cost_words import mean_title
from cascade_core.rendering.palette import LIGHT
from cascade_core.rendering.paper import marks
from cascade_core.rendering.paper.sheet import Draw, Sheet
from cascade_core.rendering.published import PublishedResult
from cascade_core.simulation.meters import along
from cascade_core.support.terms import common

EVERY = 0.12
"""Of the plot's diagonal, from one marker of a line to the next."""

PLAIN: dict[str, Any] = {"marker": "s", "markerfacecolor": "#ffffff"}
ORACLE: dict[str, Any] = {"marker": "*", "markerfacecolor": "#ffffff"}
"""A run's plain network and its oracle: open, where the marks along its lines are filled."""


def comparison(curves: Sequence[Curve], published: Sequence[PublishedResult] = ()) -> Draw:
    """Accuracy against mean cost of `curves`, at least one.

    Costs are shares of the plain network's where that is the same network for all, and published results are shown with
    those if they are MACs.

    Raises:
        ValueError: Costs are in several units.
    """
    runs = list(dict.fromkeys(curve.run for curve in curves))
    policies = list(dict.fromkeys(curve.policy for curve in curves))
    colours = dict(zip(runs, LIGHT.stages(max(2, len(runs))), strict=False))
    shares = of_one_network(curves)
    across, words = _across(curves, shares), common(curve.exploration.terms for curve in curves)

    def draw(sheet: Sheet) -> None:
        (axes,) = sheet.plots(1, 3.4 if sheet.style.wide else 2.5)
        marks.frame(sheet, axes, across, f"{words.accuracy}, %")
        for curve in curves:
            dash = marks.DASHES[policies.index(curve.policy) % len(marks.DASHES)]
            _line(axes, curve, _unit(curve, shares), linestyle=dash, markevery=EVERY, **looks(sheet, curve.run))
        for run in runs:
            curve = next(one for one in curves if one.run == run)
            _references(axes, curve, _unit(curve, shares), sheet.style.size, colours[run])
            sheet.explain(Line2D([], [], **looks(sheet, run)), run)
        if len(policies) > 1:
            for dash, title in zip(marks.DASHES, policies, strict=False):
                sheet.explain(Line2D([], [], color=marks.INK, linestyle=dash), words.of(title))
        for marker, text in ((PLAIN, "plain network"), (ORACLE, "oracle")):
            sheet.explain(
                Line2D([], [], linestyle="none", color=marks.INK, markersize=sheet.style.size, **marker), text
            )
        if not not_drawn(curves):
            marks.published(sheet, axes, published)

    def looks(sheet: Sheet, run: str) -> dict[str, Any]:
        marker = marks.MARKERS[runs.index(run) % len(marks.MARKERS)]
        return {"color": colours[run], "marker": marker, "markersize": 0.55 * sheet.style.size}

    return draw


def _across(curves: Sequence[Curve], shares: bool) -> str:
    """The title of the axis of costs, in the one unit that they have."""
    titles = list(dict.fromkeys(mean_title(curve.meter, shares=shares) for curve in curves))
    if len(titles) > 1:
        raise ValueError(f"Expected costs of all runs to be in one unit but there were {', '.join(titles)}")
    return titles[0]


def _unit(curve: Curve, shares: bool) -> float:
    """What costs of a curve are divided by."""
    return curve.plain / 100 if shares else 1.0


def _line(axes: Axes, curve: Curve, unit: float, **looks: Any) -> None:
    result = curve.exploration.evaluation
    costs = along(curve.meter, result) / unit
    order = np.argsort(costs, kind="stable")
    axes.plot(costs[order], 100 * result.accuracy[order], **looks)


def _references(axes: Axes, curve: Curve, unit: float, size: float, colour: str) -> None:
    """A run's plain network and its oracle, in its colour."""
    result, best = curve.exploration.evaluation, curve.exploration.oracle
    for marker, cost, accuracy in (
        (PLAIN, curve.plain, result.full_accuracy),
        (ORACLE, curve.meter.mean(best), best.accuracy),
    ):
        axes.plot(cost / unit, 100 * accuracy, color=colour, markersize=size, linestyle="none", **marker)
