"""Plotly figure of several explorations on one accuracy-compute plot, with pinned points."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from cascade_core.analysis.exploration import Exploration
from cascade_core.analysis.points import OperatingPoint
from cascade_core.rendering.figures.explore import MARGIN, add_published, plain
from cascade_core.rendering.palette import Palette
from cascade_core.rendering.published import PublishedResult
from cascade_core.simulation.bounds import ALPHA

DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot", "5px,2px,2px,2px,2px,2px", "12px,3px")
"""Of policies; colours are of runs."""


@dataclass(frozen=True, kw_only=True)
class Curve:
    """An exploration, and what to call it."""

    run: str
    exploration: Exploration


def comparison(
    curves: Sequence[Curve],
    points: Sequence[OperatingPoint],
    palette: Palette,
    published: Sequence[PublishedResult] = (),
    *,
    certified: bool = True,
) -> go.Figure:
    """Accuracy against mean MACs of all curves: a colour for each run, a dash for each policy.

    Costs are shares of the plain network's MACs where that is the same for all, else MACs; published results are
    shares, and shown with those only.

    Args:
        certified: Whether to draw what each curve's accuracy is certainly above.
    """
    baselines = {curve.exploration.evaluation.baseline_macs for curve in curves}
    baselines |= {point.evaluation.baseline_macs for point in points}
    shares = len(baselines) == 1
    unit = next(iter(baselines)) / 100 if shares else 1.0
    policies = list(dict.fromkeys(curve.exploration.policy.name for curve in curves))
    by_run = {curve.run: curve.exploration for curve in reversed(curves)}
    runs = list(dict.fromkeys(curve.run for curve in curves))
    colours = dict(zip(runs, palette.stages(max(2, len(runs))), strict=False))
    figure = go.Figure()
    for curve in curves:
        dash = DASHES[policies.index(curve.exploration.policy.name) % len(DASHES)]
        _draw(figure, curve, colours[curve.run], dash, unit, certified)
    for run in runs:
        _mark(figure, run, by_run[run], colours[run], unit)
    if points:
        _number(figure, points, palette, unit)
    if shares:
        add_published(figure, published, palette)
    figure.update_traces(
        hovertemplate=f"%{{x:{'.1f' if shares else '.4s'}}}{' % of the MACs' if shares else ' MACs'}, "
        "%{y:.2f} % right<extra>%{fullData.name}</extra>",
        selector=lambda trace: trace.hoverinfo != "skip",
    )
    figure.update_xaxes(title_text="mean MACs, % of the plain network" if shares else "mean MACs of a sample")
    figure.update_yaxes(title_text="accuracy, %")
    figure.update_layout(height=520, margin=MARGIN, legend={"orientation": "h", "y": -0.16})
    return figure


def _mark(figure: go.Figure, run: str, exploration: Exploration, colour: str, unit: float) -> None:
    """A run's plain network and its oracle, as single points."""
    evaluation, best = exploration.evaluation, exploration.oracle
    for name, cost, accuracy, symbol in (
        ("plain network", evaluation.baseline_macs, evaluation.full_accuracy, "square"),
        ("oracle", best.mean_macs, best.accuracy, "star"),
    ):
        figure.add_scatter(
            x=[cost / unit],
            y=[100 * accuracy],
            mode="markers",
            name=f"{_name(run)}, {name}",
            marker={"symbol": symbol, "size": 11, "color": colour},
            showlegend=False,
        )


def _number(figure: go.Figure, points: Sequence[OperatingPoint], palette: Palette, unit: float) -> None:
    """Pinned points, by their numbers from 1 on."""
    figure.add_scatter(
        x=[point.evaluation.mean_macs / unit for point in points],
        y=[100 * point.evaluation.accuracy for point in points],
        mode="markers+text",
        text=[str(number) for number in range(1, len(points) + 1)],
        textposition="top center",
        marker={"symbol": "circle-open", "size": 13, "color": palette.text, "line": {"width": 2}},
        name="pinned, by number",
    )


def _draw(figure: go.Figure, curve: Curve, colour: str, dash: str, unit: float, certified: bool) -> None:
    """A curve, and under it what is certain, thin and in a band of its colour."""
    result, group = curve.exploration.evaluation, f"{curve.run}/{curve.exploration.policy.name}"
    order = np.argsort(result.mean_macs, kind="stable")
    costs, accuracy = result.mean_macs[order] / unit, 100 * result.accuracy[order]
    figure.add_scatter(
        x=costs,
        y=accuracy,
        mode="lines",
        line={"color": colour, "width": 2.5, "dash": dash},
        name=f"{_name(curve.run)}, {curve.exploration.policy.title}",
        legendgroup=group,
    )
    if certified and curve.exploration.certificate is not None:
        certain = 100 * (result.full_accuracy - curve.exploration.certificate[order])
        figure.add_scatter(
            x=costs,
            y=certain,
            mode="lines",
            line={"color": colour, "width": 0.5},
            fill="tonexty",
            fillcolor=f"rgba({', '.join(str(int(colour[i : i + 2], 16)) for i in (1, 3, 5))}, 0.13)",
            name=f"{1 - ALPHA:.0%} sure",
            legendgroup=group,
            showlegend=False,
            hoverinfo="skip",
        )


def _name(run: str) -> str:
    return plain([run])[0]
