"""Costs of the user's own that lie beside a run, as ``RUN.costs.json``: short enough to be written by hand.

    {"unit": "dollars", "per": 1000,
     "stages": {"small": {"device": 0.01}, "large": {"network": 0.02, "cloud": 0.5}},
     "plain": {"network": 0.02, "cloud": 0.5}}

A number in place of parts is a cost that has none; ``"separate": true`` says that each stage is a model of its own.
Nothing here knows what a cost is spent on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from cascade_core.simulation.own_costs import WHOLE, OwnCosts
from cascade_core.simulation.stages import Stage
from cascade_core.support.files import BadFile, readable
from cascade_core.support.json_files import read_json, write_json
from cascade_core.support.remote import Place, Somewhere, beside, place
from cascade_core.support.wording import uncapital

SUFFIX = ".costs.json"
MAX_BYTES = 1 << 20

PLAIN_MACS = 10**9
"""MACs that the plain network is taken to have where only costs are known."""

SHOWN = 300
"""Letters of names that an error shows."""

_KEYS = ("unit", "per", "stages", "plain", "separate")


def macs_in_proportion(own: OwnCosts) -> tuple[tuple[Stage, ...], int]:
    """Stages whose MACs, which nobody knows, are as costs are, and those of the plain network: savings are the same."""
    macs = (own.totals * (PLAIN_MACS / sum(own.plain_parts.values()))).round().astype(int).tolist()
    stages = tuple(
        Stage(name=name, trunk_macs=0 if own.separate else count, head_macs=count if own.separate else 0)
        for name, count in zip(own.stage_names, macs, strict=True)
    )
    return stages, PLAIN_MACS


def costs_path(run: str | Somewhere) -> Path | Somewhere:
    """Where a run's costs lie."""
    return beside(run, SUFFIX)


def save_costs(costs: OwnCosts, path: str | Somewhere) -> Path | Somewhere:
    """Write costs as JSON, atomically.

    Raises:
        BadFile: There is more than `load_costs` would read.
    """
    return write_json(place(path), costs.describe(), MAX_BYTES, indent=1)


def load_costs(path: str | Place, stage_names: tuple[str, ...]) -> OwnCosts:
    """Read the costs of a cascade's stages.

    Raises:
        BadFile: The file is missing, too large, not JSON, of other stages, or a value does not fit.
    """
    source = place(path)
    with readable(source):
        return parse_costs(read_json(source, MAX_BYTES), stage_names)


def parse_costs(data: Any, stage_names: tuple[str, ...]) -> OwnCosts:
    """Costs from JSON data, as `OwnCosts.describe` gives it.

    Raises:
        BadFile: As for `load_costs`.
    """
    if not isinstance(data, Mapping) or not {"unit", "stages", "plain"} <= set(data) <= set(_KEYS):
        raise BadFile(f"expected an object with {', '.join(_KEYS)} (per may be left out, and is 1; so may separate)")
    if not isinstance(data.get("separate", False), bool):
        raise BadFile(f"expected separate to be true or false but it was {repr(data['separate'])[:SHOWN]}")
    stages = data["stages"]
    if not isinstance(stages, Mapping) or tuple(stages) != stage_names:
        raise BadFile(
            f"expected a cost for each of the run's {len(stage_names)} stages, in this order: "
            f"{_listed(stage_names)}; but {_came(stages)}"
        )
    try:
        return OwnCosts(
            unit=data["unit"],
            per=data.get("per", 1),
            stage_names=stage_names,
            stages=tuple(map(_parts, stages.values())),
            plain_parts=_parts(data["plain"]),
            separate=data.get("separate", False),
        )
    except ValueError as error:
        raise BadFile(uncapital(str(error))) from None


def _came(stages: Any) -> str:
    if not isinstance(stages, Mapping):
        return f"it was {repr(stages)[:SHOWN]}"
    return f"{len(stages)} came: {_listed(stages)}" if stages else "none came"


def _listed(names: Iterable[object]) -> str:
    """Names that may hold commas, apart."""
    return ", ".join(map(repr, names))[:SHOWN]


def _parts(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {WHOLE: value}
