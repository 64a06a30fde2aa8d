"""Answers and confidences without softmaxes -> class numbers, and what is right; lines on what was supposed.

Answers and labels are class numbers or names; names are classes as they come, blanks and capitals aside.  Where a file
says which answers are right, that is taken: then neither labels nor answers need be there, and what is not known is of
the class `OTHER`.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cascade_core.simulation.answers import StageAnswers
from cascade_core.storage.importers.found import Found
from cascade_core.storage.importers.labels import class_numbers
from cascade_core.storage.importers.naming import ANSWERS, CONFIDENCE, CORRECT, EITHER, LOGITS, PROBS
from cascade_core.storage.importers.said import Said
from cascade_core.support.files import BadFile

OTHER = "another answer"
"""The class of a wrong answer that is not there, and the label where no stage is right."""

RIGHT_OR_WRONG = ("right", "wrong")
"""The classes of a file that says nothing but which answers are right."""

_TRUTHS = {"true": True, "false": False, "yes": True, "no": False, "1": True, "0": False, "1.0": True, "0.0": False}


def is_without_softmaxes(arrays: dict[str, Any]) -> bool:
    """Whether a file holds confidences, and neither softmaxes nor logits."""
    return CONFIDENCE in arrays and not (PROBS in arrays or LOGITS in arrays)


def said_without_softmaxes(
    found: Found, arrays: dict[str, Any], class_names: tuple[str, ...] | None, labels_from: int
) -> Said:
    """What stages answered, and how sure they were.

    Raises:
        BadFile: Something is missing, or does not fit.
    """
    confidence = _by_stage(found, CONFIDENCE, arrays[CONFIDENCE], arrays)
    answers = next((arrays[name] for name in (ANSWERS, EITHER) if name in arrays), None)
    right = _truths(found, arrays, confidence.shape) if CORRECT in arrays else None
    if answers is not None:
        answers = _by_stage(found, ANSWERS, answers, arrays, confidence.shape)
    labels = np.asarray(arrays["labels"]) if "labels" in arrays else None
    if right is None and answers is None:
        raise BadFile("expected answers, or which answers are correct, beside confidence")
    if labels is not None and labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels is not None and labels.shape != confidence.shape[1:]:
        raise BadFile(f"expected labels to have shape ({confidence.shape[1]},) (samples) but it had {labels.shape}")
    if answers is not None and labels is None and right is None:
        return _without_labels(found, answers, confidence, class_names, labels_from)
    predictions, numbers, names = _classes(found, answers, labels, right, class_names, labels_from)
    judged = predictions == numbers if right is None else right
    if answers is not None and labels is not None and right is not None:
        _note_other_judgement(found, predictions == numbers, right)
    return Said(
        form=StageAnswers,
        by_stage={"predictions": predictions, "confidence": _numbers(found, confidence), "correct": judged},
        labels=numbers,
        class_names=names,
        accuracy=judged.mean(axis=1),
    )


def _without_labels(
    found: Found,
    answers: NDArray[Any],
    confidence: NDArray[Any],
    class_names: tuple[str, ...] | None,
    labels_from: int,
) -> Said:
    """Answers that nothing says of which are right."""
    (predictions,), names = _numbered(found, [answers], class_names, labels_from)
    return Said(
        form=StageAnswers,
        by_stage={"predictions": predictions, "confidence": _numbers(found, confidence)},
        labels=None,
        class_names=names,
        accuracy=None,
    )


def _by_stage(
    found: Found, name: str, values: Any, arrays: dict[str, Any], shape: tuple[int, ...] | None = None
) -> NDArray[Any]:
    """(M, N) from (M, N), from (N, M) where labels tell so, or from (N,) of one stage."""
    raw = np.asarray(values)
    values = raw[None] if raw.ndim == 1 else raw
    samples = len(np.atleast_1d(arrays["labels"])) if "labels" in arrays else values.shape[-1]
    if values.ndim == 2 and values.shape[1] != samples and values.shape[0] == samples:
        values = values.T
        found.notes.append(f"The shape {raw.shape} of {name} was taken as (samples, stages), which alone fits.")
    if values.ndim != 2 or values.shape[1] != samples or not values.size or shape not in (None, values.shape):
        expected = f"({'stages' if shape is None else shape[0]}, {samples})"
        raise BadFile(f"expected {name} to have shape {expected} (stages, samples) but it had shape {raw.shape}")
    return values


def _numbers(found: Found, confidence: NDArray[Any]) -> NDArray[np.float32]:
    if confidence.dtype.kind not in "biuf":
        raise BadFile(f"expected confidence to be numbers but it holds {confidence.dtype}")
    with np.errstate(over="ignore"):
        result = confidence.astype(np.float32)
    wrong = ~np.isfinite(result)
    if wrong.any():
        stage, sample = found.first(wrong)
        raise BadFile(f"expected a finite confidence but {found.place(stage, sample)} has {confidence[stage, sample]}")
    return result


def _truths(found: Found, arrays: dict[str, Any], shape: tuple[int, ...]) -> NDArray[np.bool_]:
    values = _by_stage(found, CORRECT, arrays[CORRECT], arrays, shape)
    if values.dtype.kind == "b":
        return values
    known = {text: _TRUTHS.get(str(text).strip().casefold()) for text in np.unique(values.astype(str)).tolist()}
    odd = np.isin(values.astype(str), [text for text, truth in known.items() if truth is None])
    if odd.any():
        stage, sample = found.first(odd)
        raise BadFile(
            f"expected {CORRECT} to be true or false but {found.place(stage, sample)} has "
            f"{str(values[stage, sample])[:40]!r}"
        )
    return np.isin(values.astype(str), [text for text, truth in known.items() if truth])


def _classes(
    found: Found,
    answers: NDArray[Any] | None,
    labels: NDArray[Any] | None,
    right: NDArray[np.bool_] | None,
    class_names: tuple[str, ...] | None,
    labels_from: int,
) -> tuple[NDArray[np.int64], NDArray[np.int64], tuple[str, ...] | None]:
    """Class numbers of answers (M, N) and of labels (N,), and the names of the classes."""
    if answers is None and labels is None:
        assert right is not None
        return np.where(right, 0, 1), np.zeros(right.shape[1], np.int64), RIGHT_OR_WRONG
    said = [part for part in (answers, labels) if part is not None]
    numbers, names = _numbered(found, said, class_names, labels_from)
    if answers is not None and labels is not None:
        return numbers[0], numbers[1], names
    assert right is not None
    count = 1 + max(int(part.max()) for part in numbers) if names is None else len(names)
    known = tuple(map(str, range(count))) if names is None else names
    if answers is None:
        return np.where(right, numbers[0], count), numbers[0], (*known, OTHER)
    # The answer of the last stage that is right; where none is, nobody says what would have been.
    last = right.shape[0] - 1 - np.argmax(right[::-1], axis=0)
    label = np.where(right.any(axis=0), numbers[0][last, np.arange(right.shape[1])], count)
    found.notes.append("There are no labels: the answers that are right stand for them.")
    return numbers[0], label, (*known, OTHER)


def _numbered(
    found: Found, said: list[NDArray[Any]], class_names: tuple[str, ...] | None, labels_from: int
) -> tuple[list[NDArray[np.int64]], tuple[str, ...] | None]:
    """Class numbers for what was answered and labelled, and names of the classes where they have any."""
    if class_names is None and any(part.dtype.kind in "USO" for part in said):
        return _by_name(found, said)
    flat = [part.ravel() for part in said]
    largest = max((float(part.max()) for part in flat if part.dtype.kind in "biuf"), default=0.0)
    classes = len(class_names) if class_names is not None else max(1, int(min(largest, 1 << 31)) + 1 - labels_from)
    numbers = [class_numbers(found, part, classes, class_names, labels_from) for part in flat]
    return [part.reshape(own.shape) for part, own in zip(numbers, said, strict=True)], class_names


def _by_name(found: Found, said: list[NDArray[Any]]) -> tuple[list[NDArray[np.int64]], tuple[str, ...]]:
    """Class numbers by the texts that answers and labels are, each a class of its own."""
    texts = [_texts(part) for part in said]
    if len(texts) == 2 and not np.isin(np.char.lower(texts[0]), np.char.lower(texts[1])).any():
        answer, label = (str(part.flat[0])[:40] for part in texts)
        raise BadFile(
            f"expected answers and labels of the same classes but no answer is a label: {answer!r} is answered where "
            f"the label is {label!r}; class_names must give the names of the classes"
        )
    every = np.unique(np.concatenate([part.ravel() for part in texts]))
    alike: dict[str, str] = {}
    # A class is spelt as labels have it.
    for text in [*np.unique(texts[-1]).tolist(), *every.tolist()]:
        alike.setdefault(text.casefold(), text)
    if len(alike) < len(every):
        found.notes.append("Answers that differ in capitals alone were taken as one.")
    names = sorted(alike, key=_natural)
    place = {name: k for k, name in enumerate(names)}
    number = np.array([place[text.casefold()] for text in every.tolist()])
    return [number[np.searchsorted(every, part)] for part in texts], tuple(alike[name] for name in names)


def _texts(values: NDArray[Any]) -> NDArray[np.str_]:
    """As texts, whole numbers without a decimal point, and blanks around them gone."""
    if values.dtype.kind == "f" and (values == np.floor(values)).all():
        values = values.astype(np.int64)
    return np.char.strip(values.astype(np.str_))


def _natural(text: str) -> tuple[tuple[int, str], ...]:
    return tuple((int(part or 0), "") if part.isdecimal() else (0, part) for part in re.split(r"(\d{1,18})", text))


def _note_other_judgement(found: Found, by_label: NDArray[np.bool_], right: NDArray[np.bool_]) -> None:
    """A line where what a file calls correct is not what its labels say."""
    differ = by_label != right
    if differ.any():
        stage, sample = found.first(differ)
        found.notes.append(
            f"{CORRECT} says otherwise than answers and labels {differ.sum():,} times of {differ.size:,}, first in "
            f"{found.place(stage, sample)}, and was taken: labels off by one, or judged by more than labels?"
        )
