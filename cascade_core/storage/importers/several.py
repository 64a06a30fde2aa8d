"""Several files as one run: the stages of one after those of the other, over the same samples.

Files that name their samples may have them in any order; without names the order must be one, which labels show.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from cascade_core.simulation.recorded import Outputs
from cascade_core.storage.importers.assembling import Wishes
from cascade_core.storage.importers.mac_counts import added_macs, doubts, with_macs
from cascade_core.storage.importers.naming import MAC_NAMES
from cascade_core.storage.importers.stage_costs import ASSUMED
from cascade_core.storage.joining import join_runs
from cascade_core.storage.origin import Origin
from cascade_core.support import checks
from cascade_core.support.files import BadFile


def of_each(wishes: Wishes) -> Wishes:
    """What the user says that holds for each of several files."""
    return Wishes(
        class_names=wishes.class_names, labels_from=wishes.labels_from, assume_equal_macs=wishes.assume_equal_macs
    )


def one_after_another(runs: Sequence[Outputs], files: Sequence[str], wishes: Wishes) -> Outputs:
    """The runs that files hold as one.

    Args:
        files: What the stages are called where nobody names them, one a run.

    Raises:
        ValueError: Runs differ in samples, labels or classes, or names, MACs and stages do not fit.
    """
    count = sum(len(run.stages) for run in runs)
    if wishes.stage_names is None:
        return _costed(join_runs(runs, files), runs, wishes)
    names = checks.names("stage_names", wishes.stage_names, count, "stage")
    joined = join_runs(runs, files)
    stages = tuple(replace(stage, name=name) for stage, name in zip(joined.stages, names, strict=True))
    costs = None if joined.costs is None else replace(joined.costs, stage_names=names)
    return _costed(replace(joined, stages=stages, costs=costs), runs, wishes)


def _costed(joined: Outputs, runs: Sequence[Outputs], wishes: Wishes) -> Outputs:
    """With MACs that the user or all files say, and else assumed ones."""
    notes: list[str] = []
    assumed = [Origin.of(run.source).assumed_macs for run in runs]
    order = range(len(joined.stages))
    of_files = np.array([stage.trunk_macs + stage.head_macs for stage in joined.stages])
    said = {"macs_up_to": of_files} if wishes.macs_up_to is True else wishes.arrays
    added = added_macs({name: value for name, value in said.items() if name in MAC_NAMES}, order, notes)
    if added is None and any(assumed):
        if not all(assumed):
            raise BadFile("expected macs in all files or in none; give them with --macs")
        if joined.costs is not None:
            return joined
        origin = replace(Origin.of(joined.source), assumed_macs=True, title=ASSUMED)
        return replace(joined, baseline_macs=None, source=origin.as_json())  # type: ignore[arg-type]  # None = the sum
    if added is None:
        added = of_files
    if wishes.baseline_macs is None and wishes.macs_up_to is None:
        notes += doubts(added)
    costed = with_macs(joined, added.tolist(), wishes.baseline_macs)
    origin = Origin.of(costed.source)
    return replace(costed, source=replace(origin, notes=(*origin.notes, *notes)).as_json())
