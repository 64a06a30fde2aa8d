"""Results -> plotly figures: drawing only; numbers come from the rooms below.

Every figure takes a `Palette`, names its axes with units, and is readable without colour.  Accuracies
and shares are shown in percent, MACs relative to the plain network.
"""

from __future__ import annotations

import html
from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray
from plotly.subplots import make_subplots

from cascade_core.analysis.calibration import reliability
from cascade_core.analysis.points import Setting
from cascade_core.analysis.spread import OUTER, Spread
from cascade_core.policies.paper import residual_accuracy
from cascade_core.rendering.axes import BINS, ConfidenceAxis
from cascade_core.rendering.cost_words import mean_title
from cascade_core.rendering.palette import Palette
from cascade_core.rendering.published import PublishedResult
from cascade_core.simulation.bounds import ALPHA, COVERAGE
from cascade_core.simulation.exits import ExitRule
from cascade_core.simulation.meters import MACS, Meter, along
from cascade_core.simulation.record import Record
from cascade_core.support.wording import confidence

MARGIN = {"l": 8, "r": 8, "t": 36, "b": 8}
"""Pixels around every figure."""


def confidence_histograms(record: Record, rule: ExitRule, axis: ConfidenceAxis, palette: Palette) -> go.Figure:
    """Confidence of ALL samples at each stage, right above wrong, with the stage's threshold."""
    names = plain(record.stage_names)
    figure = make_subplots(
        rows=len(names), cols=1, shared_xaxes=True, subplot_titles=names, vertical_spacing=0.25 / len(names)
    )
    bins = axis.bins(record.confidence)
    centres = (np.arange(BINS) + 0.5) / BINS
    for stage, colour in enumerate(palette.stages(len(names))):
        for right, label, fill in ((False, record.terms.wrong, palette.wrong), (True, record.terms.right, colour)):
            counts = record.tally(bins[stage], BINS, record.correct[stage] == right)
            bar = go.Bar(x=centres, y=counts, name=f"{names[stage]}, {label}", marker_color=fill, width=0.9 / BINS)
            figure.add_trace(bar, row=stage + 1, col=1)
        if stage < len(rule.thresholds):
            for value, words in _lines(rule.columns[stage]):
                place = float(axis.place(value))
                figure.add_vline(
                    x=place,
                    row=stage + 1,
                    col=1,
                    line={"color": palette.text, "width": 2},
                    annotation_text=f"{words} {confidence(value)}",
                    annotation_position="top left" if place > 0.7 else "top right",
                )
    figure.update_layout(barmode="stack", showlegend=False, height=90 + 170 * len(names), margin=MARGIN)
    figure.update_xaxes(tickvals=[at for at, _ in axis.ticks], ticktext=[text for _, text in axis.ticks], range=[0, 1])
    figure.update_xaxes(title_text=axis.label, row=len(names), col=1)
    figure.update_yaxes(title_text="samples")
    return figure


def _lines(thresholds: NDArray[np.float32]) -> list[tuple[float, str]]:
    """Where lines stand in a histogram, and what they say: one threshold, or the least and the largest by class."""
    finite = thresholds[np.isfinite(thresholds)]
    if len(thresholds) == 1 or not finite.size:
        return [(float(value), "leaves at") for value in finite]
    return [(float(finite.min()), "some classes leave at"), (float(finite.max()), "all that may leave, at")]


def reliability_curves(record: Record, palette: Palette) -> go.Figure:
    """Share of right answers against mean confidence, in bins, for each stage; on the diagonal 0.9 means 90 % right."""
    figure = go.Figure()
    figure.add_scatter(
        x=[0, 1], y=[0, 100], mode="lines", line={"color": palette.text, "width": 1, "dash": "dot"}, name="calibrated"
    )
    for stage, (name, colour) in enumerate(
        zip(plain(record.stage_names), palette.stages(len(record.stages)), strict=True)
    ):
        bins = reliability(record, stage)
        figure.add_scatter(
            x=bins.confidence,
            y=100 * bins.accuracy,
            mode="lines+markers",
            name=name,
            line={"color": colour, "width": 2},
            customdata=bins.counts,
            hovertemplate=f"confidence %{{x:.3f}}: %{{y:.1f}} % of %{{customdata:,}} {record.terms.right}"
            "<extra>%{fullData.name}</extra>",
        )
    figure.update_xaxes(title_text="mean confidence of the samples in a bin", range=[0, 1])
    figure.update_yaxes(title_text=f"{record.terms.right} among them, %", range=[0, 102])
    figure.update_layout(height=440, margin=MARGIN, legend={"orientation": "h", "y": -0.2})
    return figure


def residual_accuracy_curves(
    record: Record, rule: ExitRule, epsilon: float, axis: ConfidenceAxis, palette: Palette
) -> go.Figure:
    """The paper's alpha_m(delta) of each early stage, with its best and what epsilon allows."""
    figure = go.Figure()
    names = plain(record.stage_names)
    for stage, colour in enumerate(palette.stages(len(names))[:-1]):
        deltas, alphas = residual_accuracy(record.confidence[stage], record.correct[stage], record.weights)
        kept = _thinned(len(deltas))
        best = float(alphas.max())
        figure.add_scatter(
            x=axis.place(deltas[kept]),
            y=100 * alphas[kept],
            name=f"{names[stage]}: {record.terms.accuracy} at or above",
            line={"color": colour, "width": 2},
            customdata=deltas[kept],
            hovertemplate=f"confidence ≥ %{{customdata:.5g}}: %{{y:.2f}} % {record.terms.right}"
            "<extra>%{fullData.name}</extra>",
        )
        for value, dash, what in ((best, "dot", "best"), (best - epsilon, "dash", "best less epsilon")):
            figure.add_scatter(
                x=[0, 1],
                y=[100 * value] * 2,
                mode="lines",
                name=f"{names[stage]}: {what} {100 * value:.2f} %",
                line={"color": colour, "width": 1, "dash": dash},
                hoverinfo="skip",
            )
        figure.add_scatter(
            x=[float(axis.place(rule.thresholds[stage]))],
            y=[100 * float(alphas[np.searchsorted(deltas, rule.thresholds[stage])])],
            mode="markers",
            marker={"color": colour, "size": 12, "line": {"color": palette.text, "width": 2}},
            name=f"{names[stage]}: threshold {confidence(rule.thresholds[stage])}",
        )
    figure.update_xaxes(
        title_text=f"threshold delta ({axis.label})",
        tickvals=[at for at, _ in axis.ticks],
        ticktext=[text for _, text in axis.ticks],
    )
    figure.update_yaxes(title_text=f"residual {record.terms.accuracy}, %")
    figure.update_layout(height=440, margin=MARGIN, legend={"orientation": "h", "y": -0.25})
    return figure


def tradeoff(
    setting: Setting,
    palette: Palette,
    published: Sequence[PublishedResult] = (),
    meter: Meter = MACS,
) -> go.Figure:
    """Accuracy against cost along the path, with the interval of the drop and what bounds it; published are MACs."""
    exploration = setting.exploration
    result = exploration.evaluation
    costs, whole = along(meter, result), meter.plain(result)
    order = np.argsort(costs, kind="stable")
    costs = 100 * costs[order] / whole
    low, high = (100 * (result.full_accuracy - end[order]) for end in result.drop_interval())
    line = palette.stages(3)[1]
    figure = go.Figure()
    figure.add_scatter(x=costs, y=low, mode="lines", line={"width": 0}, showlegend=False, hoverinfo="skip")
    figure.add_scatter(
        x=costs, y=high, mode="lines", line={"width": 0}, fill="tonexty", name=f"{COVERAGE} interval", hoverinfo="skip"
    )
    chance = {"color": palette.text, "width": 1, "dash": "dot"}
    curves = [
        ("cascade", result.accuracy, {"color": line}),
        ("exits drawn by lot, in equal shares", exploration.random_exit_accuracy, chance),
    ]
    if exploration.certificate is not None:
        certain = result.full_accuracy - exploration.certificate
        curves.append(
            (f"certified, {1 - ALPHA:.0%} sure everywhere", certain, {"color": line, "width": 1, "dash": "dash"})
        )
    for name, heights, style in curves:
        figure.add_scatter(x=costs, y=100 * heights[order], mode="lines", name=name, line=style)
    for name, cost, accuracy, symbol, colour, size in _marks(setting, palette, meter):
        figure.add_scatter(
            x=[100 * cost / whole],
            y=[100 * accuracy],
            mode="markers",
            name=name,
            marker={"symbol": symbol, "color": colour, "size": size},
        )
    if meter is MACS:
        add_published(figure, published, palette)
    (across, unit) = plain([mean_title(meter, shares=True), meter.unit])
    here = f"%{{x:.1f}} % of the {unit}, %{{y:.2f}} % {exploration.terms.right}"
    figure.update_traces(
        hovertemplate=f"{here}<extra>%{{fullData.name}}</extra>",
        selector={"hoverinfo": None},
    )
    figure.update_xaxes(title_text=across)
    figure.update_yaxes(title_text=f"{exploration.terms.accuracy}, %")
    figure.update_layout(height=460, margin=MARGIN, legend={"orientation": "h", "y": -0.2})
    return figure


def add_published(figure: go.Figure, published: Sequence[PublishedResult], palette: Palette) -> None:
    """Add series of published points to a plot of accuracy against shares of the plain network's MACs, in percent."""
    for series in published:
        figure.add_scatter(
            x=[100 * (1 - p.saving) for p in series.points],
            y=[100 * p.accuracy for p in series.points],
            mode="markers+lines",
            line={"dash": "dot", "width": 1, "color": palette.wrong},
            marker={"symbol": "diamond-open", "size": 9},
            name=f"published, {series.name} ({series.network})",
            text=[f"epsilon {p.epsilon:.0%}" for p in series.points],
        )


def add_spread(figure: go.Figure, spread: Spread, palette: Palette, meter: Meter = MACS) -> None:
    """Add mean and quantiles of the accuracy over splits to a plot of accuracy against cost."""
    band, colour = spread.band(np.linspace(0, 1.5, 601), meter), palette.stages(3)[0]
    reached = ~np.isnan(band.mean)
    costs = 100 * band.costs[reached]
    edge = {"color": colour, "width": 1, "dash": "dot"}
    least, most = (f"{share:.0%}" for share in OUTER)
    figure.add_scatter(x=costs, y=100 * band.low[reached], mode="lines", line=edge, name=f"{least} of the splits below")
    figure.add_scatter(
        x=costs,
        y=100 * band.high[reached],
        mode="lines",
        line=edge,
        fill="tonexty",
        name=f"{most} of the splits below",
    )
    figure.add_scatter(
        x=costs,
        y=100 * band.mean[reached],
        mode="lines",
        line={"color": colour, "width": 2, "dash": "dashdot"},
        name=f"mean of {len(spread.judged)} splits",
    )


def _marks(setting: Setting, palette: Palette, meter: Meter) -> list[tuple[str, float, float, str, str, int]]:
    """Single points beside the curve: name, mean cost, accuracy, and the symbol, colour and size of its mark."""
    exploration, here = setting.exploration, setting.evaluation
    ramp = palette.stages(len(here.stage_names))
    alone = zip(plain(here.stage_names)[:-1], exploration.alone, ramp, strict=False)
    marks = [
        ("chosen", here, "circle", palette.stages(3)[1], 14),
        (f"oracle: leaves at the {exploration.terms.first_right}", exploration.oracle, "star", palette.text, 12),
        ("oracle that gives up at once", exploration.cheapest_oracle, "star-open", palette.text, 12),
        *((f"{name} alone", one, "cross", colour, 9) for name, one, colour in alone),
    ]
    whole = ("plain network", meter.plain(here), here.full_accuracy, "square", palette.text, 10)
    return [whole, *((name, meter.mean(one), one.accuracy, *style) for name, one, *style in marks)]


def plain(names: Sequence[str]) -> list[str]:
    """Names as plotly shows them to the letter; it would read tags in them, and has no word for quotes."""
    return [html.escape(name, quote=False) for name in names]


def _thinned(count: int, most: int = 2000) -> np.ndarray:
    """Indices of at most `most` points of a curve of `count`, both ends kept: a screen shows no more."""
    return np.unique(np.linspace(0, count - 1, min(count, most)).astype(np.int64))
