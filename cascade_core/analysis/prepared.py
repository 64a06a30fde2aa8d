"""What the usual question finds out about a run, kept beside it as ``RUN.prepared.json``: who opens it does not wait.

Choosing between own and pooled answers, and between families of rules, takes seconds; what was chosen takes none to
evaluate.  A file is of one run, known by its digest, and of one `VERSION` of choosing; any other is passed over, and
the question is answered anew.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cascade_core.analysis.exploration import Exploration, Split, explore, halves
from cascade_core.policies.answers import Halves
from cascade_core.policies.cheapest import CheapestWithinDrop
from cascade_core.policies.families import FAMILIES
from cascade_core.simulation.paths import RulePath, evaluate_path
from cascade_core.simulation.pool import Pool
from cascade_core.simulation.record import check_pool
from cascade_core.simulation.scores import SCORES
from cascade_core.storage.choice import shortest
from cascade_core.storage.reading import digest, load_run, read_metadata
from cascade_core.storage.schema import usual_meter
from cascade_core.support import checks
from cascade_core.support.files import BadFile, readable, stamp
from cascade_core.support.json_files import read_json, write_json
from cascade_core.support.remote import Place, Somewhere, beside, place

SUFFIX = ".prepared.json"
VERSION = 2
"""To be raised whenever the usual question is answered otherwise; a test compares the shipped files."""

MAX_BYTES = 1 << 20

POLICY, SPLIT = CheapestWithinDrop, Split()
"""The usual question, for the run's usual score and unit of costs, and automatic answers."""

_WORDS = re.compile(r"[\w ,.%'-]{1,300}", re.ASCII)
"""What the reason is made of: a page shows it among sentences of its own."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Prepared:
    """What was found out: the rules of the whole slider, their family, and why these answers; as in `Exploration`."""

    path: RulePath
    family: str | None
    why: str

    def explored(self, divided: Halves) -> Exploration:
        """What `explore` would return.

        Raises:
            ValueError: The rules are of another run.
        """
        parts = divided.answered_by(self.path.pool, self.why)
        return Exploration(
            policy=POLICY,
            split=SPLIT,
            calibration=parts.calibration,
            test=parts.test,
            path=self.path,
            evaluation=evaluate_path(parts.test, self.path),
            answers=parts.answers,
            why=parts.why,
            meter=divided.meter,
            family=self.family,
        )


def prepared_path(run: str | Somewhere) -> Path | Somewhere:
    """Where what was prepared for a run lies."""
    return beside(run, SUFFIX)


def save_prepared(exploration: Exploration, run_digest: str, path: str | Somewhere) -> Path | Somewhere:
    """Write what the usual question found, atomically.

    Args:
        run_digest: SHA-256 of the run, in hex.

    Raises:
        BadFile: There is more than `load_prepared` would read.
    """
    found = exploration.path
    rules, places = np.unique(found.thresholds, axis=0, return_inverse=True)
    data = {
        "version": VERSION,
        "run": run_digest,
        "why": exploration.why,
        "family": exploration.family,
        "score": found.score,
        "pool": None if found.pool is None else found.pool.weights,
        "stages": found.stage_names,
        "positions": found.positions.tolist(),
        "rules": _nested(rules),
        "places": places.ravel().tolist(),
        "plain": np.flatnonzero(found.plain).tolist(),
    }
    return write_json(place(path), data, MAX_BYTES)


def _nested(thresholds: Any) -> Any:
    """Lists of the shortest numbers, null for what is infinite."""
    return [_nested(row) for row in thresholds] if np.ndim(thresholds) else shortest(thresholds)


def load_prepared(run: str | Place, run_digest: str) -> Prepared | None:
    """What was prepared for a run of this digest; None where nothing was, or for another run or by another version.

    Raises:
        BadFile: There is a file that no version writes.
    """
    source = prepared_path(run)
    if stamp(source) is None:
        return None
    with readable(source):
        data = read_json(source, MAX_BYTES)
        if not isinstance(data, dict):
            raise BadFile("expected a JSON object, as `python -m cascade_core prepare` writes it")
        if (data.get("version"), data.get("run")) != (VERSION, run_digest):
            return None
        try:
            return _prepared(data)
        except (KeyError, TypeError, ValueError, IndexError, OverflowError) as error:
            raise BadFile(f"expected what `python -m cascade_core prepare` writes but {error!r}") from None


def _prepared(data: dict[str, Any]) -> Prepared:
    if data["family"] not in (None, *(family.name for family in FAMILIES)):
        raise ValueError("the family is none of this program's")
    if not _WORDS.fullmatch(data["why"]):
        raise ValueError("the reason is no plain sentence")
    rules = np.array(data["rules"], dtype=np.float32)  # what is null there is not a number
    thresholds = np.where(np.isnan(rules), np.float32(np.inf), rules)[_places(data["places"])]
    plain = np.zeros(len(thresholds), dtype=bool)
    plain[_places(data["plain"])] = True
    path = RulePath(
        positions=np.array(data["positions"], dtype=np.float64),
        thresholds=thresholds,
        plain=plain,
        score=checks.one_of("score", data["score"], tuple(SCORES)),
        top_k=1,
        pool=None if data["pool"] is None else Pool(weights=tuple(map(tuple, data["pool"]))),
        stage_names=tuple(data["stages"]),
    )
    check_pool(path.pool, len(path.stage_names))
    return Prepared(path=path, family=data["family"], why=data["why"])


def _places(numbers: Any) -> NDArray[np.int64]:
    places = np.array(numbers, dtype=np.int64)
    if places.size and places.min() < 0:
        raise ValueError(f"a place is {places.min()}")
    return places


def prepare(run: str | Somewhere) -> Path | Somewhere:
    """Answer the usual question for a run, and keep the answer beside it.

    Raises:
        BadFile: The run is malformed.
        ValueError: It has too few samples to be divided.
    """
    meter = usual_meter(read_metadata(place(run)))
    divided = halves(load_run(run), SPLIT, meter=meter)
    return save_prepared(explore(divided, POLICY, SPLIT, meter=meter), digest(place(run)), prepared_path(run))
