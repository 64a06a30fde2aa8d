"""Curves of a comparison -> a tidy frame of all of them at one drop."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from cascade_core.analysis.alongside import nearest_drop
from cascade_core.rendering.comparison.data import Curve


def at_one_drop(curves: Sequence[Curve], drop: float) -> pd.DataFrame:
    """A row a curve where its drop is nearest to `drop`, the one that saves most first.

    All figures are fractions; `drop_certified` is NaN where nothing is certain.
    """
    frame = pd.DataFrame([_row(curve, drop) for curve in curves])
    return frame.sort_values("saving", ascending=False, kind="stable", ignore_index=True)


def _row(curve: Curve, drop: float) -> dict[str, object]:
    exploration = curve.exploration
    position = nearest_drop(exploration.evaluation, drop, curve.meter)
    result, certificate = exploration.at(position), exploration.certificate
    return {
        "run": curve.run,
        "policy": curve.exploration.terms.of(curve.policy),
        "saving": 1 - curve.meter.mean(result) / curve.plain,
        "accuracy": result.accuracy,
        "accuracy_drop": result.accuracy_drop,
        "drop_certified": float("nan") if certificate is None else float(certificate[position]),
        "answers": exploration.answers,
    }
