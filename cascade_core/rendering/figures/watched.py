"""Plotly figures of a choice at work: where samples leave, what is saved, how sure stages are, which positions hold."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from cascade_core.analysis.positions_seen import CERTIFIED, OPEN, REFUTED, PositionsSeen
from cascade_core.analysis.watch_series import WatchSeries
from cascade_core.policies.base import Slider
from cascade_core.rendering.figures.explore import MARGIN, plain
from cascade_core.rendering.palette import Palette
from cascade_core.simulation.meters import MACS

HEIGHT = 380
"""Pixels of each figure."""

MARKS = 3
"""Numbers beside an axis of samples, which leave room for times below them on a telephone."""

DAY = 86_400


def exits_over_time(series: WatchSeries, stage_names: Sequence[str], alarm: int | None, palette: Palette) -> go.Figure:
    """Shares that leave at each stage along a log, stacked, and where their borders were promised to be.

    Args:
        alarm: Samples after which there was one.
    """
    figure, names = go.Figure(), plain(stage_names)
    until = [0, *series.until.tolist()]
    for stage, colour in enumerate(palette.stages(len(names))):
        share = 100 * series.exits[:, stage]
        figure.add_scatter(
            x=until,
            y=[*share[:1], *share],
            name=names[stage],
            stackgroup="exits",
            mode="lines",
            line={"width": 0, "color": colour, "shape": "vh"},
            hovertemplate="%{y:.1f} %",
        )
    for number, border in enumerate(100 * np.cumsum(series.promised_exits)[:-1]):
        figure.add_scatter(
            x=[0, until[-1]],
            y=[border] * 2,
            mode="lines",
            line={"color": palette.text, "width": 2, "dash": "dash"},
            name="promised",
            legendgroup="promised",
            showlegend=number == 0,
            hoverinfo="skip",
        )
    figure.update_yaxes(title_text="samples that leave, %", range=[0, 100])
    return _along_the_log(figure, series, alarm, palette)


def saving_over_time(series: WatchSeries, alarm: int | None, palette: Palette) -> go.Figure:
    """What is saved along a log, and within which band 95 % of pieces lie while nothing changes."""
    figure, colour = go.Figure(), palette.stages(3)[1]
    promised, strays, until = 100 * series.promised_saving, 100 * series.saving_strays, series.until
    edge = {"x": until, "mode": "lines", "line": {"width": 0}, "hoverinfo": "skip"}
    figure.add_scatter(y=promised - strays, showlegend=False, **edge)
    band = f"rgba({_channels(palette.staying)},0.35)"
    figure.add_scatter(y=promised + strays, fill="tonexty", fillcolor=band, name="by chance (95 %)", **edge)
    figure.add_scatter(
        x=until,
        y=np.full(len(until), promised),
        mode="lines",
        line={"color": palette.text, "width": 2, "dash": "dash"},
        name="promised",
        hovertemplate="%{y:.1f} %",
    )
    figure.add_scatter(
        x=until,
        y=100 * series.saving,
        mode="lines+markers",
        line={"color": colour, "width": 2},
        marker={"size": 5},
        name="seen",
        hovertemplate="%{y:.1f} %",
    )
    figure.update_yaxes(title_text=f"{MACS.noun} saved, %")
    return _along_the_log(figure, series, alarm, palette)


def confidence_over_time(
    series: WatchSeries,
    promised: NDArray[np.float64],
    stage_names: Sequence[str],
    alarm: int | None,
    palette: Palette,
) -> go.Figure:
    """Mean confidence of the samples that reach each stage along a log, and on the samples of the choice."""
    figure = go.Figure()
    for stage, (name, colour) in enumerate(zip(plain(stage_names), palette.stages(len(stage_names)), strict=True)):
        common: dict[str, Any] = {"legendgroup": str(stage), "hovertemplate": "%{y:.4f}"}
        figure.add_scatter(
            x=series.until,
            y=series.confidence[:, stage],
            mode="lines+markers",
            line={"color": colour, "width": 2},
            marker={"size": 5},
            name=name,
            **common,
        )
        figure.add_scatter(
            x=[0, int(series.until[-1])],
            y=[promised[stage]] * 2,
            mode="lines",
            line={"color": colour, "width": 1.5, "dash": "dash"},
            name=f"{name}, promised",
            showlegend=False,
            **common,
        )
    figure.update_yaxes(title_text="mean confidence")
    return _along_the_log(figure, series, alarm, palette)


def positions_judged(seen: PositionsSeen, slider: Slider, limit: float, palette: Palette) -> go.Figure:
    """How often each position answers otherwise than the plain network: bounds, what was measured, and the limit."""
    figure, values = go.Figure(), seen.values
    edge = {"x": values, "mode": "lines", "line": {"width": 0}, "hoverinfo": "skip"}
    figure.add_scatter(y=100 * seen.low[:-1], showlegend=False, **edge)
    band = f"rgba({_channels(palette.staying)},0.35)"
    figure.add_scatter(y=100 * seen.high[:-1], fill="tonexty", fillcolor=band, name="certain bounds", **edge)
    figure.add_scatter(
        x=values,
        y=100 * seen.measured[:-1],
        mode="lines",
        line={"color": palette.text, "width": 1.5, "dash": "dash"},
        name="measured before",
        hovertemplate="measured: %{y:.2f} %<extra></extra>",
    )
    verdicts = seen.verdicts(limit)[:-1]
    kinds = (
        (CERTIFIED, "certified", "circle", palette.stages(3)[0]),
        (OPEN, "not decided", "circle-open", palette.text),
        (REFUTED, "refuted", "x", palette.wrong),
    )
    for kind, name, symbol, colour in kinds:
        of_kind = verdicts == kind
        figure.add_scatter(
            x=values[of_kind],
            y=100 * seen.seen[:-1][of_kind],
            mode="markers",
            marker={"symbol": symbol, "color": colour, "size": 8},
            name=name,
            customdata=np.column_stack([100 * seen.low[:-1][of_kind], 100 * seen.high[:-1][of_kind]]),
            hovertemplate=f"%{{x}}: %{{y:.2f}} %, from %{{customdata[0]:.2f}} to %{{customdata[1]:.2f}} %"
            f"<extra>{name}</extra>",
        )
    figure.add_hline(
        y=100 * limit,
        line={"color": palette.wrong, "width": 2, "dash": "dot"},
        annotation_text="allowed",
        annotation_position="top left",
    )
    figure.update_xaxes(title_text=f"{slider.label}, {slider.unit}" if slider.unit else slider.label)
    figure.update_yaxes(title_text="answered otherwise, %", rangemode="tozero")
    figure.update_layout(height=HEIGHT, margin={**MARGIN, "b": _BELOW}, legend=_LEGEND)
    return figure


_LEGEND = {"orientation": "h", "yref": "container", "y": 0, "yanchor": "bottom"}

_BELOW = 130
"""Pixels below a chart for numbers and times, the axis's name, and a legend that on a telephone takes four lines."""


def _along_the_log(figure: go.Figure, series: WatchSeries, alarm: int | None, palette: Palette) -> go.Figure:
    """The figure with an axis of samples, with the times at which they were answered, and the alarm."""
    if alarm is not None:
        figure.add_vline(
            x=alarm,
            line={"color": palette.wrong, "width": 2},
            annotation_text="alarm",
            annotation_font_color=palette.wrong,
            annotation_position="top right" if 2 * alarm < series.until[-1] else "top left",
        )
    places = np.unique(np.linspace(0, len(series) - 1, MARKS + 2).round().astype(int)[1:-1])
    long = float(series.time[-1] - series.time[0]) > DAY
    figure.update_xaxes(
        title_text="samples, and until when (UTC)" if series.time[-1] > 0 else "samples",
        tickvals=series.until[places].tolist(),
        ticktext=[f"{series.until[k]:,}{_when(series.time[k], long=long)}" for k in places],
        tickangle=0,
        range=[0, int(series.until[-1])],
    )
    figure.update_layout(height=HEIGHT, margin={**MARGIN, "b": _BELOW}, hovermode="x unified", legend=_LEGEND)
    return figure


def _when(seconds: float, *, long: bool) -> str:
    """A time below a number of samples; the day where a log takes several."""
    try:
        moment = datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return ""
    return f"<br>{moment:%-d %b %H:%M}" if long else f"<br>{moment:%H:%M:%S}" if seconds > 0 else ""


def _channels(colour: str) -> str:
    """Red, green and blue of "#rrggbb", as ``rgba()`` takes them."""
    return ",".join(str(int(colour[i : i + 2], 16)) for i in (1, 3, 5))
