"""Plotly figures of groups and classes: what each gives up and saves, and which classes are taken for one another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray
from plotly.subplots import make_subplots

from cascade_core.analysis.groups import Grouped
from cascade_core.rendering.figures.explore import MARGIN, plain
from cascade_core.rendering.palette import Palette
from cascade_core.simulation.bounds import COVERAGE
from cascade_core.simulation.meters import MACS
from cascade_core.support import wording
from cascade_core.support.terms import LABELS, Terms

MOST_BARS = 40
"""Groups that are drawn; of more, those with the largest drop."""

MOST_CELLS = 20
"""Classes up to which a matrix can be read."""

LONGEST = 24
"""Letters of a class's name beside an axis; pointing at its bar or cell tells the whole."""

LETTER = 6.5
"""Pixels of one of them."""


def _whiskers(
    drop: NDArray[np.float64], low: NDArray[np.float64], high: NDArray[np.float64], palette: Palette
) -> dict[str, Any]:
    """Plotly's error bars, in points, from the ends of the intervals of drops, fractions."""
    above, below = 100 * np.maximum(high - drop, 0), 100 * np.maximum(drop - low, 0)
    return {"array": above, "arrayminus": below, "color": palette.text, "thickness": 1, "width": 3}


def group_bars(grouped: Grouped, saving: NDArray[np.float64], palette: Palette, noun: str = MACS.noun) -> go.Figure:
    """Accuracy drop with its interval, and saving, of the groups with samples, the largest drop at the top.

    Args:
        saving: (G,) fractions of what `noun` names.
    """
    evaluation, order, all_names = grouped.evaluation, grouped.worst_first[:MOST_BARS], grouped.groups.names
    words = evaluation.terms
    drop, (low, high) = evaluation.accuracy_drop[order], (end[order] for end in evaluation.drop_interval())
    names = plain([all_names[i] for i in order])
    places = list(range(len(order)))
    figure = make_subplots(
        cols=2, shared_yaxes=True, horizontal_spacing=0.04, subplot_titles=(evaluation.terms.drop, f"{noun} saved")
    )
    figure.add_bar(
        x=100 * drop,
        y=places,
        orientation="h",
        marker_color=[palette.wrong if value > 0 else palette.stages(3)[0] for value in drop],
        error_x=_whiskers(drop, low, high, palette),
        customdata=[
            f"{name}: {wording.change(middle, 2, words)}, {COVERAGE} interval {wording.interval(least, most, 2, words)}"
            for name, middle, least, most in zip(names, drop.tolist(), low.tolist(), high.tolist(), strict=True)
        ],
        hovertemplate="%{customdata}<extra></extra>",
        row=1,
        col=1,
    )
    figure.add_bar(
        x=100 * saving[order],
        y=places,
        orientation="h",
        marker_color=palette.stages(3)[1],
        customdata=names,
        hovertemplate="%{customdata}: %{x:.1f} % saved<extra></extra>",
        row=1,
        col=2,
    )
    ticks = _ticks([all_names[i] for i in order])
    figure.update_yaxes(tickvals=places, ticktext=ticks, autorange="reversed", automargin=True)
    figure.update_xaxes(title_text="points", col=1)
    figure.update_xaxes(title_text="%", col=2)
    figure.update_layout(height=110 + 24 * len(order), margin=MARGIN, showlegend=False, bargap=0.35)
    return figure


def confusion_matrix(
    counts: NDArray[np.int64], class_names: Sequence[str], palette: Palette, terms: Terms = LABELS
) -> go.Figure:
    """Samples of each true class by answer (K, K); right answers in grey, so that errors stand out."""
    names, places = plain(class_names), list(range(len(counts)))
    errors = np.where(np.eye(len(counts), dtype=bool), np.nan, counts)
    right = np.where(np.eye(len(counts), dtype=bool), counts, np.nan)
    text = np.where(counts > 0, np.char.mod("%d", counts), "")
    faint, strong = f"rgba({_channels(palette.wrong)},0)", f"rgba({_channels(palette.wrong)},0.85)"
    grey = f"rgba({_channels(palette.staying)},0.35)"
    figure = go.Figure()
    largest = max(1, np.nan_to_num(errors).max())
    for values, low, high, most in ((right, grey, grey, 1), (errors, faint, strong, largest)):
        figure.add_heatmap(
            x=places,
            y=places,
            z=values,
            zmin=0,
            zmax=most,
            colorscale=[[0, low], [1, high]],
            showscale=False,
            text=text,
            texttemplate="%{text}",
            textfont={"color": palette.text},
            xgap=1,
            ygap=1,
            hoverinfo="skip",
            hoverongaps=False,
        )
    _cells(figure, counts, names)
    axis = {
        "tickvals": places,
        "ticktext": _ticks(class_names),
        "showgrid": False,
        "zeroline": False,
        "automargin": True,
    }
    ends = [-0.5, len(counts) - 0.5]
    figure.update_xaxes(title_text="answer", tickangle=-90, range=ends, **axis)
    figure.update_yaxes(title_text=terms.label, range=ends[::-1], **axis)
    below = round(LETTER * min(LONGEST, max(map(len, class_names))))
    height = 110 + 30 * len(counts) + below
    figure.update_layout(height=height, margin=MARGIN, hovermode="closest", hoverdistance=-1)
    return figure


def _ticks(names: Sequence[str]) -> list[str]:
    """Names beside an axis, cut where they are long, as plotly shows them to the letter."""
    return plain([name if len(name) <= LONGEST else f"{name[: LONGEST - 1]}…" for name in names])


def _cells(figure: go.Figure, counts: NDArray[np.int64], names: Sequence[str]) -> None:
    """An unseen mark in every cell with samples: heatmaps tell of no click. x is the answer, y the true class."""
    label, answer = (places.tolist() for places in np.nonzero(counts))
    figure.add_scatter(
        x=answer,
        y=label,
        mode="markers",
        marker={"symbol": "square", "size": 26, "opacity": 0},
        customdata=[
            f"{names[i]} answered {names[k]}: {counts[i, k]:,} samples" for i, k in zip(label, answer, strict=True)
        ],
        hovertemplate="%{customdata}<extra></extra>",
        showlegend=False,
    )


def _channels(colour: str) -> str:
    """Red, green and blue of "#rrggbb", as ``rgba()`` takes them."""
    return ",".join(str(int(colour[i : i + 2], 16)) for i in (1, 3, 5))
