"""Milliseconds: what stages were measured to take, and what a rule's samples can be expected to take from it.

A profile is measured where the cascade will run (`nets.profile`), for whole batches of several sizes, and lies beside
its run as ``RUN.profile.json``.  `cost_table` says what a rule's samples take from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cascade_core.simulation.cost_table import CostTable
from cascade_core.simulation.evaluation import Evaluation
from cascade_core.support import checks
from cascade_core.support.files import BadFile, readable
from cascade_core.support.json_files import read_json, write_json
from cascade_core.support.remote import Place, Somewhere, beside, place

SUFFIX = ".profile.json"
SCHEMA_VERSION = 2
"""Profiles of version 1 say nothing of pooled answers' time."""

MAX_BYTES = 1 << 20
MAX_BATCH = 1 << 16

MAX_SECONDS = 1e6
"""Most that a batch may take at a stage, twelve days."""

MAX_RATIO = 1e6
"""Most that all stages may take, in times of the plain network: no chart shows both."""

_PARTS = ("trunk", "head", "pool", "plain")

Seconds = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class Profile:
    """Medians and 95th percentiles of seconds for a whole batch.

    Attributes:
        stage_names: M names.
        batch_sizes: B whole numbers, rising, from 1.
        trunk, head, trunk_p95, head_p95: (M, B) of each stage's trunk piece, and of its head.
        pool, pool_p95: (M, B) of what a pooled answer takes beyond the stage's own; without them, 0.
        plain, plain_p95: (B,) of the plain network.
        circumstances: Device, threads, versions, repeats, as JSON data.

    Raises:
        ValueError: A shape or a value does not fit: seconds are from 0 to `MAX_SECONDS`, every stage and the plain
            network take more than none, and all stages at most `MAX_RATIO` times as long as the plain network.
    """

    stage_names: tuple[str, ...]
    batch_sizes: tuple[int, ...]
    trunk: Seconds
    head: Seconds
    plain: Seconds
    trunk_p95: Seconds
    head_p95: Seconds
    plain_p95: Seconds
    circumstances: Mapping[str, Any]
    pool: Seconds = None  # type: ignore[assignment]  # filled in below, never None afterwards
    pool_p95: Seconds = None  # type: ignore[assignment]  # likewise

    def __post_init__(self) -> None:
        put, m, b = object.__setattr__, len(self.stage_names), len(self.batch_sizes)
        put(self, "stage_names", checks.names("stage_names", self.stage_names, m, "stage"))
        sizes = tuple(checks.whole("batch size", size, 1, MAX_BATCH) for size in self.batch_sizes)
        if not sizes or sizes[0] != 1 or any(later <= earlier for earlier, later in pairwise(sizes)):
            raise ValueError(f"Expected batch_sizes to rise from 1 but they were {', '.join(map(str, sizes))}")
        put(self, "batch_sizes", sizes)
        if not isinstance(self.circumstances, Mapping):
            raise ValueError(f"Expected circumstances to have names but they were {repr(self.circumstances)[:60]}")
        for name in (f"{part}{suffix}" for part in _PARTS for suffix in ("", "_p95")):
            shape, dims = ((b,), "(batch sizes)") if name.startswith("plain") else ((m, b), "(stages, batch sizes)")
            measured = getattr(self, name)
            if measured is None and name.startswith("pool"):
                measured = np.zeros(shape)
            values = checks.array(name, measured, np.float64, dims, shape)
            # What is no number is not within.
            for odd in values[~((values >= 0) & (values <= MAX_SECONDS))][:1]:
                raise ValueError(f"Expected {name} to be seconds from 0 to {MAX_SECONDS:,.0f} but one is {odd:g}")
            put(self, name, values)
        self._check_totals()

    def _check_totals(self) -> None:
        stages = self.trunk + self.head
        for m, b in np.argwhere(stages <= 0)[:1]:
            raise ValueError(
                f"Expected every stage to take some time but stage {self.stage_names[m]!r} takes none in batches of "
                f"{self.batch_sizes[b]}"
            )
        whole = (stages + self.pool).sum(axis=0)
        for b in np.flatnonzero(whole > MAX_RATIO * self.plain)[:1]:
            raise ValueError(
                f"Expected all stages to take at most {MAX_RATIO:,.0f} times as long as the plain network but in "
                f"batches of {self.batch_sizes[b]} they take {whole[b]:g} seconds and it {self.plain[b]:g}"
            )

    def table(self, batch: int, *, compaction: bool = True) -> CostTable:
        """Seconds of the stages for 0 to `batch` samples, on straight lines between what was measured.

        Args:
            compaction: Whether a stage is computed for the survivors only, or for the whole batch while any is left.

        Raises:
            ValueError: The batch is larger than was measured.
        """
        checks.whole("batch", batch, 1, self.batch_sizes[-1])
        trunk, head, pool = (
            np.array([_at(row, self.batch_sizes, batch) for row in part]) for part in (self.trunk, self.head, self.pool)
        )
        plain = float(_at(self.plain, self.batch_sizes, batch)[-1]) / batch
        return CostTable(trunk=trunk, head=head, pool=pool, plain=plain, batch=batch, compaction=compaction)

    def plain_seconds(self, batch: int) -> float:
        """Seconds of a sample in the plain network, in batches of `batch`."""
        return self.table(batch).plain

    def expected_seconds(self, evaluation: Evaluation, batch: int, *, compaction: bool = True) -> float:
        """Mean seconds of a sample under a rule, in batches of `batch`; see `table`.

        Raises:
            ValueError: The evaluation is of other stages, or the batch is larger than was measured.
        """
        self.check_fits(evaluation.stage_names)
        return self.table(batch, compaction=compaction).mean(evaluation)

    def check_fits(self, stage_names: tuple[str, ...]) -> None:
        """Raise ValueError unless these are the stages that were measured."""
        if stage_names != self.stage_names:
            raise ValueError(
                f"Expected an evaluation of the stages {', '.join(self.stage_names)} "
                f"but it is of {', '.join(stage_names)}"
            )


def _at(measured: Seconds, sizes: tuple[int, ...], batch: int) -> Seconds:
    """(batch + 1,) seconds for 0 (nothing) to `batch` samples, on straight lines between what was measured."""
    return np.interp(np.arange(batch + 1), [0, *sizes], [0.0, *measured])


def profile_path(run: str | Somewhere) -> Path | Somewhere:
    """Where a run's profile lies."""
    return beside(run, SUFFIX)


def save_profile(profile: Profile, path: str | Somewhere) -> Path | Somewhere:
    """Write a profile as JSON, atomically.

    Raises:
        BadFile: There is more than `load_profile` would read, or its circumstances are not JSON data.
    """
    values = {key: value.tolist() if isinstance(value, np.ndarray) else value for key, value in asdict(profile).items()}
    return write_json(place(path), {"schema_version": SCHEMA_VERSION, **values}, MAX_BYTES, indent=1)


def load_profile(path: str | Place) -> Profile:
    """Read a profile.

    Raises:
        BadFile: It is missing, too large, not JSON, or its values do not fit.
    """
    source = place(path)
    with readable(source):
        data = read_json(source, MAX_BYTES)
        if not isinstance(data, dict) or data.pop("schema_version", None) not in range(1, SCHEMA_VERSION + 1):
            raise BadFile(
                f"expected a profile of schema_version 1 to {SCHEMA_VERSION}, "
                "as `python -m cascade_core profile` writes it"
            )
        try:
            fields: dict[str, Any] = {
                k: tuple(v) if k in ("stage_names", "batch_sizes") else v for k, v in data.items()
            }
            return Profile(**fields)
        except TypeError as error:
            raise BadFile(f"expected the parts of a profile but {error}") from None
