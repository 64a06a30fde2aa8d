"""Runs that can be shown: those of the cache folder, and those that a session brought (see `upload`).

A run is only ever looked up in a listing: no name from outside is joined to a path.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import streamlit as st

from cascade_core.simulation.own_costs import OwnCosts
from cascade_core.simulation.record import Record
from cascade_core.simulation.recorded import Outputs
from cascade_core.simulation.timing import Profile, load_profile, profile_path
from cascade_core.storage import reading
from cascade_core.storage.costs import costs_path, load_costs
from cascade_core.storage.home import HOME
from cascade_core.storage.notes import notes_on, notes_on_file
from cascade_core.storage.origin import Origin
from cascade_core.storage.parts import is_run, run_files
from cascade_core.support.files import BadFile


@dataclass(frozen=True, kw_only=True, eq=False)
class Run:
    """A run that can be shown: one of the cache folder, or one that this session brought.

    Attributes:
        name: What it is called, distinct among the runs that a session sees.
        digest: SHA-256 of its bytes as a run file, in hex.
        metadata: As `reading.read_metadata` gives it.
        path: Its place in the cache folder; None for a run that the session brought.
        held: What the session brought; None for a run of the cache folder.
    """

    name: str
    digest: str
    metadata: Mapping[str, Any]
    path: Path | None = None
    held: Outputs | None = None

    def __post_init__(self) -> None:
        if (self.path is None) == (self.held is None):
            raise ValueError("Expected a run to have either a path or what it holds")

    @cached_property
    def origin(self) -> Origin:
        """Where it came from."""
        return Origin.of(self.metadata["source"])

    @property
    def stage_names(self) -> tuple[str, ...]:
        """Names of its stages, first to last."""
        return tuple(stage["name"] for stage in self.metadata["stages"])

    @property
    def yours(self) -> bool:
        """Whether this session brought it, so that no other may see it."""
        return self.held is not None

    @property
    def softmax_bytes(self) -> int:
        """Bytes of all softmaxes; of a file those of all it holds, little else beside them."""
        return file_size(self) or (0 if self.held is None else self.held.nbytes)

    def outputs(self) -> Outputs:
        """All softmaxes.

        Raises:
            BadFile: The file is malformed.
        """
        return self.held if self.held is not None else reading.load_run(self._file)

    def record(self, score: str, top_k: int = 1) -> Record:
        """Confidences and answers under a score.

        Raises:
            ValueError: The file is malformed, or the score is not defined.
        """
        return reading.open_record(self._file, score, top_k) if self.held is None else self.held.record(score, top_k)

    def sample_ids(self) -> tuple[str, ...]:
        """N texts, one for each sample, in the run's order.

        Raises:
            BadFile: The file is malformed.
        """
        if self.held is not None:
            return tuple(map(str, self.held.sample_ids))
        return reading.load_sample_ids(self._file)

    def notes(self, outputs: Callable[[], Outputs]) -> tuple[str, ...]:
        """Lines on what its import mended, and what is odd about it.

        Args:
            outputs: Gives all softmaxes; asked of a small run alone.

        Raises:
            BadFile: The file is malformed.
        """
        if self.held is not None or reading.is_small(self._file):
            return notes_on(outputs())
        return notes_on_file(self._file)

    @property
    def _file(self) -> Path:
        assert self.path is not None
        return self.path


def cache_folder() -> Path:
    """Where runs are looked for: the folder that CASCADE_CACHE names, else ``cache/`` beside the page's door."""
    return Path(os.environ.get("CASCADE_CACHE", HOME / "cache"))


def list_runs() -> tuple[list[Run], list[str]]:
    """Readable runs of the cache folder by name, files and folders of parts, and one line on each other."""
    runs, complaints = [], []
    folder = cache_folder()
    for path in sorted(folder.iterdir()) if folder.is_dir() else []:
        if not is_run(path):
            continue
        try:
            metadata = reading.read_metadata(path)
            stats = [file.stat() for file in run_files(path)]
            digest = _digest(path, tuple((stat.st_mtime_ns, stat.st_size) for stat in stats))
            runs.append(Run(name=path.name.removesuffix(".parquet"), path=path, digest=digest, metadata=metadata))
        except (BadFile, OSError) as error:
            complaints.append(str(error).replace(str(folder), folder.name))
    return runs, complaints


@st.cache_data(max_entries=256, show_spinner=False)
def _digest(path: Path, modified_and_size: tuple[tuple[int, int], ...]) -> str:
    return reading.digest(path)


def file_size(run: Run) -> int | None:
    """Bytes of the run's file, or of all its parts; None of a run that the session brought."""
    return None if run.path is None else sum(file.stat().st_size for file in run_files(run.path))


@st.cache_resource(max_entries=32, show_spinner=False)
def _profile(path: Path, stages: tuple[str, ...], modified_and_size: tuple[int, int]) -> Profile | str:
    try:
        profile = load_profile(path)
    except BadFile as error:
        return str(error)
    if profile.stage_names != stages:
        return f"{path.name} is of the stages {', '.join(profile.stage_names)}; measure this run's with `profile`"
    return profile


@st.cache_resource(max_entries=32, show_spinner=False)
def _costs(path: Path, stages: tuple[str, ...], modified_and_size: tuple[int, int]) -> OwnCosts | str:
    try:
        return load_costs(path, stages)
    except BadFile as error:
        return str(error)


def costs_of(run: Run) -> tuple[OwnCosts | None, str]:
    """The costs that the run carries, if it does; instead, why the file that is there cannot be used."""
    path = None if run.path is None else costs_path(run.path)
    if path is None or not path.is_file():
        return None, ""
    stat = path.stat()
    costs = _costs(path, run.stage_names, (stat.st_mtime_ns, stat.st_size))
    return (None, costs) if isinstance(costs, str) else (costs, "")


def profile_of(run: Run) -> tuple[Profile | None, str]:
    """The run's profile, if there is one; with it, or instead, why the file that is there cannot be used."""
    path = None if run.path is None else profile_path(run.path)
    if path is None or not path.is_file():
        return None, ""
    stat = path.stat()
    profile = _profile(path, run.stage_names, (stat.st_mtime_ns, stat.st_size))
    return (None, profile) if isinstance(profile, str) else (profile, "")
