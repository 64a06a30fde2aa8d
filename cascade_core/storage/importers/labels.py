"""Labels of any kind -> class numbers: numbers from 0, or from 1 where that is said, names, and one column a class."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cascade_core.storage.importers.found import Found
from cascade_core.storage.importers.naming import class_column, resembling
from cascade_core.support.files import BadFile
from cascade_core.support.terms import NO_LABELS

MOST = 1 << 53
"""Beyond this, numbers that a table holds may not be those that were written."""


def least_classes(labels: NDArray[Any], labels_from: int) -> int:
    """How many classes labels name at least, as far as that shows before anything is checked."""
    if labels.dtype.kind not in "iufb" or not labels.size:
        return 1
    if labels.ndim == 2 and labels.shape[1] > 1:
        return int(labels.shape[1])
    largest = labels.max()
    return int(largest) + 1 - labels_from if 0 <= largest < MOST else 1


def without_labels(names: Sequence[str]) -> str:
    """A line on a file that has no labels among what it holds, so that a misspelt name is noticed."""
    ordered = sorted(names, key=lambda name: class_column(name) is not None)
    listed = ", ".join(repr(name)[:40] for name in ordered[:8]) + (", ..." if len(ordered) > 8 else "")
    meant = "".join(f"; if {name!r:.40} holds labels, call it 'label'" for name in resembling("labels", names)[:1])
    return f"{NO_LABELS} The file holds {listed}{meant}."


def class_numbers(
    found: Found, labels: NDArray[Any], classes: int, class_names: Sequence[str] | None, labels_from: int
) -> NDArray[np.int64]:
    """(N,) numbers of classes from 0; lines on what was supposed go to `found.notes`.

    Args:
        labels: (N,) numbers or names, (N, 1), or (N, K) with a one for the class and zeros.
        class_names: K names, if there are any.
        labels_from: The number of the first class, 0 or 1.

    Raises:
        BadFile: A label is of none of the classes.
    """
    if labels.ndim == 2:
        labels = _of_columns(found, labels, classes)
    if labels.ndim != 1:
        raise BadFile(f"expected labels to have shape (samples) but it had shape {labels.shape}")
    if labels.dtype.kind in "US":
        by_name = _by_name(labels, class_names)
        return _as_numbers(found, labels, classes, class_names, labels_from) if by_name is None else by_name
    whole = _whole(found, labels)
    inside = whole.min() >= labels_from and whole.max() < classes + labels_from
    by_name = None if inside or labels_from else _by_name(whole.astype(str), class_names)
    if by_name is not None:
        found.notes.append("Labels are no class numbers from 0, and were looked up among the names of the classes.")
        return by_name
    return _inside(found, whole, classes, labels_from)


def _of_columns(found: Found, labels: NDArray[Any], classes: int) -> NDArray[Any]:
    """(N,) labels from (N, 1), or from (N, K) with a one for the class and zeros."""
    if labels.shape[1] == 1:
        return labels[:, 0]
    if labels.dtype.kind in "US" or labels.shape[1] != classes:
        raise BadFile(
            f"expected labels to have shape (samples), or (samples, {classes}) with a one for each sample's class, "
            f"but it had shape {labels.shape}"
        )
    wrong = ~(((labels == 0) | (labels == 1)).all(axis=1) & (labels.sum(axis=1) == 1))
    for i in np.flatnonzero(wrong)[:1]:
        raise BadFile(f"expected one one and else zeros in the labels of {found.label_place(int(i))} but there are not")
    return np.asarray(labels.argmax(axis=1))


def _by_name(labels: NDArray[Any], class_names: Sequence[str] | None) -> NDArray[np.int64] | None:
    """Numbers of the classes that labels name, blanks and capitals aside if need be; None if some name none."""
    for alike in (str, lambda text: str(text).strip(), lambda text: str(text).strip().casefold()):
        numbers = {alike(name): k for k, name in enumerate(class_names or ())}
        named = [numbers.get(alike(label)) for label in labels.tolist()]
        if len(numbers) == len(class_names or ()) and None not in named:
            return np.array(named, dtype=np.int64)
    return None


def _as_numbers(
    found: Found, labels: NDArray[Any], classes: int, class_names: Sequence[str] | None, labels_from: int
) -> NDArray[np.int64]:
    """Class numbers that were written as texts."""
    numbers = np.array([_number(label) for label in labels.tolist()])
    if not np.isfinite(numbers).all():
        i = int(np.flatnonzero(~np.isfinite(numbers))[0])
        known = "; where labels are names, class_names must give them in the order of the softmaxes"
        if class_names is not None:
            known = f"; the names of the classes are {', '.join(map(repr, class_names[:6]))}"[:160]
        raise BadFile(
            f"expected a class as a whole number in {found.label_place(i)} but it is {str(labels[i])[:40]!r}{known}"
        )
    return _inside(found, _whole(found, numbers), classes, labels_from)


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return np.nan


def _whole(found: Found, labels: NDArray[Any]) -> NDArray[np.int64]:
    with np.errstate(invalid="ignore"):
        wrong = ~(np.isfinite(labels) & (np.floor(labels) == labels) & (np.abs(labels.astype(np.float64)) <= MOST))
    for i in np.flatnonzero(wrong)[:1]:
        raise BadFile(f"expected a class as a whole number in {found.label_place(int(i))} but it is {labels[i]}")
    return labels.astype(np.int64)


def _inside(found: Found, labels: NDArray[np.int64], classes: int, labels_from: int) -> NDArray[np.int64]:
    numbers = labels - labels_from
    for i in np.flatnonzero((numbers < 0) | (numbers >= classes))[:1]:
        from_one = labels_from == 0 and labels.min() == 1 and labels.max() == classes
        hint = "; labels seem to count from 1: say so (--labels-from 1, labels_from=1)" if from_one else ""
        raise BadFile(
            f"expected a class from {labels_from} to {classes - 1 + labels_from} in {found.label_place(int(i))} but it "
            f"is {labels[i]}; there are softmaxes of {classes} classes{hint}"
        )
    return numbers
