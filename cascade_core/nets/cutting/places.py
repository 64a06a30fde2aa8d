"""Places worth a trial for exits: the ends of a network's blocks, thinned out to about equal shares of its MACs."""

from __future__ import annotations

from collections.abc import Sequence

from cascade_core.nets.cutting.splitting import ExitPoint, choose_points

MOST = 12
"""Most places."""

LATEST = 0.98
"""Share of the network's MACs behind which leaving spares next to nothing."""


def candidate_places(points: Sequence[ExitPoint]) -> tuple[str, ...]:
    """Names of up to `MOST` exit points, in order.

    Within a block there are places too, but what is half computed there says less than what the block gives.
    """
    early = [point for point in points if point.share <= LATEST]
    whole = [point for point in early if not any(point.name.startswith(f"{other.name}.") for other in early)]
    if len(whole) <= MOST:
        return tuple(point.name for point in whole)
    return choose_points(whole, f"auto:{MOST}")
