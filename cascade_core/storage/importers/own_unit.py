"""Costs in a unit of the file's own, such as dollars or tokens: the same for all samples of a stage, or of each sample.

Who says what each stage costs, and not what the plain network does, calls models one after another: the plain network
is the last of them alone, and one at which no sample may leave is not called.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cascade_core.simulation.own_costs import WHOLE, OwnCosts
from cascade_core.simulation.sample_costs import mean_costs
from cascade_core.simulation.spending import Spending
from cascade_core.storage.costs import macs_in_proportion
from cascade_core.storage.importers.found import Found
from cascade_core.storage.importers.naming import BASELINE_COST, COST, COST_UNIT
from cascade_core.storage.importers.stage_costs import Costs
from cascade_core.support.files import BadFile
from cascade_core.support.wording import uncapital

UNNAMED = "cost units"

_PER = re.compile(r"(.+?)\s+(?:per|/)\s*([\d,]+)(?:\s+\w+)?", re.IGNORECASE)
_PER_ONE = re.compile(r"(.+?)\s+(?:per|/|a)\s*(?:sample|call|query|request|image|question)", re.IGNORECASE)


def own_costs(
    found: Found, arrays: dict[str, Any], names: Sequence[str], order: Sequence[int], samples: int
) -> dict[str, Any]:
    """The fields of a run that say its costs; lines on what was supposed go to `found.notes`.

    Args:
        order: Where the stages stand in the file's arrays.

    Raises:
        BadFile: A cost is not a number of 0 or more, or a shape does not fit.
    """
    if COST not in arrays:
        return {}
    costs = _by_stage(found, arrays[COST], len(names), samples)[list(order)]
    unit, per = unit_of(str(np.ravel(arrays[COST_UNIT])[0]) if COST_UNIT in arrays else UNNAMED)
    plain = _plain(arrays, samples)
    separate = plain is None
    if separate and len(names) > 1:
        found.notes.append(
            f"Costs ({unit}) were taken as those of models that are called one after another: the plain network is "
            f"{names[-1]!r} alone, and a stage at which no sample may leave is not called (else give "
            "baseline_cost, a column or an array)."
        )
    try:
        if (costs == costs[:, :1]).all() and (plain is None or (plain == plain[0]).all()):
            return {"costs": _alike(unit, per, names, costs[:, 0], plain)}
        spending = Spending(stages=costs, plain=plain, separate=separate)  # type: ignore[arg-type]  # None = the usual
        return {"costs": mean_costs(unit, per, tuple(names), spending), "spending": spending}
    except ValueError as error:
        raise BadFile(uncapital(str(error))) from None


def in_proportion(own: OwnCosts) -> Costs:
    """Stages whose MACs, which nobody knows, are as costs are."""
    stages, baseline = macs_in_proportion(own)
    macs = np.array([stage.trunk_macs + stage.head_macs for stage in stages])
    return Costs(stages=stages, macs=macs, baseline_macs=baseline, assumed=True)


def unit_of(text: str) -> tuple[str, int]:
    """A unit, and of how many samples it is.

    >>> unit_of("US dollars per 10,000 calls"), unit_of("tokens"), unit_of("seconds per sample")
    (('US dollars', 10000), ('tokens', 1), ('seconds', 1))
    """
    if (found := _PER.fullmatch(text.strip())) is not None:
        return found[1], max(1, int(found[2].replace(",", "")))
    found = _PER_ONE.fullmatch(text.strip())
    return (text.strip() if found is None else found[1]), 1


def _alike(
    unit: str, per: int, names: Sequence[str], costs: NDArray[np.float64], plain: NDArray[np.float64] | None
) -> OwnCosts:
    return OwnCosts(
        unit=unit,
        per=per,
        stage_names=tuple(names),
        stages=tuple({WHOLE: float(cost)} for cost in costs),
        plain_parts={WHOLE: float(costs[-1] if plain is None else plain[0])},
        separate=plain is None,
    )


def _by_stage(found: Found, values: Any, stages: int, samples: int) -> NDArray[np.float64]:
    """(M, N) from (M,), (M, N) or (N, M)."""
    raw = np.asarray(values)
    costs = raw
    if raw.dtype.kind not in "biuf" or raw.shape not in ((stages,), (stages, samples), (samples, stages)):
        raise BadFile(
            f"expected {COST} to be numbers of shape ({stages},) (stages) or ({stages}, {samples}) (stages, samples) "
            f"but it holds {raw.dtype} of shape {raw.shape}"
        )
    if raw.ndim == 1:
        costs = np.tile(raw[:, None], samples)
    elif raw.shape != (stages, samples):
        costs = raw.T
        found.notes.append(f"The shape {raw.shape} of {COST} was taken as (samples, stages), which alone fits.")
    costs = costs.astype(np.float64)
    wrong = ~(np.isfinite(costs) & (costs >= 0))
    if wrong.any():
        stage, sample = found.first(wrong)
        raise BadFile(
            f"expected a cost of 0 or more, as a number, but {found.place(stage, sample)} has {costs[stage, sample]:g}"
        )
    return costs


def _plain(arrays: dict[str, Any], samples: int) -> NDArray[np.float64] | None:
    """(N,) what the plain network costs, if that is said."""
    if BASELINE_COST not in arrays:
        return None
    raw = np.asarray(arrays[BASELINE_COST], dtype=np.float64)
    plain = raw[0] if raw.ndim == 2 else raw
    if plain.shape not in ((), (1,), (samples,)):
        raise BadFile(f"expected {BASELINE_COST} to be one number or ({samples},) (samples) but it had {raw.shape}")
    return np.broadcast_to(plain, (samples,)).copy()
