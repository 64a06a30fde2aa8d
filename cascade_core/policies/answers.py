"""Own or pooled answers, decided on the calibration samples of a run.

`Halves` holds a run's calibration and test samples, answered both ways.  Pooled answers are taken unless the stages'
own are expected to save more on fresh samples by two standard errors: cross-fitting (`selection`) says so, with pools
that were fitted without the samples they are judged on.  Where heads are dear, a pool that does without those which
would be switched off is tried too.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from cascade_core.policies.base import Policy
from cascade_core.policies.crossfitting import BLOCKS, FOLDS, folds
from cascade_core.policies.selection import WISHES, Selection, advantage, select, within, worth
from cascade_core.simulation.answers import without_softmaxes
from cascade_core.simulation.meters import MACS, Meter, priced, with_stages
from cascade_core.simulation.outputs import StageOutputs
from cascade_core.simulation.pool import Pool, fit_pool
from cascade_core.simulation.record import Record
from cascade_core.simulation.recorded import Outputs
from cascade_core.support import checks, wording

ANSWERS = ("auto", "pooled", "own")

DEAR = 0.01
"""Cost of the heads that would be off, as a share of the plain network's, from which a pool without them is tried."""

POINT = 0.01
"""The drop at which heads that would be off are looked for."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Divided:
    """Calibration and test samples, with the answers that were decided on.

    Attributes:
        priced: The calibration samples, whose stages cost what they do by a meter; what policies choose on.
        calibration: The same with their MACs.
        answers: "own" or "pooled".
        why: Why these, in a sentence.
    """

    priced: Record
    calibration: Record
    test: Record
    answers: str
    why: str

    @classmethod
    def of(cls, priced: Record, test: Record, answers: str, why: str) -> Divided:
        """Samples whose MACs are those of `test`."""
        same = (priced.stages, priced.baseline_macs) == (test.stages, test.baseline_macs)
        calibration = priced if same else with_stages(priced, test.stages, test.baseline_macs)
        return cls(priced=priced, calibration=calibration, test=test, answers=answers, why=why)

    @classmethod
    def of_records(cls, calibration: Record, test: Record, answers: str, meter: Meter) -> Divided:
        """Samples whose answers are taken as they are.

        Raises:
            ValueError: Pooled answers are asked for, and these are not.
        """
        checks.one_of("answers", answers, ANSWERS)
        if calibration.pool is not None:
            return cls.of(priced(calibration, meter), test, "pooled", "by weights that were brought")
        if answers == "pooled":
            raise ValueError("Expected softmaxes, which pooled answers would need, but only answers were read")
        unread = "pooling takes all softmaxes, which were not read" if test.grid is None else "counts have no softmaxes"
        return cls.of(priced(calibration, meter), test, "own", "it was asked for" if answers == "own" else unread)


@dataclass(frozen=True, kw_only=True, eq=False)
class Halves:
    """A run's calibration and test samples, under a score.

    Attributes:
        calibration, test: (n,) sample numbers; equal where a choice is judged on the samples it was made on.
        meter: What policies are to save.
        in_every: What divides samples into groups in each of which limits are to hold, see `Outputs.divisions`; None =
            in all together.
    """

    outputs: Outputs
    calibration: NDArray[np.int64]
    test: NDArray[np.int64]
    score: str | None = None
    top_k: int = 1
    meter: Meter = MACS
    in_every: str | None = None

    def priced_by(self, meter: Meter) -> Halves:
        """The same halves where costs are by another meter."""
        return self if meter == self.meter else replace(self, meter=meter)

    def divided(self, policy: Policy | type[Policy], answers: str = "auto") -> Divided:
        """The samples for a policy, answered as asked, or as is better for it.

        Raises:
            ValueError: `answers` is not one of `ANSWERS`, or the score is not defined.
        """
        checks.one_of("answers", answers, ANSWERS)
        if self.in_every is not None and not policy.keeps_in_groups:
            raise ValueError(
                f"Expected a policy whose limit can hold in every {self.in_every} but that of {policy.name} cannot"
            )
        if answers == "auto" and not policy.pools:
            return self._divided(self._own, "thresholds were brought")
        if answers == "own":
            return self._divided(self._own, "it was asked for")
        if not isinstance(self.outputs, StageOutputs):
            if answers == "pooled":
                raise ValueError(without_softmaxes("pooling answers"))
            return self._divided(self._own, "there are no softmaxes, which pooling answers would need")
        own, pooled = self._own, self._pooled_apart if policy.tests else self._pooled
        if pooled is None:
            return self._divided(self._own, f"pooling takes two stages and {FOLDS * BLOCKS} calibration samples")
        if answers == "pooled":
            return self._divided(pooled, "it was asked for")
        return self._decided(own, pooled, policy)

    def answered_by(self, pool: Pool | None, why: str) -> Divided:
        """The samples, answered by a pool that was chosen before, or by stages alone; without held-out answers."""
        return self._divided(priced(self._record(self.calibration, pool), self.meter), why)

    def _decided(self, own: Record, pooled: Record, policy: Policy | type[Policy]) -> Divided:
        mine, shared = (select(record.apart[0] if policy.tests else record) for record in (own, pooled))
        # There are enough samples for a pool, and so for these.
        assert mine is not None
        assert shared is not None
        extra = policy.standard_errors
        pooling = advantage(mine.chosen, shared.chosen, extra) <= 0
        savings = [wording.percent(worth(found.chosen, extra), 1) for found in (shared, mine)]
        least, most = (f"{100 * wish:g}" for wish in (WISHES[0], WISHES[-1]))
        why = (
            f"over drops from {least} to {most} points pooled answers are expected to save {savings[0]} on average, "
            f"stages' own {savings[1]}"
        )
        return self._divided(pooled if pooling else own, why)

    def _divided(self, found: Record, why: str) -> Divided:
        answers = "own" if found.pool is None else "pooled"
        if found.pool not in self._tests:
            self._tests[found.pool] = self._record(self.test, found.pool)
        test = self._tests[found.pool]
        return Divided.of(found, test, answers, why)

    @cached_property
    def _tests(self) -> dict[Pool | None, Record]:
        """Test samples by the pool that answers: policies after one another share them."""
        return {}

    def _record(self, index: NDArray[np.int64], pool: Pool | None) -> Record:
        return self._said(self.outputs.take(index), pool)

    def _said(self, outputs: Outputs, pool: Pool | None) -> Record:
        record = outputs.record(self.score, self.top_k, pool)
        return record if self.in_every is None else replace(record, groups=outputs.divided_by(self.in_every))

    @cached_property
    def _own(self) -> Record:
        return priced(self._record(self.calibration, None), self.meter)

    @cached_property
    def _pooled(self) -> Record | None:
        return self._with_pool(np.ones(len(self.calibration), dtype=bool), select(self._own))

    @cached_property
    def _pooled_apart(self) -> Record | None:
        return self._with_pool(self._own.half, select(self._own.apart[0]))

    def _with_pool(self, fitted: NDArray[np.bool_], own: Selection | None) -> Record | None:
        """The calibration samples, pooled by the better pool that can be fitted to some of them."""
        if own is None:
            return None
        everyone = np.ones(len(self.outputs.stages), dtype=bool)
        tried = [self._fitted(fitted, everyone)]
        place = within(own.chosen, np.array([POINT]))[0]
        if place >= 0:
            columns = own.chosen.thresholds[place]
            running = np.append(np.isfinite(columns.reshape(len(columns), -1)).any(axis=1), True)
            spared = sum(stage.head_macs for stage, runs in zip(self._own.stages, running, strict=True) if not runs)
            if running[:-1].any() and spared > DEAR * self._own.baseline_macs:
                tried.append(self._fitted(fitted, running))
        return max(tried, key=_worth)

    def _fitted(self, fitted: NDArray[np.bool_], heads: NDArray[np.bool_]) -> Record:
        """The calibration samples pooled by weights of the samples `fitted`, each of those held out from its own."""
        outputs = self.outputs.take(self.calibration)
        assert isinstance(outputs, StageOutputs)
        chosen = np.flatnonzero(fitted)
        pool = fit_pool(outputs.probs[:, chosen], outputs.labels[chosen], heads)
        record = priced(self._said(outputs, pool), self.meter)
        held = {what: getattr(record, what).copy() for what in ("confidence", "predictions", "correct")}
        for part, others in folds(self._own.take(chosen)):
            of_others = outputs.take(chosen[others])
            part_pool = fit_pool(of_others.probs, of_others.labels, heads, near=pool)
            said = outputs.take(chosen[part]).record(self.score, self.top_k, part_pool)
            for what, values in held.items():
                values[:, chosen[part]] = getattr(said, what)
        return replace(record, fitted=fitted, held_out=replace(record, **held))


def _worth(record: Record) -> float:
    selection = select(record.apart[0])
    return 0.0 if selection is None else worth(selection.chosen)
