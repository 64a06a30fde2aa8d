"""Drops of a table as people read them: in points, with bounds rounded to the side on which they claim less.

A column's name tells what it holds: `drop_low` ends an interval below, `drop_high` above, and what is `certified` is an
upper bound; `accuracy_drop` and every other that begins with `drop` is an estimate.  Below zero a drop is a gain.
Names that come from files stand behind another word (`share dropout`), so that they are never taken for drops.
"""

from __future__ import annotations

import pandas as pd

from cascade_core.support import wording


def is_drop(column: object) -> bool:
    """Whether a column holds drops, by its name."""
    return str(column).startswith(("drop_", "accuracy_drop"))


def in_points(frame: pd.DataFrame, digits: int = 2) -> pd.DataFrame:
    """The frame with its drops, fractions, in points, and bounds on them rounded to so many decimals; NaN stays."""
    drops = [name for name in frame.columns if is_drop(name)]
    return frame.assign(**{name: [_rounded(name, 100 * value, digits) for value in frame[name]] for name in drops})


def _rounded(column: str, value: float, digits: int) -> float:
    if column.endswith(("_low", "_high")) or "certified" in column:
        return wording.outward(value, digits, not column.endswith("_low"))
    return value
