"""What arrays and columns are called: the names of this project, and others that say the same.

Capitals, and blanks, dashes or dots in the place of underscores, make no difference.  A column of one class is called
by what it holds and by its class: ``p_0``, ``prob_cat``, ``logit_3``, ``p[1]``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache

from cascade_core.support.files import BadFile

PROBS, LOGITS, EITHER = "probs", "logits", "predictions"
"""What softmaxes are called, what they are made of, and what may be one or the other."""

VALUES = (PROBS, LOGITS, EITHER)

ANSWERS, CONFIDENCE, CORRECT = "answers", "confidence", "correct"
"""What is there of a sample at a stage where there are no softmaxes."""

COST, COST_UNIT, BASELINE_COST = "cost", "cost_unit", "baseline_cost"
"""What a stage adds in a unit of its own, for all samples or for each, its unit, and what the plain network costs."""

_LONGEST = 1_000
"""Letters of a name beyond which it is none that is known."""

_REMEMBERED = 1 << 17
"""Names whose meaning is kept; a table with a column for each of many classes is gone through several times."""

_FACTORS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9}

MAC_NAMES: Mapping[str, tuple[int, int]] = {
    f"{prefix}{unit}{way}": (factor, 2 if unit == "flops" else 1)
    for way in ("", "_up_to")
    for unit in ("macs", "flops")
    for prefix, factor in _FACTORS.items()
}
"""Names of what stages cost: MACs of one are the number times the first, divided by the second (a MAC is two FLOPs)."""

_OTHERS = {
    "probs": ("probabilities", "softmax", "softmaxes", "proba", "probas", "prob", "p"),
    "logits": ("logit", "log_probs", "logprobs", "log_softmax"),
    "predictions": (),
    "answers": ("answer", "prediction", "predicted", "predicted_label", "pred", "y_pred"),
    "confidence": ("confidences", "conf"),
    "correct": ("is_correct", "right"),
    "labels": ("label", "label_ids", "label_id", "targets", "target", "y_true", "true_label", "true_labels"),
    "stage": ("stages", "exit", "model"),
    "sample_ids": ("sample_id", "sample", "samples", "ids", "id", "filenames", "filename", "file_name"),
    "stage_names": (),
    "class_names": ("classes",),
    COST: ("costs",),
    COST_UNIT: ("unit",),
    BASELINE_COST: (),
    "head_macs": (),
    "baseline_macs": (),
} | dict.fromkeys(MAC_NAMES, ())

_MEANING = {other: name for name, others in _OTHERS.items() for other in (name, *others)}

_CLASS = re.compile(
    r"(p|probs?|probas?|probability|probabilities|softmax|(logits?|log_?probs?))(?:[ _.\-\[]+|(?=\d))(.+?)\]?",
    re.IGNORECASE,
)

_LABEL = re.compile(r"(?:labels?|targets?|y|y_true|one_?hot)_?(\d{1,6})")


_OF_STAGES = {other: name for name in (CONFIDENCE, ANSWERS, CORRECT, COST, "macs") for other in (name, *_OTHERS[name])}

_WORDS = "|".join(sorted((re.escape(word) for word in _OF_STAGES), key=len, reverse=True))

_STAGE_COLUMN = re.compile(rf"(?:(.+?)_)?({_WORDS})(?:_(.+))?")


@dataclass(frozen=True)
class StageColumn:
    """What a column's name says of a stage: which that is, and what of it the column holds."""

    stage: str
    what: str


@dataclass(frozen=True)
class ClassColumn:
    """What a column's name says of its class: what it holds, and which class that is."""

    kind: str
    prefix: str
    klass: str


def plain(name: str) -> str:
    """A name without what makes no difference."""
    return re.sub(r"[\s.\-]+", "_", name.strip().lstrip("#").strip()).casefold()


def meaning(name: str) -> str | None:
    """What this project calls it; None where it is nothing that an importer knows."""
    return _meaning(name) if len(name) <= _LONGEST else None


def class_column(name: str) -> ClassColumn | None:
    """The class that a column is of, if it is of one."""
    return _class_column(name) if len(name) <= _LONGEST else None


def stage_column(name: str) -> StageColumn | None:
    """The stage that a column is of, where a row holds all stages: ``small_confidence``, ``answer_0``.

    >>> stage_column("stage 0 confidence"), stage_column("Answer-small"), stage_column("is_correct")
    (StageColumn(stage='stage_0', what='confidence'), StageColumn(stage='small', what='answers'), None)
    """
    found = _STAGE_COLUMN.fullmatch(plain(name)) if len(name) <= _LONGEST and meaning(name) is None else None
    if found is None or (found[1] is None) == (found[3] is None):
        return None
    return StageColumn(stage=found[1] or found[3], what=_OF_STAGES[found[2]])


def is_confidence(name: str) -> bool:
    """Whether a column holds how sure stages, or one stage, were of their answers."""
    of_stage = stage_column(name)
    return meaning(name) == CONFIDENCE or (of_stage is not None and of_stage.what == CONFIDENCE)


@lru_cache(_REMEMBERED)
def _meaning(name: str) -> str | None:
    return _MEANING.get(plain(name))


@lru_cache(_REMEMBERED)
def _class_column(name: str) -> ClassColumn | None:
    found = _CLASS.fullmatch(name.strip().lstrip("#").strip())
    if found is None:
        return None
    return ClassColumn(kind=LOGITS if found[2] else PROBS, prefix=found[0][: found.start(3)], klass=found[3].strip())


def label_column(name: str) -> int | None:
    """The class that a column of labels is of, where there is one for each class: ``label_0``, ``y_1``."""
    found = _LABEL.fullmatch(plain(name)) if len(name) <= _LONGEST else None
    return None if found is None else int(found[1])


def resembling(means: str, names: Iterable[str]) -> list[str]:
    """Names that an importer does not know and that are nearly one of those that mean `means`."""
    known = (means, *_OTHERS[means])
    unknown = [name for name in names if len(name) <= _LONGEST and meaning(name) is None and class_column(name) is None]
    return [name for name in unknown if get_close_matches(plain(name), known, 1, 0.75)]


def by_meaning(names: Iterable[str], what: str) -> dict[str, str]:
    """Names by what they mean; where several mean the same, the one that this project uses.

    Raises:
        BadFile: Several mean the same, and none is this project's or one is there twice.
    """
    found: dict[str, list[str]] = {}
    for name in names:
        if (means := meaning(name)) is not None:
            found.setdefault(means, []).append(name)
    return {means: _only(means, alike, what) for means, alike in found.items()}


def _only(means: str, names: list[str], what: str) -> str:
    for own in (means, *_OTHERS[means][:1]):
        exact = [name for name in names if name == own]
        if len(names) == 1 or len(exact) == 1:
            return exact[0] if exact else names[0]
    if len(set(names)) == 1:
        raise BadFile(f"expected one {what} {names[0]!r} but there are {len(names)}")
    raise BadFile(f"expected one {what} of {means} but there are {', '.join(map(repr, names[:4]))}; keep one")
