"""Rows of a table -> stages and samples: every sample must stand once at every stage, with one label."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cascade_core.storage.importers.sheet import Sheet
from cascade_core.storage.importers.stage_order import check_stage_count, natural_order
from cascade_core.support.files import BadFile


@dataclass(frozen=True, kw_only=True)
class Rows:
    """Where samples stand.

    Attributes:
        at: (M, N) rows of each sample at each stage.
        stage_names: M names.
        sample_ids: (N,) texts; None where there are none.
        by_appearance: Whether stages stand in the order in which rows first name them.
    """

    at: NDArray[np.int64]
    stage_names: list[str]
    sample_ids: NDArray[np.str_] | None
    by_appearance: bool


def arranged(
    sheet: Sheet, stages: pd.Series[Any] | None, samples: pd.Series[Any] | None, labels: NDArray[Any] | None
) -> Rows:
    """The rows by stage and sample, samples in the order in which the first stage has them.

    Args:
        stages, samples: (rows,) what says so; without stages there is one, without samples they stand in one order.
        labels: (rows,) or (rows, K); None where there are none.

    Raises:
        BadFile: A sample is missing or repeated at a stage, or has two labels.
    """
    stage, stage_names, by_appearance = _stages(stages, len(sheet.frame))
    check_stage_count(len(stage_names))
    ids = pd.Series(stage).groupby(stage).cumcount() if samples is None else samples.astype(str)
    sample, names = pd.factorize(ids)
    m, n = len(stage_names), len(names)
    for i in np.flatnonzero(pd.Series(stage * n + sample).duplicated().to_numpy())[:1]:
        raise BadFile(
            f"expected one row for each sample at stage {stage_names[stage[i]]!r} but row {sheet.row(i)} repeats "
            f"{str(names[sample[i]])[:40]!r}, its sample id"
        )
    if len(sheet.frame) != m * n:
        _name_missing(sheet, stage, sample, stage_names, names)
    at = np.empty((m, n), dtype=np.int64)
    at[stage, sample] = np.arange(len(sheet.frame))
    at = at[:, np.argsort(at[0])]
    if labels is not None:
        _check_labels(sheet, at, labels, stage_names)
    own_ids = None if samples is None else names.to_numpy(dtype=np.str_)[sample[at[0]]]
    return Rows(at=at, stage_names=stage_names, sample_ids=own_ids, by_appearance=by_appearance)


def _stages(stages: pd.Series[Any] | None, rows: int) -> tuple[NDArray[np.int64], list[str], bool]:
    """(rows,) numbers of stages, their names, and whether their order is that of the rows."""
    if stages is None:
        return np.zeros(rows, dtype=np.int64), ["stage 1"], False
    if isinstance(stages.dtype, pd.CategoricalDtype):
        codes, present = pd.factorize(stages.cat.codes, sort=True)
        return codes.astype(np.int64), [str(stages.cat.categories[code]) for code in present], False
    if stages.dtype.kind in "iuf":
        codes, numbers = pd.factorize(stages, sort=True)
        return codes.astype(np.int64), [f"stage {i + 1}" for i in range(len(numbers))], False
    codes, texts = pd.factorize(stages.str.strip())
    names = [str(text) for text in texts]
    order = natural_order(names)
    if order is None:
        return codes.astype(np.int64), names, len(names) > 1
    return np.argsort(order)[codes], [names[i] for i in order], False


def _check_labels(sheet: Sheet, at: NDArray[np.int64], labels: NDArray[Any], stage_names: list[str]) -> None:
    by_stage = labels[at]
    differ = (by_stage != by_stage[0]).reshape(*at.shape, -1).any(axis=2)
    for s, i in np.argwhere(differ)[:1]:
        raise BadFile(
            f"expected a sample to have one label but labels differ at stage {stage_names[s]!r}: row "
            f"{sheet.row(at[s, i])} has {_said(by_stage[s, i])} where row {sheet.row(at[0, i])} has "
            f"{_said(by_stage[0, i])}"
        )


def _said(label: Any) -> str:
    return f"{label:g}" if isinstance(label, float | int | np.number) else repr(np.asarray(label).tolist())[:40]


def _name_missing(
    sheet: Sheet, stage: NDArray[np.int64], sample: NDArray[np.int64], stages: list[str], samples: pd.Index
) -> None:
    """Raise BadFile with the first stage that lacks a sample, and where that sample stands otherwise."""
    n = len(samples)
    lacking = int(np.flatnonzero(np.bincount(stage, minlength=len(stages)) < n)[0])
    absent = int(np.setdiff1d(np.arange(n), sample[stage == lacking])[0])
    there = int(np.flatnonzero(sample == absent)[0])
    raise BadFile(
        f"expected the same {n:,} samples at every stage but stage {stages[lacking]!r} has no row of "
        f"{str(samples[absent])[:40]!r}, which row {sheet.row(there)} has at stage {stages[stage[there]]!r}"
    )
