"""A question, a policy swept over a run, and what answers it: read or computed once, and kept.

What is kept is known by its run's digest, so that a replaced file is noticed; it is never written to.  Of runs of the
cache folder it is shared between sessions; of a run that a session brought (see `upload`) it is kept in that session
alone, and never taken from another.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial, wraps
from operator import attrgetter
from typing import Any, Concatenate, ParamSpec, TypeVar

import numpy as np
import streamlit as st

from cascade_core.analysis import prepared
from cascade_core.analysis.elsewhere import elsewhere
from cascade_core.analysis.exploration import Exploration, Split, explore, halves
from cascade_core.analysis.likeness import Likeness, likeness
from cascade_core.analysis.points import Setting
from cascade_core.analysis.prepared import Prepared
from cascade_core.analysis.spread import Judged
from cascade_core.panels.runs import Run, prepared_of
from cascade_core.policies import SWEEPS
from cascade_core.policies.answers import Halves
from cascade_core.rendering.axes import ConfidenceAxis, confidence_axis
from cascade_core.rendering.live.data import live_data, words
from cascade_core.rendering.published import PublishedResult
from cascade_core.simulation import suspicions
from cascade_core.simulation.certificates import AMONG, Among
from cascade_core.simulation.groups import Groups
from cascade_core.simulation.meters import MACS, Meter
from cascade_core.simulation.scores import GIVEN
from cascade_core.storage.schema import usual_meter

MOST_SOFTMAXES = 1 << 28
"""Bytes of softmaxes up to which automatic answers weigh pooled ones: reading and pooling more takes many seconds."""

OWN_ENTRIES = 4
"""Results of each kind that a session keeps of the runs that it brought."""


@dataclass(frozen=True, kw_only=True)
class Question:
    """What does this policy make of this run?

    A run without softmaxes is asked by the confidence that it has, for the answer itself, which no pool can give.

    Attributes:
        policy: A name in `SWEEPS`.
        score: A name in `SCORES`.
        answers: A name in `ANSWERS`.
        meter: What the policy is to save.
        top_k: An answer is right if the true class is among so many of its likeliest.
        in_every: What divides samples into groups in each of which the policy's limit is to hold; None = in all.
        among: Among whom it is to hold, of a policy that can tell: a name in `AMONG`.
    """

    run: Run
    policy: str
    score: str
    answers: str
    split: Split
    meter: Meter = MACS
    top_k: int = 1
    in_every: str | None = None
    among: Among = AMONG[0]

    def __post_init__(self) -> None:
        if "among" not in SWEEPS[self.policy].parameters():
            object.__setattr__(self, "among", AMONG[0])
        if (self.score == GIVEN) == self.run.has_softmaxes or self.run.is_counted:
            object.__setattr__(self, "score", self.run.usual_score)
        if not self.run.has_softmaxes:
            object.__setattr__(self, "answers", "auto")
            object.__setattr__(self, "top_k", 1)

    @property
    def axis(self) -> ConfidenceAxis:
        """The axis on which confidences are shown."""
        given = None if self.run.has_softmaxes else _record(self.run, self.score, 1).confidence
        return confidence_axis(self.score, len(self.run.metadata["class_names"]), given)


P = ParamSpec("P")
R = TypeVar("R")
Q = TypeVar("Q", Run, Question)


def _kept(max_entries: int, spinner: str) -> Callable[[Callable[Concatenate[Q, P], R]], Callable[Concatenate[Q, P], R]]:
    """Keep what a function makes of a run or a question: for all sessions, or, if a session brought the run, in it."""
    keep = partial(st.cache_resource, show_spinner=spinner, hash_funcs={Run: attrgetter("digest"), Question: vars})

    def decorate(function: Callable[Concatenate[Q, P], R]) -> Callable[Concatenate[Q, P], R]:
        shared = keep(max_entries=max_entries)(function)
        own = keep(max_entries=OWN_ENTRIES, scope="session")(function)

        @wraps(function)
        def kept(about: Q, /, *args: P.args, **kwargs: P.kwargs) -> R:
            runs = [about.run if isinstance(about, Question) else about, *(one for one in args if isinstance(one, Run))]
            result: R = (own if any(run.yours for run in runs) else shared)(about, *args, **kwargs)
            return result

        return kept

    return decorate


sample_ids = _kept(8, "Reading the run ...")(Run.sample_ids)
groups = _kept(8, "Reading the run ...")(Run.groups)
outputs = _kept(2, "Reading the run ...")(Run.outputs)
_record = _kept(8, "Reading the run ...")(Run.record)


@_kept(32, "Reading the run ...")
def notes(run: Run) -> tuple[str, ...]:
    """Lines on what its import mended, and what is odd about it.

    Raises:
        BadFile: The file is malformed.
    """
    _, complaint = prepared_of(run)
    passed_over = [f"passed over, and thresholds chosen anew: {complaint}"] if complaint else []
    return (*run.notes(lambda: outputs(run)), *passed_over)


def sample_count(run: Run) -> int:
    """How many samples a run holds, or counts of how many."""
    return _record(run, run.usual_score, 1).n if run.is_counted else len(sample_ids(run))


def is_meaningless(run: Run) -> bool:
    """Whether the plain network is right no more often than by chance.

    Raises:
        ValueError: The file is malformed.
    """
    return suspicions.is_meaningless(_record(run, run.usual_score, 1))


@_kept(4, "Reading the run ...")
def _halves(run: Run, score: str, split: Split, top_k: int, meter: Meter, in_every: str | None) -> Halves:
    return _divided(run, score, split, top_k, meter, in_every)


@_kept(32, "Choosing thresholds ...")
def explored(question: Question) -> Exploration:
    """The policy swept over the run.

    Raises:
        ValueError: The file is malformed, or the policy cannot handle the run.
    """
    return _explored(question, _halves)


@_kept(256, "Choosing thresholds ...")
def judged(question: Question) -> Judged:
    """What `explored` would make of the question, without the samples: one of the splits that figures spread over.

    Raises:
        ValueError: The file is malformed, or the policy cannot handle the run.
    """
    return Judged.of(_explored(question, _divided))


def _divided(run: Run, score: str, split: Split, top_k: int, meter: Meter, in_every: str | None) -> Halves:
    return halves(outputs(run), split, score, top_k, meter, in_every)


def _explored(question: Question, halved: Callable[[Run, str, Split, int, Meter, str | None], Halves]) -> Exploration:
    run, score, split, k, meter = question.run, question.score, question.split, question.top_k, question.meter
    found = _prepared(question)
    if found is not None:
        with suppress(ValueError):  # of another run, which is then chosen for anew
            return found.explored(halved(run, score, split, k, meter, None))
    unread = run.is_counted or run.softmax_bytes > MOST_SOFTMAXES
    alone = question.in_every is None and (question.answers == "own" or (question.answers == "auto" and unread))
    divided = _record(run, score, k) if alone else halved(run, score, split, k, meter, question.in_every)
    others = {} if question.among == AMONG[0] else {"among": question.among}
    return explore(divided, SWEEPS[question.policy], split, answers=question.answers, meter=meter, others=others)


def _prepared(question: Question) -> Prepared | None:
    """What was found out beforehand, if this is the usual question about a run of the cache folder."""
    asked = (question.policy, question.answers, question.split, question.meter, question.top_k, question.in_every)
    run = question.run
    usual = (prepared.POLICY.name, "auto", prepared.SPLIT, usual_meter(run.metadata), 1, None)
    if run.path is None or run.is_counted or run.softmax_bytes > MOST_SOFTMAXES or asked != usual:
        return None
    found, _ = prepared_of(run)
    return found if found is not None and found.path.score == question.score else None


@dataclass(frozen=True, kw_only=True, eq=False)
class There:
    """Another run that a question's rules are judged on.

    Attributes:
        exploration: The same rules, judged on its samples.
        same: Whether these are, one by one, those that judge in the question's own run.
        groups: The run's columns of groups, of its samples that judge.
    """

    run: Run
    exploration: Exploration
    same: bool
    groups: tuple[Groups, ...]


@_kept(16, "Judging on another run ...")
def judged_there(question: Question, other: Run) -> There:
    """The question's rules, judged on another run.

    Raises:
        ValueError: A file is malformed, or all of its samples had a part in choosing.
    """
    exploration, ids = explored(question), np.array(sample_ids(question.run))
    found = elsewhere(outputs(other), ids, tuple(question.run.metadata["class_names"]), question.split)
    return There(run=other, exploration=found.judged(exploration), same=found.same, groups=found.outputs.groups)


@_kept(64, "Comparing samples ...")
def likeness_there(question: Question, other: Run, position: int, by_hand: tuple[float, ...] | None) -> Likeness:
    """Whether that run's samples look like those of the question's own, under the rule of a setting."""
    there = judged_there(question, other)
    setting = Setting(exploration=explored(question), position=position, by_hand=by_hand)
    return likeness(setting.exploration.test, there.exploration.test, setting.rule, same=there.same)


@_kept(16, "Preparing the slider ...")
def payload_there(
    question: Question, other: Run, meter: Meter, brought: tuple[float, ...], name: str
) -> dict[str, Any]:
    """The live panel's payload of `judged_there`, on the axis of the question's own run."""
    exploration = judged_there(question, other).exploration
    return live_data(
        exploration,
        question.axis,
        initial=exploration.opening,
        meter=meter,
        name=name,
        brought=[brought] if brought else [],
        **words(other.origin, name),
    )


def payload(
    question: Question, meter: Meter, published: tuple[PublishedResult, ...], brought: tuple[float, ...] = ()
) -> dict[str, Any]:
    """What the live panel shows of the exploration, and the thresholds `brought` can be set by hand exactly.

    Raises:
        ValueError: The file is malformed, or the policy cannot handle the run.
    """
    return _payload(question, meter, published, brought, question.run.name)


@_kept(32, "Preparing the slider ...")
def _payload(
    question: Question, meter: Meter, published: tuple[PublishedResult, ...], brought: tuple[float, ...], name: str
) -> dict[str, Any]:
    """The payload of a run under a name: the same bytes may have another."""
    exploration, run = explored(question), question.run
    return live_data(
        exploration,
        question.axis,
        initial=exploration.opening,
        published=published,
        meter=meter,
        name=name,
        brought=[brought] if brought else [],
        **words(run.origin, name),
    )
