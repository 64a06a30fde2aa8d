"""A choice that was brought back: where a slider or its handles stand for it, and whether what it says of itself is so.

A choice file says what its thresholds were measured to do.  Where these are the run and the samples that it names, the
same numbers must come out again; what does not agree was changed after it was measured, or measured otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from cascade_core.analysis.points import Setting
from cascade_core.simulation.evaluation import Evaluation
from cascade_core.simulation.exits import ExitRule
from cascade_core.storage.choice import BY_HAND, Choice
from cascade_core.support import wording
from cascade_core.support.terms import Terms, terms

SAME = 1e-6
"""Difference of two fractions up to which they are the same: less than one of a million samples."""


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What is to be said of a choice that was brought back.

    Attributes:
        agrees: Whether its numbers are those that are measured now; None where the two cannot be compared.
        words: Sentences on both.
    """

    agrees: bool | None
    words: str


def check_stages(choice: Choice, stage_names: Sequence[str]) -> None:
    """Raise ValueError unless a choice is for stages of these names; one line says of which run it is."""
    own = choice.rule.stage_names
    if own is None or own == tuple(stage_names):
        return
    whose = f", those of {choice.run['name']!r:.80}" if choice.run is not None else ""
    raise ValueError(
        f"Expected thresholds for the stages {', '.join(stage_names)} but they are for {', '.join(own)}{whose}: "
        "look at the run that they were chosen on, or load thresholds of this one"
    )


def placed(rule: ExitRule, setting: Setting) -> Setting:
    """The setting with the thresholds of `rule`: a position that has them, the nearest to where one is, or by hand.

    Set by hand they are seen from the position that gives up nearest to as much.

    Raises:
        ValueError: It is a rule of another kind than the exploration's; one line says what differs.
    """
    path = setting.exploration.path
    if rule.stage_names not in (None, path.stage_names):
        raise ValueError(f"its stages are {', '.join(rule.stage_names or ())}, not {', '.join(path.stage_names)}")
    if (rule.score, rule.top_k) != (path.score, path.top_k):
        raise ValueError(f"its score is {_score(rule.score, rule.top_k)}, not {_score(path.score, path.top_k)}")
    if rule.by_class != path.by_class:
        kinds = ("one threshold a stage", "thresholds for each class")
        raise ValueError(f"it has {kinds[rule.by_class]}, and this policy {kinds[path.by_class]}")
    same = (path.thresholds == rule.thresholds).reshape(len(path), -1).all(axis=1)
    places = [int(place) for place in np.flatnonzero(same) if path.rule(int(place)).pool == rule.pool]
    if places:
        return setting.at(min(places, key=lambda place: abs(place - setting.position)))
    if rule.by_class:
        raise ValueError("no position of the slider has its thresholds for each class")
    by_hand = setting.at(setting.position, tuple(map(float, rule.thresholds)))
    if by_hand.rule.pool != rule.pool:
        answers = ("each stage's own answers", "pooled answers", "pooled answers of other weights")
        theirs = 0 if rule.pool is None else 1 + (path.pool is not None)
        raise ValueError(f"it is for {answers[theirs]}, and these are {answers[path.pool is not None]}")
    away = np.abs(setting.exploration.evaluation.accuracy_drop - by_hand.evaluation.accuracy_drop)
    return setting.at(int(away.argmin()), by_hand.by_hand)


def _score(name: str, top_k: int) -> str:
    return name if top_k == 1 else f"{name}, top {top_k}"


def verdict(choice: Choice, evaluation: Evaluation, sha256: str, split: Mapping[str, Any]) -> Verdict:
    """Whether the numbers of a choice are those of `evaluation`, and whether its thresholds saw these samples.

    Args:
        evaluation: What its rule does on the samples that are shown.
        sha256: Of the run that is shown.
        split: Which of its samples they are, as `Split.describe` says it.
    """
    now = _numbers(evaluation.accuracy, evaluation.accuracy_drop, evaluation.saving, evaluation.terms)
    provenance = _provenance(choice, sha256, split)
    if choice.run is None or choice.run["sha256"] != sha256 or not _same(choice.measured.get("split"), split):
        return Verdict(agrees=None, words=f"On these {evaluation.n:,} samples: {now}. {provenance}")
    found = choice.measured
    pairs = [(found[name], getattr(evaluation, name)) for name in ("n", "accuracy", "accuracy_drop", "saving")]
    if all(abs(recorded - measured) <= SAME for recorded, measured in pairs):
        return Verdict(agrees=True, words=f"On these {evaluation.n:,} samples, as the file says: {now}. {provenance}")
    theirs = terms(found.get("reference", "labels"))
    then = _numbers(found["accuracy"], found["accuracy_drop"], found["saving"], theirs)
    return Verdict(
        agrees=False,
        words=f"The file does not agree with itself. It says of {found['n']:,} samples: {then}. Its thresholds on "
        f"these {evaluation.n:,}, which are those it names: {now}. It was changed after it was measured, or measured "
        "by other rules; choose thresholds anew.",
    )


def _numbers(accuracy: float, drop: float, saving: float, words: Terms) -> str:
    gave = wording.change(drop, 2, words)
    right = f"{words.accuracy} {wording.percent(accuracy, 2)}"
    return f"{right}, {gave}, {wording.percent(saving, 1)} of the computation saved"


def _same(theirs: Mapping[str, Any] | None, ours: Mapping[str, Any]) -> bool:
    """Whether two splits measure the same samples: all of them are the same however they were divided."""
    if theirs is None or theirs["measured_on"] != ours["measured_on"]:
        return False
    return theirs["measured_on"] == "all" or theirs == ours


def _provenance(choice: Choice, sha256: str, split: Mapping[str, Any]) -> str:
    """Whether the samples that are shown are among those that the thresholds were chosen on."""
    theirs = choice.measured.get("split")
    if choice.run is None or theirs is None:
        return "The file does not say which samples its thresholds were chosen on; they may be among these."
    if choice.run["sha256"] != sha256:
        return "The thresholds were chosen on another run."
    if not _same(theirs, split):
        return "In-sample: the thresholds were chosen with another split of this run, and saw some of these samples."
    if choice.policy is not None and choice.policy["name"] == BY_HAND:
        return "The thresholds were set by hand on these samples, and are not certified."
    if theirs["measured_on"] == "all":
        return "In-sample: the thresholds were chosen on these samples."
    return "The thresholds were chosen on the other half of this run and never saw these samples."
