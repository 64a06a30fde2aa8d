"""Logs that the page watches, and watches on them that go on where they were each time that the page runs.

Logs are those that CASCADE_LOGS names, separated as PATH is, or else a file or folder that the user types; typing is
offered only where the page listens to its own machine alone.  A log may be uploaded instead: that stays in the session.
Of logs of the machine there is one watch for all who look at the same choice.
"""

from __future__ import annotations

import copy
import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from cascade_core.analysis.log_reading import read_on
from cascade_core.analysis.watched import Watch
from cascade_core.panels import local, state, watching
from cascade_core.simulation.bounds import ALPHA
from cascade_core.storage.choice import Choice
from cascade_core.storage.log_files import LOGS, LogFile, log_files
from cascade_core.support.files import Contents

Told = Callable[[float], None]
"""Is told which share of the logs has been read."""


@dataclass(kw_only=True, eq=False)
class Followed:
    """A watch that several pages may want to go on with at once."""

    watch: Watch
    lock: Lock = field(default_factory=Lock)

    def read_on(self, files: list[LogFile], told: Told) -> None:
        """Read what is new; between blocks others get to look, and the page may be run anew.

        Raises:
            BadFile: A log cannot be read.
        """
        size = max(1, sum(file.size for file in files))
        while True:
            with self.lock:
                if next((True for _ in read_on(self.watch, files)), None) is None:
                    return
                share = sum(self.watch.read.get(file.key, 0) for file in files) / size
            told(min(share, 1.0))

    def now(self) -> Watch:
        """What is known now, which nobody adds to."""
        with self.lock:
            return copy.deepcopy(self.watch, {id(self.watch.choice): self.watch.choice})


@dataclass(frozen=True, kw_only=True, eq=False)
class Logs:
    """What is watched: files and folders of the machine, or what was uploaded."""

    paths: tuple[Path, ...] = ()
    uploaded: Contents | None = None

    def files(self, stages: tuple[str, ...]) -> list[LogFile]:
        """The logs there, the oldest first.

        Raises:
            BadFile: There is no such file or folder.
        """
        return log_files(self.paths if self.uploaded is None else [self.uploaded], stages)

    def watched(self, choice: Choice, name: str, positions: NDArray[np.float32]) -> Followed:
        """The watch on them; `name` is of the choice."""
        if self.uploaded is None:
            watching.watch_logs(self.paths)
            return _shared(self.paths, name, choice, positions)
        held, key = state.WATCHED.get(), (hashlib.sha256(self.uploaded.raw).hexdigest(), name)
        if held is None or held[0] != key:
            held = key, Followed(watch=Watch(choice, ALPHA, positions))
            state.WATCHED.set(held)
        followed: Followed = held[1]
        return followed

    def forget(self, name: str) -> None:
        """Have them read anew."""
        state.WATCHED.take()
        _shared.clear(self.paths, name)


@st.cache_resource(max_entries=8, show_spinner=False)
def _shared(paths: tuple[Path, ...], name: str, _choice: Choice, _positions: NDArray[np.float32]) -> Followed:
    return Followed(watch=Watch(_choice, ALPHA, _positions))


def logs() -> Logs | None:
    """What is to be watched; None where nobody has said."""
    if (file := state.LOG_FILE.get()) is not None:
        raw = file.getvalue()
        # Nothing more will come: what stands behind the last line end is a line too.
        return Logs(uploaded=Contents(name=file.name, raw=raw if raw.endswith(b"\n") else raw + b"\n"))
    named = os.environ.get(LOGS)
    if named is None and may_type():
        named = state.LOG_PATH.get().strip()
    paths = tuple(Path(text).expanduser() for text in (named or "").split(os.pathsep) if text)
    return Logs(paths=paths) if paths else None


def may_type() -> bool:
    """Whether the user may name a log: the environment names none, and nobody else can reach the page."""
    return LOGS not in os.environ and local.by_itself()
