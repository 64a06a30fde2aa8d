"""What a sample costs, as it is shown: multiply-accumulates, milliseconds to expect where a profile was measured, or
costs of the user's own (`own_costs`).

Accuracy does not depend on the meter; costs and savings do.  Everything that draws or tabulates costs takes one, and
thresholds are sought for it: a record whose stages are `priced` has its costs where others have MACs.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from cascade_core.simulation.cost_table import CostTable, single
from cascade_core.simulation.evaluation import Evaluation
from cascade_core.simulation.record import Record
from cascade_core.simulation.stages import Stage
from cascade_core.simulation.timing import Profile
from cascade_core.support import checks

SCALE = 1 << 30
"""What the plain network or all stages, whichever is more, cost in a `priced` record: costs are whole numbers there."""

PERCENTILES = (0.95, 0.99)
"""Shares of the samples that are done by a time that is shown."""


class Meter(Protocol):
    """A way to count what is spent."""

    @property
    def unit(self) -> str:
        """A plural noun, such as "MACs"."""
        ...

    @property
    def noun(self) -> str:
        """What a saving is one of, such as "computation"."""
        ...

    @property
    def per(self) -> int:
        """Samples whose cost is told: 1000 where costs are of a thousand."""
        ...

    def mean(self, result: Evaluation) -> float:
        """Mean cost of `per` samples."""
        ...

    def plain(self, result: Evaluation) -> float:
        """Cost of `per` samples in the plain network."""
        ...

    def by_exit(self, result: Evaluation) -> NDArray[np.float64]:
        """(M,) cost of `per` samples that leave at each stage, in whole batches, under one rule."""
        ...

    def table(self, record: Record) -> CostTable:
        """What each stage costs, from which `mean` follows for any rule."""
        ...

    def describe(self) -> dict[str, Any]:
        """The unit, and what else tells it from others, as JSON data."""
        ...

    def details(self, result: Evaluation) -> dict[str, Any]:
        """What is known of costs beside their mean, as JSON data."""
        ...


@dataclass(frozen=True)
class Macs:
    """Multiply-accumulates."""

    unit: str = "MACs"
    noun: str = "computation"
    per: int = 1

    def mean(self, result: Evaluation) -> float:
        """Mean MACs of a sample."""
        return result.mean_macs

    def plain(self, result: Evaluation) -> float:
        """MACs of a sample in the plain network."""
        return float(result.baseline_macs)

    def by_exit(self, result: Evaluation) -> NDArray[np.float64]:
        """(M,) MACs of a sample that leaves at each stage."""
        return result.costs.astype(np.float64)

    def table(self, record: Record) -> CostTable:
        """MACs of each stage."""
        trunk = np.array([stage.trunk_macs for stage in record.stages], dtype=np.float64)
        head = np.array([stage.head_macs for stage in record.stages], dtype=np.float64)
        return single(trunk, head, float(record.baseline_macs))

    def describe(self) -> dict[str, Any]:
        """The unit."""
        return {"unit": self.unit}

    def details(self, result: Evaluation) -> dict[str, Any]:
        """Nothing."""
        return {}


@dataclass(frozen=True, kw_only=True)
class Milliseconds:
    """Milliseconds to expect of a sample, in batches of a size, where the profile was measured.

    Attributes:
        compaction: Whether a stage is computed for the survivors of a batch only (see `cost_table`).

    Raises:
        ValueError: The batch is larger than was measured.
    """

    profile: Profile
    batch: int
    compaction: bool = True
    unit: str = "milliseconds"
    noun: str = "time"
    per: int = 1

    def __post_init__(self) -> None:
        checks.whole("batch", self.batch, 1, self.profile.batch_sizes[-1])

    def describe(self) -> dict[str, Any]:
        """The unit, and the size of the batches."""
        return {"unit": self.unit, "batch": self.batch}

    def details(self, result: Evaluation) -> dict[str, Any]:
        """The size of batches; in batches of one, the `percentiles` too."""
        if self.batch > 1:
            return {"batch": self.batch}
        within = zip(PERCENTILES, self.percentiles(result), strict=True)
        return {"batch": 1, "percentiles": [{"share": share, "within": time} for share, time in within]}

    def percentiles(self, result: Evaluation) -> tuple[float, ...]:
        """Milliseconds within which the shares `PERCENTILES` of the samples are done, each computed alone.

        In larger batches samples wait for one another, and nothing is said of when each is done.

        A sample takes what the stages up to where it leaves take at the median, so that these tell how samples differ,
        not how the same one does from time to time; the plain network's are all its median.
        """
        by_exit = self._milliseconds.by_exit(result)
        done = np.cumsum(result.exit_counts)
        return tuple(float(by_exit[np.searchsorted(done, np.ceil(share * result.n - 1e-9))]) for share in PERCENTILES)

    @cached_property
    def _milliseconds(self) -> CostTable:
        seconds = self.profile.table(self.batch, compaction=self.compaction)
        thousand = {name: 1000 * getattr(seconds, name) for name in ("trunk", "head", "pool", "plain")}
        return replace(seconds, **thousand)

    def mean(self, result: Evaluation) -> float:
        """Expected milliseconds of a sample."""
        self.profile.check_fits(result.stage_names)
        return self._milliseconds.mean(result)

    def plain(self, result: Evaluation) -> float:
        """Milliseconds of a sample in the plain network."""
        return self._milliseconds.plain

    def by_exit(self, result: Evaluation) -> NDArray[np.float64]:
        """(M,) milliseconds of a sample that leaves at each stage, in whole batches."""
        self.profile.check_fits(result.stage_names)
        return self._milliseconds.by_exit(result)

    def table(self, record: Record) -> CostTable:
        """Milliseconds of each stage."""
        self.profile.check_fits(record.stage_names)
        return self._milliseconds


MACS = Macs()


def along(meter: Meter, result: Evaluation) -> NDArray[np.float64]:
    """(G,) mean costs of `per` samples under every rule of a path."""
    if isinstance(meter, Macs):
        return result.mean_macs
    return np.array([meter.mean(result[position]) for position in range(len(result.exit_counts))])


def spent(meter: Meter, result: Evaluation) -> dict[str, Any]:
    """What a rule costs by a meter, as JSON data: its mean and the plain network's, for `per` samples, and details."""
    mean, plain = meter.mean(result), meter.plain(result)
    told = {"unit": meter.unit, "per": meter.per, "mean": mean, "plain": plain, "saving": 1 - mean / plain}
    return told | meter.details(result)


def priced(record: Record, meter: Meter) -> Record:
    """The record whose stages cost by `meter`, what they do in whole batches, in place of MACs.

    Where answers are pooled, what that takes at a stage is part of its head's cost.
    """
    if isinstance(meter, Macs):
        return record
    table = meter.table(record)
    whole, heads = table.trunk[:, -1], table.head[:, -1] + (0 if record.pool is None else table.pool[:, -1])
    scale = SCALE / max(table.batch * table.plain, float((whole + heads).sum()))
    trunk, head = ((scale * part).round().astype(np.int64) for part in (whole, heads))
    stages = [
        Stage(name=name, trunk_macs=int(t), head_macs=int(h))
        for name, t, h in zip(record.stage_names, trunk, head, strict=True)
    ]
    return with_stages(record, tuple(stages), max(1, round(scale * table.batch * table.plain)))


def with_stages(record: Record, stages: tuple[Stage, ...], baseline_macs: int) -> Record:
    """The record with other costs, and likewise the one that holds the same samples out."""
    held_out = None if record.held_out is None else with_stages(record.held_out, stages, baseline_macs)
    return replace(record, stages=stages, baseline_macs=baseline_macs, held_out=held_out)
