"""The boldest rule whose accuracy drop is certified to stay within a limit.

The calibration samples are divided in two.  On one half the cheapest rules within ever larger drops are chosen, from
safest to boldest, and before them more cautious forms of the first, by which only the surest of its samples leave; on
the other half they are tested in that order, each by an upper bound on its drop that holds with probability 1 - alpha
(`certificates.drop_bounds`), and testing ends at the first rule whose bound is above the limit.
The LAST rule that passed is taken.  Fixed-sequence testing spends no alpha on rules that pass: for a rule with a drop
above the limit to be taken, the first such rule in the order must have passed, which happens with probability alpha at
most (Angelopoulos et al., "Learn then test", 2021).
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from cascade_core.policies.base import Positions, rule_path
from cascade_core.policies.cheapest import DROP, WithinDrop, drop_slider
from cascade_core.policies.joint import cheapest_within
from cascade_core.policies.parameters import number, probability
from cascade_core.simulation.bounds import ALPHA, CERTAINTY
from cascade_core.simulation.certificates import drop_bounds
from cascade_core.simulation.exits import ExitRule
from cascade_core.simulation.paths import RulePath
from cascade_core.simulation.record import Record

RULES = 97
"""Cheapest rules that are tested, denser where drops are small."""

CAUTIOUS = 15
"""Rules before them, between leaving nothing early and the first of them."""

SEED = 1
"""Of the division in two."""


@dataclass(frozen=True)
class Certified(WithinDrop):
    """The boldest rule whose drop, on all samples there could be, is within a limit with probability 1 - alpha.

    Where no rule passes, the one by which nothing leaves early is taken, whose drop is 0; `choose` warns of that.

    Attributes:
        max_drop: Accuracy to give up against the last stage, a fraction in [0, 1].
        alpha: Probability, over the draw of the calibration samples, that the drop is larger; in (0, 1).
    """

    max_drop: float = field(metadata=number(0.0, 1.0, DROP))
    alpha: float = field(default=ALPHA, metadata=probability(f"probability of being wrong (default {ALPHA})"))

    name: ClassVar[str] = "certified"
    title: ClassVar[str] = "Certified drop"
    promise: ClassVar[str] = (
        f"The boldest thresholds for which tests on samples of their own show, with {CERTAINTY} confidence, "
        "that the whole cascade loses at most this much accuracy on new samples; if none pass, nothing leaves early."
    )
    slider: ClassVar = drop_slider("accuracy drop that may not be exceeded")

    def choose(self, record: Record) -> ExitRule:
        """The rule at `max_drop`.

        Warns:
            UserWarning: No rule passed, so that the full model is used.
        """
        rule = super().choose(record)
        if not rule.exits_early:
            warnings.warn(
                f"No rule has a drop certified to be at most {self.max_drop:g} on these {record.n} samples: "
                "the full model is used",
                stacklevel=2,
            )
        return rule

    @classmethod
    def path(cls, record: Record, positions: Positions, alpha: float = ALPHA) -> RulePath:
        """The rules at the drops `positions`, each certified for itself."""
        return certified_path(record, np.asarray(positions, dtype=np.float64), alpha)


def certified_path(record: Record, limits: NDArray[np.float64], alpha: float) -> RulePath:
    """For each drop (G,) the last rule, from the safest on, that passes its test before one fails."""
    never = np.full((1, len(record.stages) - 1), np.inf, dtype=np.float32)
    tested = never
    order = record.shuffled(SEED)
    half = record.n // 2
    if half:
        choosing, testing = record.take(np.sort(order[:half])), record.take(np.sort(order[half:]))
        worst = max(0.0, float(choosing.stage_accuracy[-1] - choosing.stage_accuracy.min()))
        bold, _ = cheapest_within(choosing, worst * np.linspace(0.0, 1.0, RULES) ** 2)
        tested = np.concatenate([never, _more_cautious(choosing, bold[0]), bold])
        bounds = drop_bounds(testing, rule_path(testing, range(len(tested)), tested), alpha)
    else:
        bounds = np.zeros(1)
    # A rule is out of reach once any before it failed, so what counts is the largest bound so far.
    passed = np.searchsorted(np.maximum.accumulate(bounds), limits, side="right") - 1
    # Number 0 is the full model, which needs no test.
    return rule_path(record, limits, tested[np.maximum(passed, 0)])


def _more_cautious(record: Record, rule: NDArray[np.float32]) -> NDArray[np.float32]:
    """(CAUTIOUS, M-1) thresholds: ever more of the samples that `rule` finds sure may leave, the surest first."""
    shares = np.arange(1, CAUTIOUS + 1) / (CAUTIOUS + 1)
    result = np.full((CAUTIOUS, len(rule)), np.inf, dtype=np.float32)
    for stage, threshold in enumerate(rule):
        sure = record.confidence[stage][record.confidence[stage] >= threshold]
        if sure.size:
            result[:, stage] = np.quantile(sure, 1 - shares, method="higher")
    return result
