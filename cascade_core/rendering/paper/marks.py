"""What several figures draw alike: axes, lines that are told apart in grey, and what a cascade is compared with."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter

from cascade_core.rendering.palette import LIGHT
from cascade_core.rendering.paper.sheet import Sheet
from cascade_core.rendering.published import PublishedResult
from cascade_core.simulation.evaluation import Evaluation
from cascade_core.simulation.meters import Meter
from cascade_core.support.wording import fixed

INK = LIGHT.text
CASCADE = LIGHT.ramp[3]
WRONG: dict[str, Any] = {"facecolor": "#ffffff", "edgecolor": LIGHT.wrong, "hatch": "//////", "linewidth": 0}
"""Of bars of wrong answers: hatched, and nothing else is."""

DASHES: tuple[Any, ...] = ("-", (0, (5, 2)), (0, (1, 1.2)), (0, (5, 1.5, 1, 1.5)), (0, (9, 2)), (0, (9, 2, 1, 2, 1, 2)))
"""Of policies."""

MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">", "p")
"""Of runs, and of published series."""


def frame(sheet: Sheet, axes: Axes, across: str, up: str) -> None:
    """Grid, and titles of the axes, the lower in lines that fit; numbers up are percentages or counts."""
    axes.grid(True)
    axes.set_axisbelow(True)
    axes.tick_params(length=0.3 * sheet.style.size)
    if across:
        axes.set_xlabel(textwrap.fill(sheet.say(across), sheet.fitting(0.8 * sheet.style.width)))
    if up:
        axes.set_ylabel(sheet.say(up))


def grouped(axes: Axes) -> None:
    """Thousands apart in the numbers up."""
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: fixed(value, 0 if float(value).is_integer() else 1)))


def point(sheet: Sheet, axes: Axes, place: tuple[float, float], text: str, **looks: Any) -> None:
    """A single point, with its entry in the key."""
    edge = {"markeredgecolor": "#ffffff", "markeredgewidth": 0.08 * sheet.style.size}
    (mark,) = axes.plot(*place, linestyle="none", zorder=4, **{**edge, **looks})
    sheet.explain(mark, text)


def plain(sheet: Sheet, axes: Axes, result: Evaluation, meter: Meter, unit: float, colour: str = INK) -> None:
    """The plain network, as a square."""
    place = (meter.plain(result) / unit, 100 * result.full_accuracy)
    point(sheet, axes, place, "plain network", marker="s", color=colour, markersize=0.75 * sheet.style.size)


def oracle(sheet: Sheet, axes: Axes, best: Evaluation, meter: Meter, unit: float, colour: str = INK) -> None:
    """A rule that knows which stages are right, as a star."""
    place = (meter.mean(best) / unit, 100 * best.accuracy)
    point(sheet, axes, place, "oracle", marker="*", color=colour, markersize=1.25 * sheet.style.size)


def published(sheet: Sheet, axes: Axes, series: Sequence[PublishedResult]) -> None:
    """Published series of a plot in percent of the plain network's MACs, as open marks that a dotted line joins."""
    for one, marker in zip(series, MARKERS[3:], strict=False):
        (line,) = axes.plot(
            [100 * (1 - point.saving) for point in one.points],
            [100 * point.accuracy for point in one.points],
            color="#777777",
            linestyle=DASHES[2],
            linewidth=0.1 * sheet.style.size,
            marker=marker,
            markersize=0.6 * sheet.style.size,
            markerfacecolor="#ffffff",
            markeredgecolor=INK,
            markeredgewidth=0.1 * sheet.style.size,
        )
        sheet.explain(line, f"published, {one.name} ({one.network.split(',')[0]})")
