"""What stages cost, in MACs: as plain numbers or with units, each stage's own or those up to its exit.

Nothing shows for sure that numbers were meant another way; where they look so, a line says how they were taken.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cascade_core.simulation.recorded import Outputs
from cascade_core.simulation.stages import Stage
from cascade_core.storage.importers.naming import MAC_NAMES
from cascade_core.storage.origin import Origin
from cascade_core.support import checks, wording
from cascade_core.support.files import BadFile
from cascade_core.support.wording import uncapital

_WRITTEN = re.compile(
    r"\s*(\d{1,3}(?:,\d{3})+|\d+(?:\.\d+)?(?:e\+?\d+)?)\s*([kmgt]?)\s*(macs?|flops?)?\s*", re.IGNORECASE
)
_UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12}


def read_macs(text: str) -> int:
    """MACs as people write them; a MAC is two FLOPs.

    >>> read_macs("10M"), read_macs("1.2 GMACs"), read_macs("2.4 GFLOPs"), read_macs("40,550,000")
    (10000000, 1200000000, 1200000000, 40550000)

    Raises:
        ValueError: It is no such number.
    """
    found = _WRITTEN.fullmatch(str(text))
    if found is None:
        raise ValueError(f"Expected a number of MACs, such as 40550000, 10M or 1.2G, but it was {str(text)[:40]!r}")
    per = 2 if (found[3] or "").casefold().startswith("flop") else 1
    macs = float(found[1].replace(",", "")) * _UNITS[found[2].casefold()] / per
    if macs > 1 << 53:
        raise ValueError(f"Expected a number of MACs below 2 to the 53 but it was {str(text)[:40]!r}")
    if macs != round(macs) and not found[2] and per == 1:
        raise ValueError(f"Expected a whole number of MACs but it was {str(text)[:40]!r}; write 10M or 1.2G for more")
    return round(macs)


def is_count(text: str) -> bool:
    """Whether `read_macs` reads a text."""
    try:
        read_macs(text)
    except ValueError:
        return False
    return True


def added_macs(arrays: dict[str, Any], order: Sequence[int], notes: list[str]) -> NDArray[np.int64] | None:
    """(M,) MACs that each stage adds, from whatever a file or a user calls them; None where nobody said any.

    Args:
        order: (M,) which of them is the first stage's, the second's, ...

    Raises:
        BadFile: They are said in two ways, or do not fit.
    """
    said = [name for name in MAC_NAMES if name in arrays]
    if not said:
        return None
    name = said[0]
    if len(said) > 1:
        raise BadFile(f"expected what stages cost once but there are {' and '.join(said)}; keep one")
    factor, divisor = MAC_NAMES[name]
    counts = _counts(name, arrays[name], len(order), factor, divisor)[list(order)]
    if (factor, divisor) != (1, 1):
        notes.append(f"{name} were taken as {_list(counts)} MACs.")
    if not name.endswith("_up_to"):
        return counts
    added = np.diff(counts, prepend=0)
    if (added < 0).any():
        stage = int((added < 0).argmax())
        raise BadFile(
            f"expected {name} to rise from stage to stage but stage {stage} has {counts[stage]:,} after "
            f"{counts[stage - 1]:,}"
        )
    return added


def doubts(added: NDArray[np.int64]) -> list[str]:
    """A line where MACs may not be what each stage adds, or stages may stand in another order.

    Stages that grow by one factor are taken at their word: networks that double from stage to stage do that.
    """
    if len(added) < 2 or added.min() <= 0:
        return []
    growth = added[1:] / added[:-1]
    if (growth > 1).all() and (len(added) == 2 or not np.allclose(growth, growth[0], rtol=0.01)):
        return [
            f"MACs rise from stage to stage ({_list(added)}) and were taken as what each adds, "
            f"{wording.macs(added.sum())} in all: if they count from the start, say so (--macs-up-to, macs_up_to); if "
            "each stage is a whole network, or this is right, say those of the plain network (--baseline-macs, "
            "baseline_macs)."
        ]
    if (growth < 1).all():
        return [f"MACs fall from stage to stage ({_list(added)}): are they, and the stages, in their order?"]
    return []


def with_macs(outputs: Outputs, macs: Sequence[int], baseline_macs: int | None = None) -> Outputs:
    """The run with MACs that are known after all.

    Args:
        macs: (M,) multiply-accumulates that each stage adds, its head's among them.
        baseline_macs: MACs of the plain network; without it, the sum of `macs`.

    Raises:
        ValueError: There is not one for each stage, or one is not a whole number of 0 or more.
    """
    total = checks.integers("macs", macs, "(stages)", (len(outputs.stages),))
    origin = Origin.of(outputs.source)
    return replace(
        outputs,
        stages=tuple(
            Stage(name=stage.name, trunk_macs=int(all_macs), head_macs=0)
            for stage, all_macs in zip(outputs.stages, total, strict=True)
        ),
        baseline_macs=baseline_macs,  # type: ignore[arg-type]  # None = the sum
        source=replace(origin, assumed_macs=False, title=None if origin.assumed_macs else origin.title).as_json(),
    )


def _list(counts: NDArray[np.int64]) -> str:
    return ", ".join(f"{count:,}" for count in counts[:8].tolist()) + (", ..." if len(counts) > 8 else "")


def _counts(name: str, values: Any, stages: int, factor: int, divisor: int) -> NDArray[np.int64]:
    raw = np.asarray(values)
    if raw.dtype.kind in "US":
        try:
            raw = np.array([read_macs(text) for text in raw.ravel().tolist()], dtype=np.int64).reshape(raw.shape)
        except ValueError as error:
            raise BadFile(f"{name}: {uncapital(str(error))}") from None
    if factor != 1 or divisor != 1:
        scaled = checks.array(name, raw, np.float64, "(stages)", (stages,)) * factor / divisor
        raw = np.round(scaled)
    try:
        counts = checks.integers(name, raw, "(stages)", (stages,))
    except ValueError as error:
        hint = "; write 10M or 1.2G for millions or billions" if "whole numbers" in str(error) else ""
        raise BadFile(f"{error}{hint}") from None
    if (counts < 0).any():
        stage = int((counts < 0).argmax())
        raise BadFile(f"expected {name} to be 0 or more but stage {stage} has {counts[stage]}")
    return counts
