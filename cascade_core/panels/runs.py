"""Runs in the cache folder: listing them, and keeping what was read and computed.

Everything kept is keyed on the run file's digest, so that a replaced file is noticed; records and
explorations are shared between sessions and never written to.  A run is only ever looked up in the
listing of the folder: no name from outside is joined to a path.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import streamlit as st

from cascade_core import store
from cascade_core.axes import ConfidenceAxis, confidence_axis
from cascade_core.exploration import Exploration, Split, calibrated_record, explore
from cascade_core.live.data import live_data, words
from cascade_core.meters import MACS, Meter, Milliseconds
from cascade_core.parts import is_run, run_files
from cascade_core.policies import SWEEPS
from cascade_core.published import PublishedResult
from cascade_core.record import Record
from cascade_core.timing import Profile, load_profile, profile_path

Published = tuple[PublishedResult, ...]

CACHE = Path(__file__).resolve().parents[2] / "cache"


@dataclass(frozen=True, kw_only=True)
class Run:
    """A readable run file: its name, place, digest and metadata."""

    name: str
    path: Path
    digest: str
    metadata: Mapping[str, Any]


def cache_folder() -> Path:
    """Where runs are looked for: the folder that CASCADE_CACHE names, else ``cache/`` beside the page."""
    return Path(os.environ.get("CASCADE_CACHE", CACHE))


def list_runs() -> tuple[list[Run], list[str]]:
    """Readable runs by name, files and folders of parts, and one line on each that is not readable."""
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


@st.cache_resource(max_entries=8, show_spinner="Reading the run ...")
def _record(_path: Path, digest: str, score: str) -> Record:
    return store.open_record(_path, score)


@st.cache_resource(max_entries=8, show_spinner="Fitting temperatures ...")
def _calibrated(_path: Path, digest: str, score: str, split: Split) -> Record:
    """The record with softmaxes scaled by temperatures that were fitted to the split's calibration samples."""
    return calibrated_record(store.load_run(_path), split, score)


@st.cache_resource(max_entries=32, show_spinner="Choosing thresholds ...")
def _exploration(_path: Path, digest: str, score: str, calibrated: bool, policy: str, split: Split) -> Exploration:
    record = _calibrated(_path, digest, score, split) if calibrated else _record(_path, digest, score)
    return explore(record, SWEEPS[policy], split)


@st.cache_resource(max_entries=32, show_spinner="Preparing the slider ...")
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
    swept = _exploration(_run.path, digest, score, calibrated, policy, split)
    return live_data(
        swept,
        axis(_run, score),
        initial=swept.opening,
        published=published,
        meter=_meter,
        name=_run.name,
        **words(_run.metadata["source"], _run.name),
    )


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
    path = profile_path(run.path)
    if not path.is_file():
        return None, ""
    stat = path.stat()
    stages = tuple(stage["name"] for stage in run.metadata["stages"])
    found = _profile(path, stages, (stat.st_mtime_ns, stat.st_size))
    return (None, found) if isinstance(found, str) else (found, "")


def _key(meter: Meter) -> str:
    """What tells meters apart: a profile that was read again is another object."""
    return f"{id(meter.profile)}:{meter.batch}" if isinstance(meter, Milliseconds) else meter.unit


@st.cache_resource(max_entries=8, show_spinner=False)
def _sample_ids(_path: Path, digest: str) -> tuple[str, ...]:
    return store.load_sample_ids(_path)


def sample_ids(run: Run) -> tuple[str, ...]:
    """N texts, one for each sample of the whole run, in its order.

    Raises:
        ValueError: The file is malformed.
    """
    return _sample_ids(run.path, run.digest)


def file_size(run: Run) -> int:
    """Bytes of the run's file, or of all its parts."""
    return sum(file.stat().st_size for file in run_files(run.path))


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
        _exploration(run.path, run.digest, score, calibrated, policy, split),
        _live_data(run, run.digest, score, calibrated, policy, split, published, meter, _key(meter)),
    )
