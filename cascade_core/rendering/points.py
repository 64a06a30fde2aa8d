"""Operating points laid side by side: a tidy frame, which is also saved as CSV, and a LaTeX table of it.

Each point has its costs by what its thresholds were sought for, in columns that name the unit; MACs are known of all.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from cascade_core.analysis.points import OperatingPoint
from cascade_core.rendering.cost_words import columns, decimals, mean_title
from cascade_core.rendering.in_points import in_points
from cascade_core.simulation.meters import MACS, Meter, spent
from cascade_core.support.latex import latex
from cascade_core.support.terms import common
from cascade_core.support.wording import fixed


def meters_of(points: Sequence[OperatingPoint]) -> list[Meter]:
    """What costs of the points are counted in, each once: those that share columns are one."""
    return list({columns(point.meter): point.meter for point in points}.values())


def points_table(points: Sequence[OperatingPoint]) -> pd.DataFrame:
    """A row an operating point, numbered from 1: where it comes from, and what it does on the test samples.

    `compared_with` says what answers were compared with, where it is not the labels of all.
    `mean_macs` and `saving` are of MACs; after them come the `columns` of other meters, NaN where a point has another.
    """
    named = any(point.name for point in points)
    unlabelled = any(point.evaluation.reference != "labels" for point in points)
    rows = [
        ({"name": point.name} if named else {})
        | _row(point)
        | ({"compared_with": point.evaluation.reference} if unlabelled else {})
        for point in points
    ]
    return pd.DataFrame(rows, index=pd.RangeIndex(1, len(rows) + 1, name="number"))


def _row(point: OperatingPoint) -> dict[str, Any]:
    evaluation, split = point.evaluation, point.split
    low, high = evaluation.drop_interval()
    return {
        "run": point.run,
        "policy": point.policy,
        "setting": point.setting,
        "score": point.score,
        "answers": point.answers,
        "measured_on": "all samples" if split.in_sample else f"test half, seed {split.seed}",
        "samples": evaluation.n,
        "accuracy": evaluation.accuracy,
        "accuracy_drop": evaluation.accuracy_drop,
        "drop_low": low,
        "drop_high": high,
        "drop_certified": np.nan if point.certified is None else point.certified,
        "drop_moves_by": evaluation.drop_move,
        "mean_macs": evaluation.mean_macs,
        "saving": evaluation.saving,
        "saving_moves_by": evaluation.saving_move,
        **_costs(point),
    }


def _costs(point: OperatingPoint) -> dict[str, float]:
    told = spent(point.meter, point.evaluation)
    return dict(zip(columns(point.meter), (told["mean"], told["saving"]), strict=True))


def points_latex(points: Sequence[OperatingPoint]) -> str:
    """The operating points as a LaTeX table (booktabs): percent, costs in the points' units, and drops `in_points`."""
    frame, terms = in_points(points_table(points)), common(point.evaluation.terms for point in points)
    texts = [(what, frame[what].tolist()) for what in ("name", "run", "policy", "setting") if what in frame]
    intervals = frame[["accuracy_drop", "drop_low", "drop_high"]].itertuples(index=False)
    numbers = [
        (f"{terms.accuracy} (%)", [f"{100 * value:.2f}" for value in frame["accuracy"]]),
        (f"{terms.short_drop} (points)", [f"{drop:.2f} [{low:.2f}, {high:.2f}]" for drop, low, high in intervals]),
        ("certified everywhere", ["" if np.isnan(value) else f"{value:.2f}" for value in frame["drop_certified"]]),
    ]
    meters = meters_of(points)
    for meter in meters:
        cost, saving = columns(meter)
        heading = "saved (%)" if len(meters) == 1 else f"{meter.unit} saved (%)"
        numbers.append(_cost_column(meter, frame[cost]))
        numbers.append((heading, ["" if np.isnan(value) else f"{100 * value:.1f}" for value in frame[saving]]))
    shown = pd.DataFrame(dict(enumerate(values for _, values in texts + numbers)))
    shown.columns = pd.Index([latex(heading) for heading, _ in texts + numbers])
    return shown.map(latex).to_latex(index=False, escape=False, column_format="l" * len(texts) + "r" * len(numbers))


def _cost_column(meter: Meter, values: pd.Series[float]) -> tuple[str, list[str]]:
    """Heading and texts of a column of mean costs; MACs in thousands or millions where they are that many."""
    heading, size, digits = mean_title(meter), 1.0, decimals(values)
    if meter is MACS:
        size, letter = next((one for one in ((1e6, "M"), (1e3, "k")) if values.max() >= one[0]), (1.0, ""))
        heading, digits = f"MACs ({letter})" if letter else "MACs", 1
    return heading, ["" if math.isnan(value) else fixed(value / size, digits) for value in values]
