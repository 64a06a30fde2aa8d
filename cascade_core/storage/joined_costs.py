"""The own costs of runs that are joined: those of all stages, where all runs count in one unit.

The plain network is the last run's, as of MACs.  Runs that count in different units, or not at all, have none together.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cascade_core.simulation.own_costs import OwnCosts
from cascade_core.simulation.recorded import Outputs
from cascade_core.simulation.sample_costs import mean_costs
from cascade_core.simulation.spending import Spending


def joined_costs(
    runs: Sequence[Outputs], orders: Sequence[NDArray[np.int64]], stage_names: tuple[str, ...]
) -> dict[str, Any]:
    """The fields of a run that say its costs; none where the runs say nothing in common.

    Args:
        orders: (N,) where in each run the samples of the first are.
    """
    costs = [run.costs for run in runs if run.costs is not None]
    if len(costs) < len(runs) or len({(own.unit, own.per, own.separate) for own in costs}) > 1:
        return {}
    if any(run.spending is not None for run in runs):
        parts = [_spending(run, own).take(order) for run, own, order in zip(runs, costs, orders, strict=True)]
        stages = np.concatenate([part.stages for part in parts])
        spending = Spending(stages=stages, plain=parts[-1].plain, separate=costs[0].separate)
        return {"costs": mean_costs(costs[0].unit, costs[0].per, stage_names, spending), "spending": spending}
    own = OwnCosts(
        unit=costs[0].unit,
        per=costs[0].per,
        stage_names=stage_names,
        stages=tuple(stage for one in costs for stage in one.stages),
        plain_parts=costs[-1].plain_parts,
        separate=costs[0].separate,
    )
    return {"costs": own}


def _spending(run: Outputs, own: OwnCosts) -> Spending:
    """What each sample costs, where all cost alike too."""
    if run.spending is not None:
        return run.spending
    n = len(run.labels)
    plain = np.full(n, sum(own.plain_parts.values()))
    return Spending(stages=np.tile(own.totals[:, None], n), plain=plain, separate=own.separate)
