"""Several runs over the same samples as one: `join_runs`, for cascades of models recorded one by one.

The stages of the first run come first, then those of the next: whatever a sample has cost so far, it begins the next
run's network with its images again.  The plain network that would be run instead is the last run's.  Nothing is
computed anew, so the result equals one recording of all networks in a row.  Columns of groups are kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cascade_core.simulation.answers import StageAnswers
from cascade_core.simulation.groups import Groups
from cascade_core.simulation.outputs import StageOutputs
from cascade_core.simulation.recorded import Outputs
from cascade_core.storage.costs import macs_in_proportion
from cascade_core.storage.joined_costs import joined_costs
from cascade_core.storage.origin import Origin
from cascade_core.support import checks


def join_runs(runs: Sequence[Outputs], names: Sequence[str]) -> Outputs:
    """The stages of all runs, one run after another, on the samples of the first in its order.

    Labels are those of any run that has them; where none has, the last stage of all is the reference.

    Args:
        runs: Two or more, cheapest first; a later run may hold the samples in another order.
        names: One a run; a run's only stage is called by it, several stages have it in front of theirs.

    Raises:
        ValueError: There are fewer than two runs, names repeat, some have softmaxes and some none, or runs differ in
            samples, labels or classes.
    """
    if len(runs) < 2:
        raise ValueError(f"Expected two or more runs to join but there were {len(runs)}")
    called = checks.names("names", names, len(runs), "run")
    first = runs[0]
    orders = [_order(first, called[0], run, name) for run, name in zip(runs, called, strict=True)]
    form, by_stage = _said(runs, called, orders)
    stages = tuple(
        replace(stage, name=name if len(run.stages) == 1 else f"{name}, {stage.name}")
        for run, name in zip(runs, called, strict=True)
        for stage in run.stages
    )
    baseline = runs[-1].baseline_macs
    costs = joined_costs(runs, orders, tuple(stage.name for stage in stages))
    assumed = bool(costs) and all(Origin.of(run.source).assumed_macs for run in runs)
    if assumed:
        stages, baseline = macs_in_proportion(costs["costs"])
    labels = _labels([run if run.reference == "labels" else None for run in runs], orders, called)
    return form(
        **by_stage,
        labels=labels,  # type: ignore[arg-type]  # None = the last stage's answers
        stages=stages,
        baseline_macs=baseline,
        sample_ids=first.sample_ids,
        class_names=first.class_names,
        source=Origin(
            joined=tuple({**run.source, "name": name} for run, name in zip(runs, called, strict=True)),
            assumed_macs=assumed,
        ).as_json(),
        **costs,
        groups=_groups(runs, orders, called),
    )


def _groups(runs: Sequence[Outputs], orders: Sequence[NDArray[np.int64]], names: Sequence[str]) -> tuple[Groups, ...]:
    """All columns of groups that any run has.

    Raises:
        ValueError: Runs have one of the same name that divides samples otherwise.
    """
    found: dict[str, tuple[Groups, str]] = {}
    for run, order, name in zip(runs, orders, names, strict=True):
        for one in (group.take(order) for group in run.groups):
            known, first = found.setdefault(one.what, (one, name))
            differ = [i for i in range(len(one.of)) if one.name_of(i) != known.name_of(i)]
            for i in differ[:1]:
                raise ValueError(
                    f"Expected {name} to have the groups by {one.what!r} of {first} but {len(differ):,} differ, "
                    f"the first is in {one.name_of(i)!r} where {first} has {known.name_of(i)!r}"
                )
    return tuple(one for one, _ in found.values())


def _said(
    runs: Sequence[Outputs], names: Sequence[str], orders: Sequence[NDArray[np.int64]]
) -> tuple[type[StageOutputs] | type[StageAnswers], dict[str, Any]]:
    """What a run of these is, and its fields whose first axis is stages."""
    # What is right in a run without labels is as its own last stage has it, which is not the last of all.
    judged = ("correct",) if all(run.reference == "labels" for run in runs) else ()
    for form, fields in ((StageOutputs, ("probs",)), (StageAnswers, ("predictions", "confidence", *judged))):
        if all(isinstance(run, form) for run in runs):
            pairs = list(zip(runs, orders, strict=True))
            return form, {f: np.concatenate([getattr(run, f)[:, order] for run, order in pairs]) for f in fields}
    without = next(name for run, name in zip(runs, names, strict=True) if not isinstance(run, StageOutputs))
    raise ValueError(f"Expected runs that all have softmaxes, or none, to join but {without} alone has none")


def _order(first: Outputs, first_name: str, run: Outputs, name: str) -> NDArray[np.int64]:
    """(N,) where in `run` each sample of `first` is.

    Raises:
        ValueError: Its classes or samples are not those of `first`.
    """
    if run.class_names != first.class_names:
        pairs = zip(run.class_names, first.class_names, strict=False)
        differ = next((f"{ours!r} is {theirs!r} there" for ours, theirs in pairs if ours != theirs), "")
        difference = differ or f"there are {len(run.class_names)} and {len(first.class_names)}"
        raise ValueError(f"Expected {name} to have the classes of {first_name} but {difference}")
    _check_ids(first.sample_ids, first_name, run.sample_ids, name)
    sorting = np.argsort(run.sample_ids)
    return sorting[np.searchsorted(run.sample_ids[sorting], first.sample_ids)]


def _labels(
    runs: Sequence[Outputs | None], orders: Sequence[NDArray[np.int64]], names: Sequence[str]
) -> NDArray[np.int64] | None:
    """(N,) the labels of all runs that have them; None where none has.

    Raises:
        ValueError: They differ.
    """
    labelled = [(run, order, name) for run, order, name in zip(runs, orders, names, strict=True) if run is not None]
    if not labelled:
        return None
    first, first_order, first_name = labelled[0]
    labels = first.labels[first_order]
    for run, order, name in labelled[1:]:
        wrong = run.labels[order] != labels
        for i in np.flatnonzero(wrong)[:1]:
            raise ValueError(
                f"Expected {name} to have the labels of {first_name} but {wrong.sum():,} of {len(wrong):,} differ, the "
                f"first is {str(run.sample_ids[order[i]])!r}: {run.labels[order[i]]} where {first_name} has {labels[i]}"
            )
    return labels


def _check_ids(expected: NDArray[np.str_], first_name: str, own: NDArray[np.str_], name: str) -> None:
    absent, extra = expected[~np.isin(expected, own)], own[~np.isin(own, expected)]
    if len(absent):
        raise ValueError(
            f"Expected {name} to hold the samples of {first_name} but {len(absent):,} of {len(expected):,} are "
            f"missing, the first is {str(absent[0])!r}"
        )
    if len(extra):
        raise ValueError(
            f"Expected {name} to hold the samples of {first_name} alone but {len(extra):,} more are there, "
            f"the first is {str(extra[0])!r}"
        )
