"""Your own softmaxes: a file is dropped, read whole and checked, and explored at once, in this session only.

What a session brought lies in its `st.session_state` and nowhere else: it is not written to disk, no shared cache
holds it, and no other session can name it (see `runs`).  The last `KEPT` runs stay until they are removed or the
session ends; a cache file can be downloaded.  A run's name is made of its file's name, is distinct from those of the
cache folder, and is never joined to a path nor shown as markdown.
"""

from __future__ import annotations

import re
import shlex
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

import streamlit as st

from cascade_core.panels import following, meant, runs, state
from cascade_core.panels.runs import Run
from cascade_core.panels.state import Key
from cascade_core.simulation.recorded import Outputs
from cascade_core.storage.importers import EQUAL_MACS, FORMATS, TooLarge, Wishes, read_files, with_macs
from cascade_core.storage.importers.templates import csv_template, npz_template
from cascade_core.storage.reading import is_run_file
from cascade_core.storage.schema import run_metadata
from cascade_core.storage.writing import run_bytes
from cascade_core.support.files import BadFile, Contents, file_digest

MEGABYTES = 64
"""Largest file that is taken; `server.maxUploadSize` allows as much."""

UNPACKED_BYTES = 128 << 20
"""Most bytes that a file may take in memory."""

LARGER = "on the command line `python -m cascade_core import` takes more"

MAX_STAGES = 64
KEPT = 3
"""Runs that a session keeps: the last ones."""

_AS_IT_SAYS = Wishes()

_MOST_MACS = (1 << 53) - 1  # a browser's whole numbers end here


@dataclass(frozen=True, kw_only=True, eq=False)
class Own:
    """A run that this session brought.

    Attributes:
        uploaded: SHA-256 of the bytes that were uploaded, in hex, by which a file that comes twice is known.
        cache_file: The run as a run file.
    """

    run: Run
    uploaded: str
    cache_file: bytes


def own_runs(others: Iterable[Run]) -> list[Run]:
    """The runs that this session brought, named apart from `others`."""
    state.OWN_NEWS.take()
    taken = {run.name for run in others}
    return [replace(own.run, name=_distinct(own.run.name, taken)) for own in _kept()]


@st.fragment
def offer() -> None:
    """The place to drop a file, what came of the last one, and templates; a file that is none touches nothing else."""
    if state.OWN_NEWS.take():
        st.rerun()
    with st.expander("Your own softmaxes", icon=":material/upload_file:"):
        st.file_uploader(
            f"Softmaxes or logits of every stage, or a run file: {', '.join(FORMATS)}",
            max_upload_size=MEGABYTES,
            key=state.OWN_FILE.key,
            on_change=_take,
        )
        if st.toggle("Say how the file is meant", key=state.OWN_MEANT.key):
            meant.fields()
            st.button("Read it so", on_click=_take, kwargs={"anew": True}, key=Key.OWN.of("anew"))
        if fault := state.OWN_FAULT.get():
            st.error("This file was not loaded; the page shows what it showed.", icon=":material/error:")
            st.text(fault)
        st.caption(
            f"At most {MEGABYTES} MB, {UNPACKED_BYTES >> 20} MB unpacked, {MAX_STAGES} stages. **A larger file** "
            "becomes a run on the command line, which takes more, and the page lists it at once:"
        )
        target = shlex.quote(str(following.cache_place() / "mine.parquet"))
        st.text(f"python -m cascade_core import FILE --out {target}")  # code would have browsers load its highlighter
        st.caption(
            "What you bring here is seen in this session alone and written nowhere; your last "
            f"{KEPT} files are kept until you leave the page."
        )
        _templates()


def about(run: Run) -> None:
    """What can be done with a run that this session brought: keep it, remove it, say what its stages cost."""
    own = next((own for own in _kept() if own.run.digest == run.digest), None)
    if own is None or not run.yours:
        return
    st.caption("Yours: in this session only, and gone when the page is closed or loaded anew.")
    with st.container(horizontal=True):
        st.download_button(
            "Cache file",
            # Handed out when it is asked for: what lies ready is kept where all sessions' files are.
            data=_giver(own.cache_file),
            file_name=f"{run.name}.parquet",
            mime="application/vnd.apache.parquet",
            icon=":material/download:",
            help="A run file: put it in the cache folder and the page lists it for everybody.",
            on_click="ignore",
            key=Key.OWN.of("download"),
        )
        st.button("Remove", icon=":material/delete:", on_click=_remove, args=(own,), key=Key.OWN.of("remove"))
    if run.origin.assumed_macs:
        _ask_for_macs(own)


def run_name(file_name: str) -> str:
    """A name for a run: letters, digits, dots, dashes and underscores of its file's name, at most 40."""
    stem = unicodedata.normalize("NFC", _base(file_name).stem)
    return re.sub(r"[^\w.-]+", "-", stem)[:40].strip("-._") or "upload"


def read_upload(file_name: str, raw: bytes, wishes: Wishes = _AS_IT_SAYS) -> tuple[Outputs, bytes]:
    """A file's softmaxes, and the same as a run file.

    Args:
        wishes: How it is meant, where it does not say so.

    Raises:
        BadFile: One line: what was expected, what came, where.
    """
    spoken = _spoken(file_name)
    if len(raw) > MEGABYTES << 20:
        raise BadFile(
            f"Cannot import {spoken}: expected at most {MEGABYTES} MB but it has {len(raw) / 2**20:,.1f}; {LARGER}"
        )
    contents = Contents(name=spoken, raw=raw)
    try:
        outputs = read_files([contents], wishes, UNPACKED_BYTES)
    except TooLarge as error:
        raise TooLarge(f"{error}; {LARGER}") from None
    stages, n = len(outputs.stages), len(outputs.labels)
    if stages > MAX_STAGES:
        raise BadFile(f"Cannot import {spoken}: expected at most {MAX_STAGES} stages but it has {stages:,}")
    if n < 2:
        raise BadFile(f"Cannot import {spoken}: expected 2 samples or more, to choose on one half, but it has {n}")
    as_it_came = contents.suffix.casefold() == ".parquet" and is_run_file(contents)
    return outputs, raw if as_it_came else run_bytes(outputs)


def _base(file_name: str) -> PurePosixPath:
    return PurePosixPath(re.split(r"[/\\]", file_name)[-1])


def _spoken(file_name: str) -> str:
    """A file's name as it is said in messages: of printable characters, and short."""
    base = _base(file_name)
    shown = base.stem[:60] + base.suffix[:12].lower()
    return "".join(character if character.isprintable() else "?" for character in shown) or "the file"


def _distinct(name: str, taken: set[str]) -> str:
    """`name`, numbered if it is taken; it is taken afterwards."""
    unique, number = name, 2
    while unique in taken:
        unique, number = f"{name}-{number}", number + 1
    taken.add(unique)
    return unique


def _kept() -> list[Own]:
    return list(state.OWN_RUNS.get())


def _take(*, anew: bool = False) -> None:
    """Read the file that was dropped, and show it; what is shown stays where it cannot be read.

    Args:
        anew: Whether one that was read before is read again, as it is meant now.
    """
    state.OWN_FAULT.take()
    file = state.OWN_FILE.get()
    if file is None:
        return
    raw = file.getvalue()
    uploaded = file_digest(Contents(name=file.name, raw=raw))
    own = next((own for own in _kept() if own.uploaded == uploaded), None)
    if own is None or anew:
        try:
            outputs, cache_file = read_upload(file.name, raw, meant.wishes(uploaded))
        except ValueError as error:
            state.OWN_FAULT.set(str(error))
            return
        if own is None:
            for kept in (state.PLACE, state.BEFORE):  # it opens where it opens by itself
                kept.take()
        others = {run.name for run in [*runs.list_runs()[0], *(own.run for own in _kept())]}
        own = _own(own.run.name if own else _distinct(run_name(file.name), others), uploaded, outputs, cache_file)
    _keep(own)


def _own(name: str, uploaded: str, outputs: Outputs, cache_file: bytes) -> Own:
    digest = file_digest(Contents(name=name, raw=cache_file))
    run = Run(name=name, digest=digest, metadata=run_metadata(outputs), held=outputs)
    return Own(run=run, uploaded=uploaded, cache_file=cache_file)


def _keep(own: Own) -> None:
    """Put a run last among those that are kept, and select it."""
    others = [other for other in _kept() if other.uploaded != own.uploaded]
    state.OWN_RUNS.set([*others, own][-KEPT:])
    state.RUN.set(own.run.name)
    state.OWN_NEWS.set(True)


def _remove(own: Own) -> None:
    state.OWN_RUNS.set([other for other in _kept() if other.uploaded != own.uploaded])


def _giver(raw: bytes) -> Callable[[], bytes]:
    return lambda: raw


def _ask_for_macs(own: Own) -> None:
    """A form for what nobody said: the MACs that each stage adds."""
    with st.form(Key.OWN.of("macs", own.run.digest), border=False), st.expander("Give the MACs"):
        about = "Multiply-accumulates for one sample, its head's among them."
        for stage in range(len(own.run.metadata["stages"])):
            _macs_field(own, stage, f"Stage {stage + 1} adds", EQUAL_MACS, about)
        about = "What you would run without a cascade; for a cascade of whole models, the last alone."
        _macs_field(own, -1, "Plain network", 0, f"{about} 0: all stages together.")
        st.form_submit_button("Use these MACs", on_click=_give_macs, args=(own,))
        if fault := state.OWN_MACS_FAULT.take():
            st.error("These MACs were not taken.", icon=":material/error:")
            st.text(fault)


def _macs_field(own: Own, stage: int, label: str, value: int, about: str) -> None:
    key = state.own_macs(own.run.digest, stage).key
    st.number_input(label, min_value=0, max_value=_MOST_MACS, value=value, step=1, help=about, key=key)


def _give_macs(own: Own) -> None:
    held = own.run.held
    if held is None:
        return
    *macs, baseline = (state.own_macs(own.run.digest, stage).get() for stage in [*range(len(held.stages)), -1])
    try:
        outputs = with_macs(held, macs, baseline or None)
    except ValueError as error:
        state.OWN_MACS_FAULT.set(str(error))
        return
    _keep(_own(own.run.name, own.uploaded, outputs, run_bytes(outputs)))


def _templates() -> None:
    st.caption("**Templates**, which import as they are:")
    with st.container(horizontal=True):
        csv, npz = Key.OWN.of("csv"), Key.OWN.of("npz")
        st.download_button("CSV", csv_template, "template.csv", "text/csv", csv, on_click="ignore")
        st.download_button("NumPy", npz_template, "template.npz", "application/zip", npz, on_click="ignore")
    st.caption(
        "Tables have a row for each sample at each stage: `sample_id`, `label` (a class number from 0, or a name), "
        "`stage`, `macs` (multiply-accumulates that it adds, such as `10M`; or `macs_up_to`, from the start), `p_0`, "
        "`p_1`, ... (softmax; or `p_cat`, `logit_0`, one list `probs`, ...). NumPy archives hold `probs` or `logits` "
        "(stages, samples, classes), `labels` and `macs`. Ids and MACs may be left out; without labels "
        "the last stage's answer stands in, and disagreement with it is counted."
    )
