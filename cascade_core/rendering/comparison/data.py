"""Curves, marks and pinned points -> what the comparison's chart draws, as JSON data.

A curve is a policy swept over a run.  Costs are shares of the plain network's where that is the same network for all,
else they are in the meter's unit; accuracies are fractions.  Infinities and NaN do not occur.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cascade_core.analysis.exploration import Exploration
from cascade_core.analysis.points import OperatingPoint
from cascade_core.analysis.spread import OUTER, Spread
from cascade_core.rendering.cost_words import mean_title
from cascade_core.rendering.palette import LIGHT
from cascade_core.rendering.published import PublishedResult
from cascade_core.simulation.bounds import CERTAINTY
from cascade_core.simulation.meters import MACS, Meter, along
from cascade_core.support import wording
from cascade_core.support.terms import common

DASHES = ("", "9 5", "2 4", "10 4 2 4", "16 5", "16 4 2 4 2 4", "5 3", "12 3 3 3")
"""Of policies, as SVG has them; the first is a line without gaps.  Colours are of runs."""

_BAND_COSTS = np.linspace(0, 1.5, 601)


@dataclass(frozen=True, kw_only=True)
class Curve:
    """An exploration, how its costs are counted, and how it spreads over splits where that was asked for."""

    run: str
    exploration: Exploration
    meter: Meter = MACS
    spread: Spread | None = None

    @property
    def policy(self) -> str:
        """Title of the policy."""
        return self.exploration.policy.title

    @property
    def plain(self) -> float:
        """Cost of the plain network."""
        return self.meter.plain(self.exploration.evaluation)


@dataclass(frozen=True, kw_only=True)
class Pinned:
    """An operating point with the number that it has in the list, and how its costs are counted."""

    number: int
    point: OperatingPoint
    meter: Meter = MACS


def comparison_data(
    curves: Sequence[Curve],
    pinned: Sequence[Pinned] = (),
    published: Sequence[PublishedResult] = (),
    *,
    certified: bool = False,
    colours: Mapping[str, int] | None = None,
    looked_at: str = "",
) -> dict[str, Any]:
    """Accuracy against mean cost of all curves: a colour for each run, a dash for each policy.

    Args:
        curves: At least one; their meters have one unit.
        published: Series of shares of MACs; `not_drawn` says when they cannot be drawn.
        certified: Whether to draw what each curve's accuracy is certainly above.
        colours: Of runs, as numbers among the palette's; in the order of the curves if None.
        looked_at: The run whose curves are drawn thick.
    """
    shares = of_one_network(curves, pinned)
    runs = list(dict.fromkeys(curve.run for curve in curves))
    policies = list(dict.fromkeys(curve.policy for curve in curves))
    chosen = colours or run_colours(runs, runs)
    names = short_names(runs)
    unit, terms = curves[0].meter.unit, common(curve.exploration.terms for curve in curves)
    return {
        "runs": [_run(run, names[run], chosen[run], curves, shares) for run in runs],
        "curves": [
            _curve(curve, _label(curve, names, len(policies)), chosen[curve.run], shares, certified)
            | {"looked_at": curve.run == looked_at, "dash": DASHES[policies.index(curve.policy) % len(DASHES)]}
            for curve in curves
        ],
        "terms": terms.as_json(),
        "policies": [{"title": terms.of(title), "dash": DASHES[i % len(DASHES)]} for i, title in enumerate(policies)],
        "pinned": [_pin(pin, shares) for pin in pinned],
        "published": [_series(series) for series in published] if not not_drawn(curves, pinned) else [],
        "shares": shares,
        "unit": unit,
        "axis": mean_title(curves[0].meter, shares=shares),
        "sure": CERTAINTY,
        "band": " and ".join(wording.percent(end) for end in OUTER),
    }


def of_one_network(curves: Sequence[Curve], pinned: Sequence[Pinned] = ()) -> bool:
    """Whether the plain network is the same for all, so that shares of its cost can be compared."""
    evaluations = [curve.exploration.evaluation for curve in curves] + [pin.point.evaluation for pin in pinned]
    return len({evaluation.baseline_macs for evaluation in evaluations}) == 1


def not_drawn(curves: Sequence[Curve], pinned: Sequence[Pinned] = ()) -> str:
    """Why published results cannot be drawn beside these curves, in a sentence; empty where they can."""
    if curves[0].meter is not MACS:
        return f"Published results are not drawn: their costs are MACs, and these are {curves[0].meter.unit}."
    if any(curve.exploration.test.reference != "labels" for curve in curves):
        return "Published results are not drawn: they are accuracies, and not all of these runs have labels."
    if not of_one_network(curves, pinned):
        return (
            "Published results are not drawn: their costs are shares of one plain network's MACs, and these curves "
            "have several."
        )
    return ""


def short_names(names: Sequence[str]) -> dict[str, str]:
    """Names without the leading words that all of them share, and cut where they are long, while they are told apart.

    >>> short_names(["cifar10-hybrid", "cifar10-resnet56-ladder"])
    {'cifar10-hybrid': 'hybrid', 'cifar10-resnet56-ladder': 'resnet56-ladder'}
    """
    if len(set(names)) < 2:
        return {name: wording.cut(name) for name in names}
    split = [re.split(r"(?<=[-_ ])", name) for name in names]
    most = min(map(len, split)) - 1
    shared = next((i for i in range(most) if len({words[i] for words in split}) > 1), most)
    whole = {name: "".join(words[shared:]) for name, words in zip(names, split, strict=True)}
    short = {name: wording.cut(one) for name, one in whole.items()}
    return short if len(set(short.values())) == len(short) else whole


def headings(runs: Sequence[str], policies: Sequence[str]) -> tuple[list[str], list[str]]:
    """Of two panels, how they are headed, by run and policy, and what they are called in a sentence, by what differs.

    >>> headings(["c10-ladder", "c10-hybrid"], ["Cheapest", "Cheapest"])
    (['ladder, Cheapest', 'hybrid, Cheapest'], ['ladder', 'hybrid'])
    >>> headings(["a", "a"], ["Cheapest", "Paper"])
    (['a, Cheapest', 'a, Paper'], ['Cheapest', 'Paper'])
    """
    short = short_names(list(dict.fromkeys(runs)))
    headed = [f"{short[run]}, {policy}" for run, policy in zip(runs, policies, strict=True)]
    if len(set(policies)) == 1:
        return headed, [short[run] for run in runs]
    return headed, list(policies) if len(short) == 1 else headed


def run_colours(runs: Sequence[str], listed: Sequence[str]) -> dict[str, int]:
    """A colour number for each run: its place among all that are `listed`, so that it stays, or the next free one."""
    count = len(LIGHT.runs)
    found: dict[str, int] = {}
    for run in runs:
        wish = listed.index(run)
        free = (i % count for i in range(wish, wish + count) if i % count not in found.values())
        found[run] = next(free, wish % count)
    return found


def _label(curve: Curve, names: Mapping[str, str], policies: int) -> str:
    """What stands at the curve's end: the run, the policy, or both, whichever tells it from the others."""
    if policies == 1:
        return names[curve.run]
    policy = curve.exploration.terms.of(curve.policy)
    return policy if len(names) == 1 else f"{names[curve.run]}: {policy}"


def _curve(curve: Curve, label: str, colour: int, shares: bool, certified: bool) -> dict[str, Any]:
    result, unit = curve.exploration.evaluation, curve.plain if shares else 1.0
    costs = along(curve.meter, result)
    order = np.argsort(costs, kind="stable")
    certificate = curve.exploration.certificate if certified else None
    return {
        "run": curve.run,
        "policy": result.terms.of(curve.policy),
        "label": label,
        "terms": result.terms.as_json(),
        "colour": colour,
        "cost": _rounded(costs[order] / unit),
        "accuracy": _rounded(result.accuracy[order]),
        "drop": _rounded(result.accuracy_drop[order]),
        "saving": _rounded(1 - costs[order] / curve.plain),
        "certain": None if certificate is None else _rounded(result.full_accuracy - certificate[order]),
        "spread": None if curve.spread is None else _spread(curve.spread, curve.meter, curve.plain / unit),
    }


def _spread(spread: Spread, meter: Meter, scale: float) -> dict[str, Any]:
    band = spread.band(_BAND_COSTS, meter)
    reached = ~np.isnan(band.mean)
    found = {"cost": scale * band.costs, "mean": band.mean, "low": band.low, "high": band.high}
    return {name: _rounded(values[reached]) for name, values in found.items()} | {"splits": len(spread.judged)}


def _run(run: str, name: str, colour: int, curves: Sequence[Curve], shares: bool) -> dict[str, Any]:
    """A run's plain network and its oracle; where policies pool differently, of the first."""
    curve = next(curve for curve in curves if curve.run == run)
    result, best = curve.exploration.evaluation, curve.exploration.oracle
    unit = curve.plain if shares else 1.0
    return {
        "run": run,
        "name": name,
        "colour": colour,
        "plain": {"cost": curve.plain / unit, "accuracy": result.full_accuracy},
        "oracle": {"cost": curve.meter.mean(best) / unit, "accuracy": best.accuracy},
    }


def _pin(pin: Pinned, shares: bool) -> dict[str, Any]:
    result = pin.point.evaluation
    unit = pin.meter.plain(result) if shares else 1.0
    words = f"{pin.point.run}, {pin.point.policy}, {pin.point.setting}"
    return {
        "number": pin.number,
        "text": words,
        "cost": pin.meter.mean(result) / unit,
        "accuracy": result.accuracy,
    }


def _series(series: PublishedResult) -> dict[str, Any]:
    at = [{"cost": 1 - p.saving, "accuracy": p.accuracy, "text": f"epsilon {p.epsilon:.0%}"} for p in series.points]
    return {"label": f"published, {series.name} ({series.network.split(',')[0]})", "points": at}


def _rounded(values: NDArray[np.float64]) -> list[float]:
    """To six digits, far below what a screen shows."""
    return [float(f"{value:.6g}") for value in values]
