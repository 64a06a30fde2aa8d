"""What a sample costs, as it is shown: multiply-accumulates, or milliseconds to expect where a profile was measured.

Accuracy does not depend on the meter; costs and savings do.  Everything that draws or tabulates costs takes one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from cascade_core.simulation.cost_table import CostTable, single
from cascade_core.simulation.evaluation import Evaluation
from cascade_core.simulation.record import Record
from cascade_core.simulation.timing import Profile
from cascade_core.support import checks


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

    def mean(self, result: Evaluation) -> float:
        """Mean cost of a sample."""
        ...

    def plain(self, result: Evaluation) -> float:
        """Cost of a sample in the plain network."""
        ...

    def table(self, record: Record) -> CostTable:
        """What each stage costs, from which `mean` follows for any rule."""
        ...


@dataclass(frozen=True)
class Macs:
    """Multiply-accumulates."""

    unit: str = "MACs"
    noun: str = "computation"

    def mean(self, result: Evaluation) -> float:
        """Mean MACs of a sample."""
        return result.mean_macs

    def plain(self, result: Evaluation) -> float:
        """MACs of a sample in the plain network."""
        return float(result.baseline_macs)

    def table(self, record: Record) -> CostTable:
        """MACs of each stage."""
        trunk = np.array([stage.trunk_macs for stage in record.stages], dtype=np.float64)
        head = np.array([stage.head_macs for stage in record.stages], dtype=np.float64)
        return single(trunk, head, float(record.baseline_macs))


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

    def __post_init__(self) -> None:
        checks.whole("batch", self.batch, 1, self.profile.batch_sizes[-1])

    def describe(self) -> dict[str, int]:
        """For the exported JSON."""
        return {"batch": self.batch}

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

    def table(self, record: Record) -> CostTable:
        """Milliseconds of each stage."""
        self.profile.check_fits(record.stage_names)
        return self._milliseconds


MACS = Macs()


def along(meter: Meter, result: Evaluation) -> NDArray[np.float64]:
    """(G,) mean costs of a sample under every rule of a path."""
    if isinstance(meter, Macs):
        return result.mean_macs
    return np.array([meter.mean(result[position]) for position in range(len(result.exit_counts))])
