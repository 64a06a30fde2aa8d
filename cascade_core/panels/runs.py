"""Runs that can be shown: those of the cache folder, and those that a session brought (see `upload`).

A run is only ever looked up in a listing: no name from outside is joined to a path.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import streamlit as st

from cascade_core.analysis.prepared import Prepared, load_prepared, prepared_path
from cascade_core.panels.following import cache_folder
from cascade_core.simulation.groups import CLASS, Groups
from cascade_core.simulation.own_costs import OwnCosts
from cascade_core.simulation.record import Record
from cascade_core.simulation.recorded import Outputs
from cascade_core.simulation.sample_costs import SampleCosts
from cascade_core.simulation.scores import GIVEN, of_softmaxes
from cascade_core.simulation.timing import Profile, load_profile, profile_path
from cascade_core.storage import reading
from cascade_core.storage.costs import costs_path, load_costs
from cascade_core.storage.notes import notes_on, notes_on_file
from cascade_core.storage.origin import Origin
from cascade_core.storage.parts import is_run, run_files
from cascade_core.storage.schema import (
    costs_in_place_of_macs,
    has_softmaxes,
    is_counted,
    own_meter,
    same_cascade,
)
from cascade_core.support import files, wording
from cascade_core.support.files import BadFile, Stamp, readable, stamp
from cascade_core.support.remote import Place
from cascade_core.support.terms import Terms, terms

Stamps = tuple[Stamp | None, ...]
"""Of the files of a run, in order."""


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
    def kind(self) -> str:
        """What the list files it under: what its file says, else its data set."""
        return "Yours" if self.yours else self.origin.list_kind

    @property
    def stage_names(self) -> tuple[str, ...]:
        """Names of its stages, first to last."""
        return tuple(stage["name"] for stage in self.metadata["stages"])

    @property
    def divisions(self) -> tuple[str, ...]:
        """What its samples can be divided by: "class", and its columns of groups."""
        return (CLASS, *self.metadata.get("groups", []))

    def is_of_the_same_cascade(self, other: Run) -> bool:
        """Whether its stages, what they cost, and its classes are those of another run."""
        alike = self.has_softmaxes == other.has_softmaxes and not (self.is_counted or other.is_counted)
        same = alike and same_cascade(self.metadata, other.metadata)
        return same and bool(self.metadata["class_names"] == other.metadata["class_names"])

    @property
    def terms(self) -> Terms:
        """The words for what is measured on it."""
        return terms(self.metadata.get("reference", "labels"))

    @property
    def has_softmaxes(self) -> bool:
        """Whether its stages gave softmaxes, or answers and confidences alone."""
        return has_softmaxes(self.metadata)

    @property
    def is_counted(self) -> bool:
        """Whether it holds counts on a grid of confidences in place of single samples."""
        return is_counted(self.metadata)

    @property
    def usual_score(self) -> str:
        """What thresholds are compared with unless the user says otherwise."""
        if self.is_counted:
            return str(self.metadata["counts"]["score"])
        return of_softmaxes()[0] if self.has_softmaxes else GIVEN

    @property
    def has_macs(self) -> bool:
        """Whether its MACs are known, or at least assumed since nothing else is said of its costs."""
        return costs_in_place_of_macs(self.metadata) is None

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

    def groups(self, what: str) -> Groups:
        """The samples, divided by class or by a column of groups.

        Raises:
            ValueError: The file is malformed, or has no such column.
        """
        return reading.load_groups(self._file, what) if self.held is None else self.held.divided_by(what)

    def notes(self, outputs: Callable[[], Outputs]) -> tuple[str, ...]:
        """Lines on what its import mended, and what is odd about it.

        Args:
            outputs: Gives all softmaxes; asked of a small run alone.

        Raises:
            BadFile: The file is malformed.
        """
        if self.held is not None or (reading.is_small(self._file) and not self.is_counted):
            return notes_on(outputs())
        return notes_on_file(self._file)

    @property
    def _file(self) -> Path:
        assert self.path is not None
        return self.path


def list_runs() -> tuple[list[Run], list[str]]:
    """Readable runs of the cache folder by name, files and folders of parts, and one line on each other.

    What a file holds, or why it cannot be read, is found out once for as long as it is not written to.
    """
    runs, complaints = [], []
    folder = cache_folder()
    for path in _entries(folder):
        try:
            with readable(path):
                stamps = tuple(stamp(file) for file in run_files(path))
            metadata, digest = _looked_at(path, stamps)
            runs.append(Run(name=reading.run_name(path), path=path, digest=digest, metadata=metadata))
        except BadFile as error:
            complaints.append(_within(path, error))
    return runs, complaints


def _entries(folder: Path) -> list[Path]:
    """What is meant to be a run, by name; nothing in a folder that is not there or may not be looked into."""
    try:
        return [path for path in sorted(folder.iterdir()) if is_run(path)]
    except OSError:
        return []


def _looked_at(path: Path, stamps: Stamps) -> tuple[Mapping[str, Any], str]:
    found = _found(path, stamps)
    if isinstance(found, str):
        raise BadFile(found)
    return found


@st.cache_resource(max_entries=1024, show_spinner=False)
def _found(path: Path, stamps: Stamps) -> tuple[Mapping[str, Any], str] | str:
    """Metadata and digest of a run; instead, why it cannot be read."""
    try:
        return reading.read_metadata(path), reading.digest(path)
    except BadFile as error:
        return str(error)


def file_size(run: Run) -> int | None:
    """Bytes of the run's file, or of all its parts; None of a run that the session brought."""
    return None if run.path is None else sum(map(files.file_size, run_files(run.path)))


@st.cache_resource(max_entries=32, show_spinner=False)
def _profile(path: Place, stages: tuple[str, ...], when: Stamp) -> Profile | str:
    try:
        profile = load_profile(path)
    except BadFile as error:
        return _within(path, error)
    if profile.stage_names != stages:
        names = wording.cut(", ".join(profile.stage_names), 200)
        return f"{path.name} is of the stages {names}; measure this run's with `profile`"
    return profile


@st.cache_resource(max_entries=32, show_spinner=False)
def _costs(path: Place, stages: tuple[str, ...], when: Stamp) -> OwnCosts | str:
    try:
        return load_costs(path, stages)
    except BadFile as error:
        return _within(path, error)


def _within(path: Place, error: BadFile) -> str:
    """What is wrong with a file of the cache folder, without where on the machine that folder lies."""
    return str(error).replace(str(path.parent), path.parent.name)


def costs_of(run: Run) -> tuple[OwnCosts | SampleCosts | None, str]:
    """The costs beside the run, else those in it, if there are any; instead, why the file that is there is no use."""
    path = None if run.path is None else costs_path(run.path)
    when = None if path is None else stamp(path)
    if path is None or when is None:
        return own_meter(run.metadata), ""
    costs = _costs(path, run.stage_names, when)
    return (None, costs) if isinstance(costs, str) else (costs, "")


@st.cache_resource(max_entries=32, show_spinner=False)
def _prepared(path: Path, digest: str, when: Stamp) -> Prepared | str | None:
    try:
        return load_prepared(path, digest)
    except BadFile as error:
        return _within(path, error)


def prepared_of(run: Run) -> tuple[Prepared | None, str]:
    """What was found out about the run beforehand, if anything; instead, why the file that is there is no use."""
    when = None if run.path is None else stamp(prepared_path(run.path))
    if run.path is None or when is None:
        return None, ""
    prepared = _prepared(run.path, run.digest, when)
    return (None, prepared) if isinstance(prepared, str) else (prepared, "")


def profile_of(run: Run) -> tuple[Profile | None, str]:
    """The run's profile, if there is one; with it, or instead, why the file that is there cannot be used."""
    path = None if run.path is None else profile_path(run.path)
    when = None if path is None else stamp(path)
    if path is None or when is None:
        return None, ""
    profile = _profile(path, run.stage_names, when)
    return (None, profile) if isinstance(profile, str) else (profile, "")
