"""Values of any kind -> softmaxes, with a line on what was mended: logits, logarithms, percents, rounded softmaxes.

What values are is said by their name and checked on all of them, stage by stage: where every row of a stage is
nowhere negative and sums to 1, they are softmaxes, whatever they are called, and are not softmaxed again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from cascade_core.simulation.outputs import ROUNDED
from cascade_core.storage.importers.found import Found
from cascade_core.storage.importers.naming import EITHER, LOGITS, PROBS
from cascade_core.support.files import BadFile

EXACT = 1e-5
"""How far exact ones do, in float32."""

_AT_ONCE = 1 << 20
"""Values that are converted at once."""

NEGATIVE = -1e-6
"""What arithmetic leaves of zero."""


def as_softmaxes(found: Found, kind: str, values: NDArray[Any]) -> NDArray[np.float32]:
    """(M, N, K) float32, rows summing to 1; lines on what was done go to `found.notes`.

    Args:
        kind: What `values` are called: probs, logits, or predictions, which are either.
        values: (M, N, K) numbers.

    Raises:
        BadFile: A row is not what its name says.
    """
    result = np.empty(values.shape, dtype=np.float32)
    sums, wrong = np.ones(values.shape[:2]), np.zeros(values.shape[:2], dtype=bool)
    forms = []
    # What is no number is looked for, not an accident.
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        for stage, native in enumerate(values):
            forms.append(_form(native, kind))
            if forms[-1] == LOGITS:
                for at, rows in _blocks(native):
                    wrong[stage, at] = ~np.isfinite(rows.max(axis=1)) | np.isnan(rows).any(axis=1)
                    result[stage, at] = softmax(rows)
                continue
            shares = _CONVERSIONS[forms[-1]]
            for at, rows in _blocks(native):
                sums[stage, at] = shares(rows).sum(axis=1)
                wrong[stage, at] = ~(np.abs(sums[stage, at] - 1) <= ROUNDED) | (shares(rows).min(axis=1) < NEGATIVE)
            exact = np.abs(sums[stage] - 1).max() <= EXACT
            for at, rows in _blocks(native):
                result[stage, at] = np.maximum(shares(rows) if exact else shares(rows) / sums[stage, at][:, None], 0)
    if wrong.any():
        _refuse(found, forms, values, *found.first(wrong))
    _note(found, kind, forms, sums)
    return result


def _blocks(values: NDArray[Any]) -> Iterator[tuple[slice, NDArray[np.float64]]]:
    """Some rows after others in float64, and where they stand: all at once would take several times what they hold."""
    step = max(1, _AT_ONCE // values.shape[1])
    for start in range(0, len(values), step):
        at = slice(start, start + step)
        yield at, values[at].astype(np.float64)


def softmax(logits: NDArray[np.float64]) -> NDArray[np.float32]:
    """Softmaxes along the last axis; the softmax of minus infinity is 0."""
    raised = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return (raised / raised.sum(axis=-1, keepdims=True)).astype(np.float32)


def of_two_classes(kind: str, values: NDArray[Any]) -> NDArray[Any]:
    """(..., 2) from (..., 1) numbers of class 1: its probabilities, or logits against those of class 0."""
    return np.concatenate([1 - values if kind == PROBS else np.zeros_like(values), values], axis=-1)


def sum_to(rows: NDArray[Any], total: float, axis: int = -1) -> bool:
    """Whether rows are nowhere negative and sum to `total`, as far as rounding lets them."""
    with np.errstate(invalid="ignore"):
        near = np.abs(rows.sum(axis=axis, dtype=np.float64) / total - 1) <= ROUNDED
        return bool(near.all() and (rows >= NEGATIVE).all())


def _form(values: NDArray[Any], kind: str) -> str:
    """What a stage's rows are: probs, logits, percents, or logarithms of softmaxes."""
    if values.shape[1] < 2:
        return PROBS if kind == PROBS else LOGITS
    if all(sum_to(rows, 1) for _, rows in _blocks(values)):
        return PROBS
    if all(sum_to(rows, 100) for _, rows in _blocks(values)):
        return "percents"
    if kind != PROBS:
        return LOGITS
    logarithms = all((rows <= -NEGATIVE).all() and sum_to(np.exp(rows), 1) for _, rows in _blocks(values))
    return "logarithms" if logarithms else PROBS


def _refuse(found: Found, forms: Sequence[str], values: NDArray[Any], stage: int, sample: int) -> NoReturn:
    """Raise BadFile on the row of a sample at a stage."""
    row, place = values[stage, sample].astype(np.float64), found.place(stage, sample)
    odd = np.isnan(row) | np.isposinf(row)
    if odd.any() and forms[stage] == LOGITS:
        klass = int(odd.argmax())
        raise BadFile(f"expected logits to be numbers or -inf but {place}, class {klass} is {row[klass]:g}")
    if forms[stage] == LOGITS:
        raise BadFile(f"expected a finite logit of some class but {place} has -inf alone")
    raise BadFile(
        f"expected softmaxes (no negative value, each row summing to 1) but {place} sums to {row.sum():.6g} with least "
        f"value {row.min():.6g} at class {row.argmin()}; values before the softmax belong under logits, in a table in "
        "columns logit_0, logit_1, ..."
    )


def _note(found: Found, kind: str, forms: Sequence[str], sums: NDArray[np.float64]) -> None:
    """Lines on stages whose values are not what they are called, and on rounded ones."""
    for form, words in _WORDS.items():
        stages = [stage for stage, other in enumerate(forms) if other == form]
        if stages and form != kind and (form, kind) != (PROBS, EITHER):
            where = "" if len(stages) == len(forms) else f" at stage {', '.join(str(stage + 1) for stage in stages)}"
            found.notes.append(f"What stands under {kind}{where} {words}, and were taken as such.")
    if np.abs(sums - 1).max() > EXACT:
        found.notes.append(
            f"Softmaxes sum to {sums.min():.4g} to {sums.max():.4g}, as rounded ones do: each was divided by its sum."
        )


_CONVERSIONS: Mapping[str, Callable[[NDArray[np.float64]], NDArray[np.float64]]] = {
    PROBS: lambda rows: rows,
    "percents": lambda rows: rows / 100,
    "logarithms": np.exp,
}

_WORDS = {
    PROBS: "are softmaxes already (nowhere negative, each row sums to 1)",
    "percents": "are softmaxes in percent (each row sums to 100)",
    "logarithms": "are logarithms of softmaxes",
}
