"""The boldest rule whose accuracy drop is certified to stay within a limit.

The calibration samples are divided in two.  On one half the family of rules is chosen (`selection`); on the other half
rules are tested, each by an upper bound on its drop that holds with probability 1 - alpha (`certificates.drop_bounds`):
first pooled answers by which nothing leaves early, then ever less cautious forms of the family's safest rule, by which
only the surest of its samples leave, then leaving all at an early stage that is clearly better than the last, if there
is one, then the family's rules from the safest to the boldest.  Testing ends at the first rule whose bound is above the
limit, and the LAST that passed is taken.  Where the first half shows a clear gain, and that a more cautious rule would
fail, testing starts at the rule that gains most.

Where the limit is to hold in each group of the samples, or among those that leave at each stage, a rule's bound is the
largest of its parts' (`certificates.drop_bounds_of_parts`), and the safest rule is not the likeliest to pass: of few
samples that leave, little can be shown.  Then rules are tested in the order of their bounds on the half that chooses,
least first, and of those that pass before one fails the one is taken that saves most there.

Fixed-sequence testing spends no alpha on rules that pass: for a rule with a drop above the limit to be taken, the first
such rule in the order must have passed, which happens with probability alpha at most (Angelopoulos et al., "Learn then
test", 2021).  Weights of pooled answers are fitted to the first half too (`answers`).
"""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass, field, replace
from statistics import NormalDist
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from cascade_core.policies.base import Positions, rule_path
from cascade_core.policies.cheapest import DROP, WithinDrop, drop_slider
from cascade_core.policies.parameters import choice, drop, probability
from cascade_core.policies.selection import select
from cascade_core.simulation.bounds import ALPHA, CERTAINTY, paired_interval
from cascade_core.simulation.certificates import AMONG, Among, drop_bounds, drop_bounds_of_parts
from cascade_core.simulation.exits import ExitRule
from cascade_core.simulation.paths import RulePath, evaluate_path
from cascade_core.simulation.record import Record

OF_WHOM = "of whom the drop is certified: all, those that leave at any stage, or those that have left by any depth"

CAUTIOUS = 15
"""Rules between leaving nothing early and the first of the family."""


@dataclass(frozen=True)
class Certified(WithinDrop):
    """The boldest rule whose drop, on all samples there could be, is within a limit with probability 1 - alpha.

    Where no rule passes, or what passed costs more, the plain network is run, whose drop is 0; `choose` warns of that.

    Attributes:
        max_drop: Accuracy to give up against the last stage, a fraction in [0, 1].
        alpha: Probability, over the draw of the calibration samples, that the drop is larger; in (0, 1).
        among: Of whom: "all" samples; those that leave at any one "stage" but the last (selective risk, arXiv
            2602.03043, here of the error in excess of the plain network's); or those that have left by any "depth",
            in the end all (accumulated gap; Ringel et al., arXiv 2402.00857).
    """

    max_drop: float = field(metadata=drop(0.0, DROP))
    alpha: float = field(default=ALPHA, metadata=probability(f"probability of being wrong (default {ALPHA})"))
    among: Among = field(default="all", metadata=choice(AMONG, OF_WHOM))

    name: ClassVar[str] = "certified"
    keeps_in_groups: ClassVar[bool] = True
    selects: ClassVar[bool] = True
    title: ClassVar[str] = "Certified drop"
    promise: ClassVar[str] = (
        f"The boldest thresholds for which tests on samples of their own show, with {CERTAINTY} confidence, "
        "that at most this much accuracy is lost on new samples; if none pass, nothing leaves early."
    )
    tests: ClassVar[bool] = True
    standard_errors: ClassVar[float] = NormalDist().inv_cdf(1 - ALPHA)
    slider: ClassVar = drop_slider("accuracy drop that may not be exceeded")

    def choose(self, record: Record) -> ExitRule:
        """The rule at `max_drop`.

        Warns:
            UserWarning: No rule passed, so that the plain network is used.
        """
        rule = super().choose(record)
        if not rule.exits_early:
            warnings.warn(
                f"No rule has a drop certified to be at most {self.max_drop:g} on these {record.n} samples: "
                f"the plain network is used{_too_few(record, self.max_drop, self.alpha)}",
                stacklevel=2,
            )
        return rule

    @classmethod
    def path(cls, record: Record, positions: Positions, alpha: float = ALPHA, among: Among = "all") -> RulePath:
        """The rules at the drops `positions`, each certified for itself."""
        return certified_path(record, np.asarray(positions, dtype=np.float64), alpha, among)


def certified_path(record: Record, limits: NDArray[np.float64], alpha: float, among: Among = "all") -> RulePath:
    """For each drop (G,) the boldest rule that passes its test before one fails, in the order of tests."""
    choosing, testing = record.apart
    rules = _sequence(choosing)
    if testing is None:
        return replace(rules.take(np.zeros(len(limits), dtype=np.int64)), positions=limits)
    if among != "all" or record.groups is not None:
        return _certified_in_parts(choosing, testing, rules, limits, alpha, among)
    result, bounds = evaluate_path(choosing, rules), drop_bounds(testing, rules, alpha)
    start, below = _clear_gain(choosing, rules, alpha)
    passed = np.zeros(len(limits), dtype=np.int64)
    for first, served in ((0, limits >= below), (start, limits < below)):
        # A rule is out of reach once any before it failed, so what counts is the largest bound so far.
        found = np.searchsorted(np.maximum.accumulate(bounds[first:]), limits[served], side="right") - 1
        passed[served] = np.where(found < 0, 0, first + found)
    # The plain network needs no test; what costs more than it is of no use, whatever its accuracy.
    return replace(rules.take(np.where(result.saving[passed] < 0, 0, passed)), positions=limits)


def _certified_in_parts(
    choosing: Record, testing: Record, rules: RulePath, limits: NDArray[np.float64], alpha: float, among: Among
) -> RulePath:
    """For each drop (G,) the rule that saves most of those that pass before one fails, the likeliest to pass first."""
    if _untested(choosing, testing):
        return replace(rules.take(np.zeros(len(limits), dtype=np.int64)), positions=limits)
    judged = choosing.held_out or choosing
    likely = drop_bounds_of_parts(judged, rules, alpha, among)
    saving = np.where(rules.plain, 0.0, evaluate_path(choosing, rules).saving)
    order = np.lexsort([-saving, likely])
    order = order[~rules.plain[order]]
    highest = np.maximum.accumulate(drop_bounds_of_parts(testing, rules.take(order), alpha, among))
    ahead = np.maximum.accumulate(np.append(0.0, saving[order]))
    first = np.searchsorted(ahead, ahead, side="left")
    # The plain network needs no test, and what saves nothing is of no use.
    places = np.append(int(rules.plain.argmax()), order)
    passed = np.searchsorted(highest, limits, side="right")
    return replace(rules.take(places[first[passed]]), positions=limits)


def _untested(choosing: Record, testing: Record) -> bool:
    """Whether there is a group of which no sample tests."""
    if choosing.groups is None or testing.groups is None:
        return False
    return not np.isin(choosing.groups.occurring, testing.groups.occurring).all()


def _too_few(record: Record, limit: float, alpha: float) -> str:
    """What to say of groups of which too few samples test to show a drop within the limit, were none lost."""
    testing = record.apart[1]
    if record.groups is None or testing is None or testing.groups is None:
        return ""
    groups = record.groups.occurring
    sizes = np.bincount(testing.groups.of, minlength=len(record.groups.names))[groups]
    # A gambler who stakes all grows by 1 + limit / 2 with each sample that is not harmed.
    needed = math.ceil(math.log(1 / alpha) / math.log1p(limit / 2)) if limit > 0 else 0
    small = np.flatnonzero(sizes < needed)
    if not len(small):
        return ""
    least = small[sizes[small].argmin()]
    name = record.groups.names[groups[least]][:40]
    return (
        f"; {len(small):,} of {len(sizes):,} groups have too few, the least is {name!r} with {sizes[least]:,} that "
        f"test, where that drop takes {needed:,} or more even if none is harmed"
    )


def _clear_gain(choosing: Record, rules: RulePath, alpha: float) -> tuple[int, float]:
    """The rule that gains most, and below which limits tests start there; minus infinity where no gain is clear.

    Those are the limits that a rule before it would fail: where few samples leave, too few show that nothing is lost.
    """
    judged = choosing.held_out or choosing
    surest = int(evaluate_path(judged, rules).accuracy_drop.argmin())
    bounds = drop_bounds(judged, rules.take(np.arange(surest + 1)), alpha)
    return (surest, float(bounds.max())) if bounds[surest] < 0 else (0, -np.inf)


def _sequence(record: Record) -> RulePath:
    """The rules to test, in their order: the plain network, which needs none, and what is made from `record`."""
    never = np.full((1, len(record.stages) - 1), np.inf, dtype=np.float32)
    selection = select(record)
    if selection is None:
        return rule_path(record, [0], never, np.array([True]))
    family, better = selection.chosen.thresholds[selection.safest :], _all_at_a_better(record)
    if family.ndim == 3:
        never, better = (np.repeat(rules[:, :, None], family.shape[2], axis=2) for rules in (never, better))
    rules = np.concatenate([never, never, _more_cautious(record, family[0]), better, family])
    places = np.arange(len(rules))
    return rule_path(record, places, rules, places == 0)


def _all_at_a_better(record: Record) -> NDArray[np.float32]:
    """(1, M-1) thresholds by which all leave at the best early stage; (0, M-1) unless it clearly beats the last."""
    best = int(record.stage_accuracy[:-1].argmax())
    right, plain = record.correct[best], record.baseline_correct
    _, high = paired_interval((plain & ~right).sum(), (right & ~plain).sum(), record.n)
    thresholds = np.full((int(high < 0), len(record.stages) - 1), np.inf, dtype=np.float32)
    thresholds[:, best] = record.confidence[best].min()
    return thresholds


def _more_cautious(record: Record, rule: NDArray[np.float32]) -> NDArray[np.float32]:
    """(CAUTIOUS, ...) thresholds: ever more of the samples that `rule` finds sure may leave, the surest first."""
    shares = np.arange(1, CAUTIOUS + 1) / (CAUTIOUS + 1)
    result = np.full((CAUTIOUS, *rule.shape), np.inf, dtype=np.float32)
    for place in np.ndindex(rule.shape):
        stage, *answer = place
        members = record.predictions[stage] == answer[0] if answer else slice(None)
        confidence = record.confidence[stage, members]
        sure = confidence[confidence >= rule[place]]
        if sure.size:
            result[(slice(None), *place)] = np.quantile(sure, 1 - shares, method="higher")
    return result
