"""Runs that can be shown: listing those of the cache folder, and keeping what was read and computed.

Everything kept is keyed on the run's digest, so that a replaced file is noticed; records and
explorations are never written to.  Those of the cache folder are shared between sessions; those of a run
that a session brought (see `upload`) are kept in that session alone, and never come from another.
A run is only ever looked up in a listing: no name from outside is joined to a path.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

import streamlit as st

from cascade_core.analysis.exploration import Exploration, Split, calibrated_record, explore
from cascade_core.policies import SWEEPS
from cascade_core.rendering.axes import ConfidenceAxis, confidence_axis
from cascade_core.rendering.live.data import live_data, words
from cascade_core.rendering.published import PublishedResult
from cascade_core.simulation.meters import MACS, Meter, Milliseconds
from cascade_core.simulation.record import Record, StageOutputs
from cascade_core.simulation.timing import Profile, load_profile, profile_path
from cascade_core.storage import store
from cascade_core.storage.origin import Origin
from cascade_core.storage.parts import is_run, run_files

Published = tuple[PublishedResult, ...]

CACHE = Path(__file__).resolve().parents[2] / "cache"


P = ParamSpec("P")
R = TypeVar("R")

OWN_ENTRIES = 4
"""Results of each kind that a session keeps of the runs that it brought."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Run:
    """A run that can be shown: one of the cache folder, or one that this session brought.

    Attributes:
        name: What it is called, distinct among the runs that a session sees.
        digest: SHA-256 of its bytes as a run file, in hex.
        metadata: As `store.read_metadata` gives it.
        path: Its place in the cache folder; None for a run that the session brought.
        held: What the session brought; None for a run of the cache folder.
    """

    name: str
    digest: str
    metadata: Mapping[str, Any]
    path: Path | None = None
    held: StageOutputs | None = None

    def __post_init__(self) -> None:
        if (self.path is None) == (self.held is None):
            raise ValueError("Expected a run to have either a path or what it holds")

    @cached_property
    def origin(self) -> Origin:
        """Where it came from."""
        return Origin.of(self.metadata["source"])

    @property
    def yours(self) -> bool:
        """Whether this session brought it, so that no other may see it."""
        return self.held is not None

    def outputs(self) -> StageOutputs:
        """All softmaxes.

        Raises:
            BadFile: The file is malformed.
        """
        return self.held if self.held is not None else store.load_run(self._file)

    def record(self, score: str) -> Record:
        """Confidences and answers under a score.

        Raises:
            ValueError: The file is malformed, or the score is not defined.
        """
        return self.held.record(score) if self.held is not None else store.open_record(self._file, score)

    def sample_ids(self) -> tuple[str, ...]:
        """N texts, one for each sample, in the run's order.

        Raises:
            BadFile: The file is malformed.
        """
        if self.held is not None:
            return tuple(map(str, self.held.sample_ids))
        return store.load_sample_ids(self._file)

    @property
    def _file(self) -> Path:
        assert self.path is not None
        return self.path


def cache_folder() -> Path:
    """Where runs are looked for: the folder that CASCADE_CACHE names, else ``cache/`` beside the page."""
    return Path(os.environ.get("CASCADE_CACHE", CACHE))


def list_runs() -> tuple[list[Run], list[str]]:
    """Readable runs of the cache folder by name, files and folders of parts, and one line on each other."""
    runs, complaints = [], []
    folder = cache_folder()
    for path in sorted(folder.iterdir()) if folder.is_dir() else []:
        if not is_run(path):
            continue
        try:
            metadata = store.read_metadata(path)
            stats = [file.stat() for file in run_files(path)]
            digest = _digest(path, tuple((stat.st_mtime_ns, stat.st_size) for stat in stats))
            runs.append(Run(name=path.name.removesuffix(".parquet"), path=path, digest=digest, metadata=metadata))
        except (store.BadFile, OSError) as error:
            complaints.append(str(error).replace(str(folder), folder.name))
    return runs, complaints


@st.cache_data(max_entries=256, show_spinner=False)
def _digest(path: Path, modified_and_size: tuple[tuple[int, int], ...]) -> str:
    return store.digest(path)


def _kept(
    max_entries: int, spinner: str
) -> Callable[[Callable[Concatenate[Run, str, P], R]], Callable[Concatenate[Run, P], R]]:
    """Keep what a function makes of a run: for all sessions, or, of a run that a session brought, in that session."""

    def decorate(function: Callable[Concatenate[Run, str, P], R]) -> Callable[Concatenate[Run, P], R]:
        shared = st.cache_resource(max_entries=max_entries, show_spinner=spinner)(function)
        own = st.cache_resource(max_entries=OWN_ENTRIES, show_spinner=spinner, scope="session")(function)

        def kept(run: Run, /, *args: P.args, **kwargs: P.kwargs) -> R:
            return (own if run.yours else shared)(run, run.digest, *args, **kwargs)

        return kept

    return decorate


@_kept(8, "Reading the run ...")
def _record(_run: Run, digest: str, score: str) -> Record:
    return _run.record(score)


@_kept(8, "Fitting temperatures ...")
def _calibrated(_run: Run, digest: str, score: str, split: Split) -> Record:
    """The record with softmaxes scaled by temperatures that were fitted to the split's calibration samples."""
    return calibrated_record(_run.outputs(), split, score)


@_kept(32, "Choosing thresholds ...")
def _exploration(_run: Run, digest: str, score: str, calibrated: bool, policy: str, split: Split) -> Exploration:
    record = _calibrated(_run, score, split) if calibrated else _record(_run, score)
    return explore(record, SWEEPS[policy], split)


@_kept(32, "Preparing the slider ...")
def _live_data(
    _run: Run,
    digest: str,
    score: str,
    calibrated: bool,
    policy: str,
    split: Split,
    published: Published,
    _meter: Meter,
    meter_key: str,
) -> dict[str, Any]:
    swept = _exploration(_run, score, calibrated, policy, split)
    return live_data(
        swept,
        axis(_run, score),
        initial=swept.opening,
        published=published,
        meter=_meter,
        name=_run.name,
        **words(_run.origin, _run.name),
    )


def explored(run: Run, score: str, calibrated: bool, policy: str, split: Split) -> Exploration:
    """The policy swept over the run; kept for the next time.

    Raises:
        ValueError: The file is malformed, or the policy cannot handle the run.
    """
    return _exploration(run, score, calibrated, policy, split)


@st.cache_resource(max_entries=32, show_spinner=False)
def _profile(path: Path, stages: tuple[str, ...], modified_and_size: tuple[int, int]) -> Profile | str:
    try:
        profile = load_profile(path)
    except store.BadFile as error:
        return str(error)
    if profile.stage_names != stages:
        return f"{path.name} is of the stages {', '.join(profile.stage_names)}; measure this run's with `profile`"
    return profile


def profile_of(run: Run) -> tuple[Profile | None, str]:
    """The run's profile, if there is one; with it, or instead, why the file that is there cannot be used."""
    path = None if run.path is None else profile_path(run.path)
    if path is None or not path.is_file():
        return None, ""
    stat = path.stat()
    stages = tuple(stage["name"] for stage in run.metadata["stages"])
    found = _profile(path, stages, (stat.st_mtime_ns, stat.st_size))
    return (None, found) if isinstance(found, str) else (found, "")


def _key(meter: Meter) -> str:
    """What tells meters apart: a profile that was read again is another object."""
    return f"{id(meter.profile)}:{meter.batch}" if isinstance(meter, Milliseconds) else meter.unit


@_kept(8, "Reading the run ...")
def _sample_ids(_run: Run, digest: str) -> tuple[str, ...]:
    return _run.sample_ids()


def sample_ids(run: Run) -> tuple[str, ...]:
    """N texts, one for each sample of the whole run, in its order.

    Raises:
        ValueError: The file is malformed.
    """
    return _sample_ids(run)


@_kept(2, "Reading the run ...")
def _outputs(_run: Run, digest: str) -> StageOutputs:
    return _run.outputs()


def outputs(run: Run) -> StageOutputs:
    """All softmaxes of the run.

    Raises:
        ValueError: The file is malformed.
    """
    return _outputs(run)


def file_size(run: Run) -> int | None:
    """Bytes of the run's file, or of all its parts; None of a run that the session brought."""
    return None if run.path is None else sum(file.stat().st_size for file in run_files(run.path))


def axis(run: Run, score: str) -> ConfidenceAxis:
    """The axis on which confidences of the run are shown."""
    return confidence_axis(score, len(run.metadata["class_names"]))


def prepare(
    run: Run, score: str, calibrated: bool, policy: str, split: Split, published: Published, meter: Meter = MACS
) -> tuple[Exploration, dict[str, Any]]:
    """The policy swept over the run, and what the live panel shows of it; kept for the next time.

    Raises:
        ValueError: The file is malformed, or the policy cannot handle the run.
    """
    return (
        _exploration(run, score, calibrated, policy, split),
        _live_data(run, score, calibrated, policy, split, published, meter, _key(meter)),
    )
