"""What the comparison is of: which runs and policies, how their costs are counted, and their answers as they come.

A run that was not explored yet takes seconds; the chart is shown with the curves that are there, and once more with
each that follows.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import streamlit as st

from cascade_core.panels import runs, spreading, state, upload
from cascade_core.panels.questions import Question, explored, sample_ids
from cascade_core.panels.runs import Run, costs_of, profile_of
from cascade_core.panels.state import Key
from cascade_core.policies import SWEEPS
from cascade_core.rendering.comparison.data import Curve
from cascade_core.simulation.meters import MACS, Meter, Milliseconds
from cascade_core.simulation.own_costs import OwnCosts
from cascade_core.simulation.sample_costs import SampleCosts

MOST_RUNS = 8
"""Runs that are compared unless more are chosen."""

MOST_CURVES = 24


@dataclass(frozen=True, kw_only=True)
class Costs:
    """How costs of the compared runs are counted: each by its own meter, all in one unit; `why` not as chosen."""

    meters: Mapping[str, Meter]
    why: str = ""


def listed() -> dict[str, Run]:
    """All runs that the session sees, by name."""
    cached, _ = runs.list_runs()
    return {run.name: run for run in [*cached, *upload.own_runs(cached)]}


def over_the_same_data(run: Run, others: Iterable[Run]) -> list[Run]:
    """The run, and those of the others whose samples and classes are the same."""
    return [run, *(other for other in others if other.name != run.name and _same_data(run, other))]


def _same_data(run: Run, other: Run) -> bool:
    named = run.origin.dataset == other.origin.dataset
    if not named or run.metadata["class_names"] != other.metadata["class_names"]:
        return False
    try:
        return sample_ids(run) == sample_ids(other)
    except ValueError:  # a file that is malformed is said to be when it is chosen
        return False


def costs(chosen: Sequence[Run], meter: Meter) -> Costs:
    """Costs in the unit of `meter` where all runs have it, else in MACs."""
    meters = {run.name: _alike(run, meter) for run in chosen}
    lacking = [name for name, own in meters.items() if own is None]
    if lacking:
        why = f"Costs are in MACs: not in {meter.unit} as chosen, which is not known of {', '.join(lacking)}."
        return Costs(meters=dict.fromkeys(meters, MACS), why=why)
    return Costs(meters={name: own for name, own in meters.items() if own is not None})


def _alike(run: Run, meter: Meter) -> Meter | None:
    """What counts a run's costs as `meter` does another's; None where that was not measured."""
    if isinstance(meter, OwnCosts | SampleCosts):
        own, _ = costs_of(run)
        if own is not None and (own.unit, own.per) == (meter.unit, meter.per):
            return own
        return meter if isinstance(meter, OwnCosts) and meter.stage_names == run.stage_names else None
    if not isinstance(meter, Milliseconds):
        return meter if run.has_macs else None
    profile, _ = profile_of(run)
    if profile is None or meter.batch > profile.batch_sizes[-1]:
        return None
    return replace(meter, profile=profile)


def asked(question: Question, chosen: Sequence[Run], policies: Sequence[str], costs: Costs) -> list[Question]:
    """The question, of each run and policy; the one that is looked at first."""
    questions = [
        replace(question, run=run, policy=policy, meter=costs.meters[run.name]) for run in chosen for policy in policies
    ]
    return sorted(questions, key=lambda one: one.run.name != question.run.name)


def answered(questions: Sequence[Question], *, spread: bool) -> Iterator[list[Curve]]:
    """Curves of the questions in their order: those at hand at once, then again with each that takes time.

    One that has no answer is left out, after saying why.
    """
    steps = [(place, spreads) for spreads in ((False, True) if spread else (False,)) for place in range(len(questions))]
    identities = {(place, spreads): _identity(questions[place], spreads) for place, spreads in steps}
    slow = [step for step in steps if identities[step] not in state.COMPARED_BEFORE.get()]
    curves: dict[int, Curve] = {}
    for place, spreads in steps:
        if (place, spreads) not in slow:
            _add(curves, place, questions[place], spreads)
    if curves or not slow:
        yield _in_order(curves)
    for place, spreads in slow:
        _add(curves, place, questions[place], spreads)
        state.COMPARED_BEFORE.set(state.COMPARED_BEFORE.get() | {identities[place, spreads]})
        yield _in_order(curves)


def _in_order(curves: Mapping[int, Curve]) -> list[Curve]:
    return [curves[place] for place in sorted(curves)]


def _identity(question: Question, spreads: bool) -> object:
    meter = json.dumps(question.meter.describe(), sort_keys=True)
    return question.run.digest, question.policy, question.score, question.answers, question.split, meter, spreads


def _add(curves: dict[int, Curve], place: int, question: Question, spreads: bool) -> None:
    """Add a question's curve, or to the curve that is there how it spreads."""
    try:
        if not spreads:
            exploration = explored(question)
            curves[place] = Curve(run=question.run.name, exploration=exploration, meter=question.meter)
        elif place in curves:
            curves[place] = replace(curves[place], spread=spreading.over_seeds(question))
    except ValueError as error:
        st.warning("One of these cannot be shown.", icon=":material/warning:")
        st.text(f"{question.run.name}, {question.run.terms.of(SWEEPS[question.policy].title)}: {error}")


def remembered(value: state.Value[bool], key: str, draw: Callable[..., object]) -> bool:
    """A switch drawn with a key of its own whose value outlives views that do not show it."""
    widget = state.Value(key, value.default)
    widget.set(value.get())
    draw(key=key, on_change=lambda: value.set(widget.get()))
    return value.get()


def several(
    place: Any,
    label: str,
    options: list[str],
    value: state.Value[Sequence[str] | None],
    looked_at: str,
    opening: Sequence[str],
    **more: Any,
) -> list[str]:
    """A choice of several, `opening` until the user has made one, which is kept in `value`.

    Once something else is `looked_at` that was not chosen, it opens anew.
    """
    before, beside = value.get(), state.looked_at(value)
    if before is None or looked_at not in (*before, beside.get() or looked_at):
        before = opening
    elif beside.get() is None:
        beside.set(looked_at)  # a link has chosen
    widget = state.Value[list[str]](Key.COMPARE.of(value.key), [])
    widget.set([name for name in before if name in options])

    def keep() -> None:
        value.set(tuple(widget.get()))
        beside.set(looked_at)

    picked: list[str] = place.multiselect(label, options, key=widget.key, on_change=keep, **more)
    return picked


def one_of(
    draw: Callable[..., str | None], options: Sequence[str], value: state.Value[Any], opening: str, **more: Any
) -> str:
    """A choice of one, `opening` until the user has made one, which is kept in `value`."""
    widget = state.Value[str](Key.COMPARE.of(value.key), opening)
    widget.set(value.get() if value.get() in options else opening)
    draw(options=options, key=widget.key, on_change=lambda: value.set(widget.get()), **more)
    return widget.get()
