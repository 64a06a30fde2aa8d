"""Whether a rule keeps to limits on the samples of a run: what a build checks before it ships thresholds.

Every check is a bound that holds with a confidence whatever the distribution (`bounds.betting_mean_bound`), and all
must pass.  So a rule that breaks some limit passes with probability 1 - confidence at most, however many limits and
groups there are: it would have to pass the very check that it breaks.  No alpha is shared out for that.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from cascade_core.simulation.certificates import drop_bound, saving_bound
from cascade_core.simulation.evaluation import Evaluation, evaluate
from cascade_core.simulation.exits import ExitRule
from cascade_core.simulation.groups import Groups
from cascade_core.simulation.meters import Meter
from cascade_core.simulation.record import Record
from cascade_core.support import checks
from cascade_core.support.terms import Terms

What = Literal["drop", "saving"]


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What a rule has to keep to.

    Attributes:
        max_drop: Largest accuracy drop, a fraction; None = any.
        min_saving: Least saving, a fraction; None = any.
        confidence: With which each is to be shown, in (0, 1).

    Raises:
        ValueError: There is no limit, or one is out of range.
    """

    max_drop: float | None
    min_saving: float | None
    confidence: float

    def __post_init__(self) -> None:
        if self.max_drop is None and self.min_saving is None:
            raise ValueError("Expected --max-drop or --min-saving, or both, but there was neither")
        if self.max_drop is not None:
            checks.in_range("--max-drop", self.max_drop, -1.0, 1.0)
        if self.min_saving is not None:
            checks.in_range("--min-saving", self.min_saving, -1.0, 1.0)
        checks.inner("--confidence", self.confidence)


@dataclass(frozen=True, kw_only=True)
class Check:
    """One limit, on all samples or on those of a group.

    Attributes:
        what: What is limited.
        group: Name of the group; None = all samples.
        n: Samples.
        measured: On them, a fraction.
        bound: On what it is on all samples there could be, a fraction: from above of a drop, from below of a saving.
        limit: What `bound` has to keep to.
    """

    what: What
    group: str | None
    n: int
    measured: float
    bound: float
    limit: float

    @property
    def passed(self) -> bool:
        """Whether it is shown that the limit is kept to."""
        return self.bound <= self.limit if self.what == "drop" else self.bound >= self.limit

    @property
    def broken(self) -> bool:
        """Whether the samples themselves do not keep to the limit; else there may only be too few of them."""
        return self.measured > self.limit if self.what == "drop" else self.measured < self.limit


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """All checks of a rule.

    Attributes:
        checks: One or more.
        confidence: Of each.
        terms: The words for what is measured.
        noun: What is saved.
    """

    checks: tuple[Check, ...]
    confidence: float
    terms: Terms
    noun: str

    @property
    def passed(self) -> bool:
        """Whether all passed."""
        return all(check.passed for check in self.checks)


def judge(record: Record, rule: ExitRule, limits: Limits, meter: Meter) -> Verdict:
    """Check a rule on the samples of a record; where it is divided into groups, on those of each group for itself.

    Args:
        meter: What savings are counted in.

    Raises:
        ValueError: The rule does not fit the record, or samples cost differently at one stage.
    """
    if limits.min_saving is not None and record.spending is not None:
        raise ValueError(
            "Expected samples that cost alike at each stage for --min-saving but each has costs of its own"
        )
    by_exit = meter.by_exit(evaluate(record, rule)) if limits.min_saving is not None else None
    found: list[Check] = []
    for name, part in [(None, record)] if record.groups is None else _parts(record, record.groups):
        evaluation = evaluate(part, rule)
        if limits.max_drop is not None:
            found.append(_drop(part, rule, evaluation, limits.max_drop, limits.confidence, name))
        if limits.min_saving is not None and by_exit is not None:
            plain = meter.plain(evaluation)
            bound = saving_bound(part, rule, by_exit / plain, 1 - limits.confidence)
            saved = float(1 - evaluation.exit_shares @ by_exit / plain)
            found.append(
                Check(what="saving", group=name, n=part.n, measured=saved, bound=bound, limit=limits.min_saving)
            )
    return Verdict(checks=tuple(found), confidence=limits.confidence, terms=record.terms, noun=meter.noun)


def _parts(record: Record, groups: Groups) -> Iterator[tuple[str, Record]]:
    """The samples of each group that has any."""
    for number in groups.occurring.tolist():
        yield groups.names[number], record.take(groups.members(number))


def _drop(
    part: Record, rule: ExitRule, evaluation: Evaluation, limit: float, confidence: float, group: str | None
) -> Check:
    bound = drop_bound(part, rule, 1 - confidence)
    measured = float(evaluation.accuracy_drop)
    return Check(what="drop", group=group, n=part.n, measured=measured, bound=bound, limit=limit)
