"""Which axis of an array holds stages, which samples, which classes: told by lengths that are known, and by sums.

The order is (stages, samples, classes).  Another one is taken, and said, where it is the only one that fits; where
several fit and the usual one does not, the file is refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations
from typing import Any

from numpy.typing import NDArray

from cascade_core.storage.importers.found import Found
from cascade_core.storage.importers.naming import PROBS
from cascade_core.storage.importers.softmaxes import of_two_classes, sum_to
from cascade_core.support.files import BadFile

Known = tuple[int | None, int | None, int | None]

_AXES = ("stages", "samples", "classes")


def in_order(found: Found, kind: str, raw: NDArray[Any], known: Known, least: int) -> NDArray[Any]:
    """(M, N, K) from what an array holds; a line on another order goes to `found.notes`.

    Two axes are those of one stage, or, of two classes, one probability for each stage and sample.  What a table held
    is in order already.

    Args:
        kind: What the values are called.
        known: Numbers of stages, samples and classes, as far as other arrays tell.
        least: Classes that labels name at least.

    Raises:
        BadFile: There are not two or three axes, or several orders fit.
    """
    if found.rows is not None:
        return raw
    stages, samples, _ = known
    values = raw
    if values.ndim == 2 and samples in (None, values.shape[0]) and stages in (None, 1):
        values = values[None]
    elif values.ndim == 2 and values.shape[1] == samples and least <= 2 and stages in (None, values.shape[0]):
        values = values[..., None]
    if values.ndim != 3:
        raise BadFile(f"expected {kind} to have shape (stages, samples, classes) but it had shape {raw.shape}")
    if stages is None and samples is None and values.shape[0] > values.shape[1]:
        raise BadFile(
            f"expected {kind} of shape (stages, samples, classes) but shape {raw.shape} has more stages than samples, "
            "and neither labels, sample_ids, macs nor stage_names say which axis is which"
        )
    if not _fits(kind, values, (0, 1, 2), known, least):
        values = _turned(found, kind, values, known, least)
    if values.shape[2] == 1 and (least == 2 or (kind == PROBS and not (values == 1).all())):
        found.notes.append(f"One number for each sample under {kind} was taken as that of class 1, of two classes.")
        return of_two_classes(kind, values)
    return values


def _turned(found: Found, kind: str, values: NDArray[Any], known: Known, least: int) -> NDArray[Any]:
    """The values in the one other order that fits; as they are where none does, for what is wrong is said later."""
    others = [order for order in permutations(range(3)) if _fits(kind, values, order, known, least)]
    if len(others) > 1:
        ways = " and as ".join(_spoken(order) for order in others)
        raise BadFile(
            f"expected {kind} of shape (stages, samples, classes) but shape {values.shape} fits as {ways}; "
            "transpose it, or say more of the stages and classes (macs, stage_names, class_names)"
        )
    if not others:
        return values
    found.notes.append(f"The shape {values.shape} of {kind} was taken as {_spoken(others[0])}, which alone fits.")
    return values.transpose(others[0])


def _fits(kind: str, values: NDArray[Any], order: Sequence[int], known: Known, least: int) -> bool:
    """Whether the axes `order` may be stages, samples and classes."""
    lengths = [values.shape[axis] for axis in order]
    if any(expected not in (None, length) for expected, length in zip(known, lengths, strict=True)):
        return False
    if lengths[2] == 1:
        return least <= 2
    if lengths[2] < least:
        return False
    return kind != PROBS or any(sum_to(values, total, order[2]) for total in (1, 100))


def _spoken(order: Sequence[int]) -> str:
    """What the axes of an array are, whose axes `order` hold stages, samples and classes."""
    return f"({', '.join(name for _, name in sorted(zip(order, _AXES, strict=True)))})"
