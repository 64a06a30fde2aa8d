"""Thresholds chosen on one run and judged on another with the same stages: what a choice is worth where it is used.

The other run may be another data set, another month, a corrupted copy or a part of the samples.  Thresholds and pool
stay as they were chosen, costs are those of the run that chose, and every number is of the other run's samples.  A
sample that helped to choose, known by its id, judges nothing, corrupted or not; ids that only count samples say none.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from cascade_core.analysis.exploration import Exploration, Split
from cascade_core.simulation.meters import with_stages
from cascade_core.simulation.paths import evaluate_path
from cascade_core.simulation.record import Record
from cascade_core.simulation.recorded import Outputs


@dataclass(frozen=True, kw_only=True, eq=False)
class Elsewhere:
    """A run to judge on, beside the run that chooses.

    Attributes:
        outputs: Its samples that had no part in choosing.
        same: Whether they are, one by one, the samples that judge in the run that chooses, such as a corrupted copy.
        left_out: How many had a part, and are not among them.
    """

    outputs: Outputs
    same: bool
    left_out: int

    def record(self, like: Record) -> Record:
        """What stages answer on the samples, under the score and pool, and with the costs, of a record.

        Raises:
            ValueError: The stages are others, or there is no such score.
        """
        ours = tuple(stage.name for stage in self.outputs.stages)
        if ours != like.stage_names:
            raise ValueError(
                f"Expected a run with the stages {', '.join(like.stage_names)} to judge on but it has {', '.join(ours)}"
            )
        record = self.outputs.record(like.score, like.top_k, like.pool)
        return with_stages(record, like.stages, like.baseline_macs)

    def judged(self, exploration: Exploration) -> Exploration:
        """The same rules at every slider position, judged on these samples; they chose nothing, so none is in-sample.

        Raises:
            ValueError: As for `record`.
        """
        test = self.record(exploration.test)
        split = replace(exploration.split, in_sample=False)
        return replace(exploration, split=split, test=test, evaluation=evaluate_path(test, exploration.path))


def elsewhere(other: Outputs, sample_ids: NDArray[np.str_], class_names: tuple[str, ...], split: Split) -> Elsewhere:
    """A run to judge on, without the samples that chose.

    Args:
        sample_ids: (N,) of the run that chooses.
        class_names: Of that run.
        split: How that run is divided.

    Raises:
        ValueError: The classes are others, or all samples had a part in choosing.
    """
    if other.class_names != class_names:
        raise ValueError(
            f"Expected a run with the {len(class_names)} classes of the one that chooses to judge on but it has "
            f"{len(other.class_names)}: {', '.join(other.class_names[:5])} ..."
        )
    n = len(sample_ids)
    if _only_counts(sample_ids) or _only_counts(other.sample_ids):
        return Elsewhere(outputs=other, same=False, left_out=0)
    unseen = ~np.isin(other.sample_ids, sample_ids[split.calibration_index(n)])
    if not unseen.any():
        raise ValueError(
            f"Expected a run with samples that had no part in choosing to judge on but all {len(unseen):,} had, by "
            "their ids"
            + ("; choose on a part of the samples, not in-sample" if split.in_sample else "; name one with others")
        )
    kept = other.take(np.flatnonzero(unseen))
    same = np.array_equal(kept.sample_ids, sample_ids[split.test_index(n)])
    return Elsewhere(outputs=kept, same=same, left_out=int((~unseen).sum()))


def _only_counts(sample_ids: NDArray[np.str_]) -> bool:
    """Whether ids are sample numbers, as samples have them that came without."""
    return np.array_equal(sample_ids, np.arange(len(sample_ids)).astype(str))
