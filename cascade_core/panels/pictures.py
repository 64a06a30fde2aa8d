"""Pictures of a run's samples: found in folders and made small once, then kept for all who look at the run.

Pictures come from the folders that CASCADE_PICTURES names, separated as PATH is, or from one that the user types;
typing is offered only where the page listens to its own machine alone, for who types a folder may look into it.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from cascade_core.panels import state
from cascade_core.panels.local import by_itself
from cascade_core.panels.runs import Run
from cascade_core.storage.pictures import (
    PICTURES,
    PictureFolders,
    Thumbnail,
    are_built_in,
    digit_thumbnail,
    file_thumbnail,
)
from cascade_core.support.files import BadFile, Stamp, stamp


@dataclass(frozen=True, kw_only=True)
class Pictures:
    """Pictures of some samples.

    Attributes:
        thumbnails: One of each sample, None where there is none.
        missing: One line on each folder that is not there.
        searched: Whether there was a folder to look in.
        found: How many samples have a file, or a picture that is built in.
    """

    thumbnails: tuple[Thumbnail | None, ...]
    missing: tuple[str, ...] = ()
    searched: bool = True
    found: int

    @property
    def broken(self) -> int:
        """How many files cannot be read."""
        return self.found - sum(one is not None for one in self.thumbnails)


def pictures(run: Run, ids: Sequence[str]) -> Pictures:
    """Thumbnails of samples of a run."""
    if are_built_in(run.origin):
        drawn = tuple(_digit(one) for one in ids)
        return Pictures(thumbnails=drawn, found=sum(one is not None for one in drawn))
    folders = PictureFolders(folder_names())
    paths = [folders.find(one) for one in ids]
    return Pictures(
        thumbnails=tuple(_thumbnail(path) if path else None for path in paths),
        missing=tuple(folders.missing),
        searched=bool(folders.folders),
        found=sum(path is not None for path in paths),
    )


def folder_names() -> str:
    """Folders of pictures that the environment names, or else the user; empty where neither does."""
    named = os.environ.get(PICTURES)
    if named is not None:
        return named
    return state.PICTURE_FOLDER.get() if may_type() else ""


def may_type() -> bool:
    """Whether the user may name a folder: the environment names none, and nobody else can reach the page."""
    return PICTURES not in os.environ and by_itself()


def _thumbnail(path: Path) -> Thumbnail | None:
    """The thumbnail of a file; None if it cannot be read."""
    try:
        return _kept_thumbnail(path, stamp(path))
    except BadFile:
        return None


@st.cache_resource(max_entries=2048, show_spinner=False)
def _kept_thumbnail(path: Path, when: Stamp | None) -> Thumbnail:
    return file_thumbnail(path)


@st.cache_resource(max_entries=2048, show_spinner=False)
def _digit(sample_id: str) -> Thumbnail | None:
    return digit_thumbnail(sample_id)
