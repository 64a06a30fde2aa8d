"""Every policy on one run, each set to give up about the same, so that they can be compared.

All choose on the same calibration samples and are judged on the same others.  A policy whose slider is an accuracy drop
is set to the drop that is wished for; the others, which promise no drop, to the cheapest of their slider positions
whose drop on the calibration samples is within it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from cascade_core.analysis.elsewhere import Elsewhere
from cascade_core.analysis.exploration import POSITIONS, Split, divide
from cascade_core.policies import SWEEPS, Sweep
from cascade_core.policies.answers import Divided, Halves
from cascade_core.policies.priced import sweep
from cascade_core.simulation.bounds import ALPHA
from cascade_core.simulation.certificates import drop_bound
from cascade_core.simulation.evaluation import Evaluation, evaluate
from cascade_core.simulation.exits import ExitRule
from cascade_core.simulation.meters import MACS, Meter, along
from cascade_core.simulation.paths import evaluate_path
from cascade_core.simulation.record import Record


@dataclass(frozen=True, kw_only=True, eq=False)
class Compared:
    """One policy.

    Attributes:
        policy: Its class.
        value: Of its parameter.
        answers: "own" or "pooled", as was decided for it.
        rule: What it chose.
        evaluation: What that does on the test samples.
        meter: What it was to save.
        test: The test samples.
        bound: Upper bound on the drop that holds with probability 1 - `ALPHA`, for this rule by itself; None where the
            rule was chosen on the samples that would have to certify it.
    """

    policy: type[Sweep]
    value: float
    answers: str
    rule: ExitRule
    evaluation: Evaluation
    test: Record
    bound: float | None
    meter: Meter = MACS

    def on(self, other: Elsewhere) -> Compared:
        """The same rule, judged on another run.

        Raises:
            ValueError: That has other stages.
        """
        test = other.record(self.test)
        return replace(self, test=test, evaluation=evaluate(test, self.rule), bound=drop_bound(test, self.rule, ALPHA))


def compare(
    divided: Halves | Record, split: Split, max_drop: float, answers: str = "auto", meter: Meter = MACS
) -> list[Compared]:
    """All policies that have a slider, set to a drop, in the order of the registry; those that need answers if known.

    Args:
        divided, answers, meter: As `exploration.explore` takes them.
        max_drop: A fraction >= 0.

    Raises:
        ValueError: A part of the samples would be empty.
    """
    priced = divided.priced_by(meter) if isinstance(divided, Halves) else divided
    return [
        _compared(policy, divide(priced, policy, split, answers, meter), max_drop, split.in_sample, meter)
        for policy in sweeps_for(divided)
    ]


def sweeps_for(divided: Halves | Record) -> list[type[Sweep]]:
    """All policies that have a slider, in the order of the registry; those that need answers if these are known."""
    known = isinstance(divided, Halves) or divided.answers_known
    return [policy for policy in SWEEPS.values() if known or not policy.by_answer]


def _compared(policy: type[Sweep], divided: Divided, max_drop: float, in_sample: bool, meter: Meter) -> Compared:
    calibration, test = divided.priced, divided.test
    path = (
        policy.path(calibration, [max_drop]) if policy.slider.is_drop else sweep(policy, calibration, meter, POSITIONS)
    )
    result = evaluate_path(calibration, path)
    within = np.flatnonzero(result.accuracy_drop <= max_drop)
    # Where no position is within, the most accurate comes nearest.
    best = int(within[np.argmin(along(meter, result)[within])]) if len(within) else int(np.argmin(result.accuracy_drop))
    chosen = 0 if policy.slider.is_drop else best
    return Compared(
        policy=policy,
        value=float(path.positions[chosen]),
        answers=divided.answers,
        rule=path.rule(chosen),
        evaluation=evaluate(test, path.rule(chosen)),
        test=test,
        bound=None if in_sample else drop_bound(test, path.rule(chosen), ALPHA),
        meter=meter,
    )
