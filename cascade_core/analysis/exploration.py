"""A policy swept over a run: thresholds chosen on one part of the samples, judged on the other.

The page, the tables and the figures show this.  In-sample, where both parts are the whole record, is an option, and
all of them say so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cascade_core.analysis.yardsticks import dominated, oracle, random_exit_accuracy, single_stage
from cascade_core.policies import PRICED, Policy, Slider, Sweep, describe_in
from cascade_core.policies.answers import Divided, Halves
from cascade_core.policies.base import NO_OTHERS
from cascade_core.policies.families import meaning
from cascade_core.policies.priced import sweep
from cascade_core.policies.selection import family_of
from cascade_core.simulation.bounds import ALPHA
from cascade_core.simulation.certificates import certify_path
from cascade_core.simulation.dividing import split_indices
from cascade_core.simulation.evaluation import Evaluation, evaluate
from cascade_core.simulation.meters import MACS, Meter
from cascade_core.simulation.paths import RulePath, evaluate_path
from cascade_core.simulation.record import Record
from cascade_core.simulation.recorded import Outputs
from cascade_core.support import checks
from cascade_core.support.terms import Terms

POSITIONS = 401
"""Slider positions; a step is less than one pixel on most screens."""


@dataclass(frozen=True, kw_only=True)
class Split:
    """How samples were divided: `fraction` of them, drawn by `seed`, choose the thresholds."""

    fraction: float = 0.5
    seed: int = 0
    in_sample: bool = False

    def __post_init__(self) -> None:
        checks.in_range("fraction", self.fraction, 0.0, 1.0)

    def apply(self, record: Record) -> tuple[Record, Record]:
        """Calibration and test records; both are the whole record if in-sample.

        Raises:
            ValueError: A part would be empty.
        """
        return (record, record) if self.in_sample else record.split(self.fraction, self.seed)

    def calibration_index(self, n: int) -> NDArray[np.int64]:
        """Numbers of the calibration samples among `n`.

        Raises:
            ValueError: A part would be empty.
        """
        return np.arange(n) if self.in_sample else split_indices(n, self.fraction, self.seed)[0]

    def test_index(self, n: int) -> NDArray[np.int64]:
        """Numbers of the test samples among `n`, in the order of the test record.

        Raises:
            ValueError: A part would be empty.
        """
        return np.arange(n) if self.in_sample else split_indices(n, self.fraction, self.seed)[1]

    def describe(self) -> dict[str, Any]:
        """For the exported JSON."""
        return {"fraction": self.fraction, "seed": self.seed, "measured_on": "all" if self.in_sample else "test"}


def halves(
    outputs: Outputs,
    split: Split,
    score: str | None = None,
    top_k: int = 1,
    meter: Meter = MACS,
    in_every: str | None = None,
) -> Halves:
    """A run divided by `split`, for `explore` under one policy after another, with costs by one meter.

    Args:
        in_every: What divides samples into groups in each of which limits on drops are to hold.

    Raises:
        ValueError: A part would be empty.
    """
    n = len(outputs.labels)
    calibration, test = split.calibration_index(n), split.test_index(n)
    return Halves(
        outputs=outputs,
        calibration=calibration,
        test=test,
        score=score,
        top_k=top_k,
        meter=meter,
        in_every=in_every,
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class Exploration:
    """The rules of one policy at every slider position, and what each does on the test samples.

    Attributes:
        answers: "own" or "pooled", see `policies.answers`.
        why: Why these, in a sentence.
        meter: What the policy saves, and what budgets are counted in.
        others: Parameters of the policy beside the slider's, where they are not its defaults.
        family: Name of the family of rules that the policy chose among several; None where it has one of its own.
    """

    policy: type[Sweep]
    split: Split
    calibration: Record
    test: Record
    path: RulePath
    evaluation: Evaluation
    answers: str
    why: str
    meter: Meter = MACS
    others: Mapping[str, Any] = field(default_factory=dict)
    family: str | None = None

    @property
    def terms(self) -> Terms:
        """The words for what is measured."""
        return self.test.terms

    @property
    def slider(self) -> Slider:
        """How positions are shown: budgets as shares of what the plain network costs."""
        slider = self.policy.slider
        slider = replace(slider, label=self.terms.of(slider.label))
        if self.meter is MACS or not slider.relative:
            return slider
        label = slider.label.replace(MACS.noun, self.meter.noun)
        return replace(slider, label=label, unit=f"% of the {self.meter.unit}", parameter="max_cost")

    @property
    def unit(self) -> float:
        """What positions are divided by before they are scaled and shown."""
        return self.meter.plain(self.evaluation) if self.slider.relative else 1.0

    @property
    def answers_words(self) -> str:
        """Sentences on whose answers these are, and why; and on how thresholds were set, where there were choices."""
        pooled = "Each stage answers with the softmaxes of all stages passed so far, weighted (pooled answers)"
        whose = f"{pooled if self.answers == 'pooled' else 'Each stage answers alone'}: {self.why}."
        if self.family is None:
            return whose
        return (
            f"{whose} Thresholds are set so that {meaning(self.family)} ({self.family}); of the ways that were tried "
            "on the calibration samples, none is expected to save clearly more."
        )

    @cached_property
    def certificate(self) -> NDArray[np.float64] | None:
        """(G,) upper bounds on the drops that all hold at once with probability 1 - `ALPHA`; None if in-sample."""
        return None if self.split.in_sample else certify_path(self.test, self.path, ALPHA)

    @cached_property
    def cheapest_oracle(self) -> Evaluation:
        """The cheapest rule of that accuracy: samples that no stage gets right exit at the first."""
        return oracle(self.test, hopeless="first")

    @cached_property
    def alone(self) -> tuple[Evaluation, ...]:
        """What each stage does to the test samples if it answers all of them."""
        return tuple(single_stage(self.test, stage) for stage in range(len(self.test.stages)))

    @cached_property
    def dominated(self) -> NDArray[np.bool_]:
        """(M,) stages that are superfluous on the test samples."""
        return dominated(self.test)

    @cached_property
    def random_exit_accuracy(self) -> NDArray[np.float64]:
        """(G,) expected accuracy on the test samples if as many exited at each stage, drawn at random."""
        return random_exit_accuracy(self.test, self.evaluation.exit_shares)

    @cached_property
    def shown(self) -> NDArray[np.float64]:
        """(G,) positions as a slider shows them, in its unit."""
        return self.path.positions / self.unit * self.slider.scale

    @cached_property
    def oracle(self) -> Evaluation:
        """What the most accurate rule there could be does on the test samples."""
        return oracle(self.test)

    def chosen(self, position: int) -> Policy:
        """The policy at a slider position."""
        value = float(self.path.positions[position])
        if self.meter is not MACS and self.slider.relative:
            return PRICED[self.policy.name](max_cost=value, cost=self.meter)
        return self.policy.at(value, self.others)

    def described(self, position: int) -> dict[str, Any]:
        """Name and parameters of the policy at a slider position, as JSON data."""
        groups = self.calibration.groups
        return describe_in(self.chosen(position), self.meter, None if groups is None else groups.what)

    def at(self, position: int) -> Evaluation:
        """What the rule at a slider position does on the test samples."""
        return self.evaluation[position]

    def calibrated(self, position: int) -> Evaluation:
        """What the rule at a slider position does on the samples it was chosen on."""
        return evaluate(self.calibration, self.path.rule(position))

    def nearest(self, value: float) -> int:
        """Slider position whose parameter is nearest to `value`."""
        return int(abs(self.path.positions - value).argmin())

    @property
    def opening(self) -> int:
        """Slider position at which a page starts."""
        return self.nearest(self.slider.opening * self.unit)


def explore(
    divided: Halves | Record,
    policy: type[Sweep],
    split: Split,
    count: int = POSITIONS,
    answers: str = "auto",
    meter: Meter = MACS,
    others: Mapping[str, Any] = NO_OTHERS,
) -> Exploration:
    """Sweep `policy` over `count` positions: choose on one part of the samples, judge on the other.

    Args:
        divided: What `halves` made by `split`; or a record, whose answers are taken as they are: enough where there are
            too many softmaxes to be read.
        answers: "own", "pooled", or "auto": whichever is expected to save more on new samples.
        meter: What the policy is to save; budgets are in its unit.
        others: Parameters of the policy beside the slider's.

    Raises:
        ValueError: A part would be empty, or the policy or the meter cannot handle the record.
    """
    parts = divide(divided, policy, split, answers, meter)
    path = sweep(policy, parts.priced, meter, count, others)
    return Exploration(
        policy=policy,
        split=split,
        calibration=parts.calibration,
        test=parts.test,
        path=path,
        evaluation=evaluate_path(parts.test, path),
        answers=parts.answers,
        why=parts.why,
        meter=meter,
        others=others,
        family=family_of(policy, parts.priced),
    )


def divide(
    divided: Halves | Record,
    policy: Policy | type[Policy],
    split: Split,
    answers: str = "auto",
    meter: Meter = MACS,
) -> Divided:
    """The calibration and the test samples, as `explore` takes them."""
    if isinstance(divided, Halves):
        return divided.priced_by(meter).divided(policy, answers)
    return Divided.of_records(*split.apply(divided), answers, meter)
