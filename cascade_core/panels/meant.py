"""How a file that the user brings is meant, where it does not say so: fields, and what importers make of them."""

from __future__ import annotations

from typing import Any

import streamlit as st

from cascade_core.panels import state
from cascade_core.storage.importers import Wishes, read_macs

_FIELDS: tuple[state.Value[Any], ...] = (
    state.OWN_MEANT,
    state.OWN_MEANT_FILE,
    state.OWN_ONE_BASED,
    state.OWN_STAGES,
    state.OWN_CLASSES,
    state.OWN_MACS,
    state.OWN_MACS_UP_TO,
    state.OWN_BASELINE,
)


def fields() -> None:
    """Fields for what a file may leave open; they hold for the file that was read so, and for the next if none was."""
    st.checkbox("Labels count from 1", key=state.OWN_ONE_BASED.key)
    names = "Names, first to last, with commas between them. Those that the file has are put in this order."
    st.text_input("Stages", placeholder="small, mid, large", help=names, key=state.OWN_STAGES.key)
    names = "Names in the order of the softmaxes, with commas between them; labels may then be names."
    st.text_input("Classes", placeholder="ant, bee, cat", help=names, key=state.OWN_CLASSES.key)
    macs = "What each stage adds for one sample, with commas between them; in the place of the file's."
    st.text_input("MACs", placeholder="10M, 20M, 1.2G", help=macs, key=state.OWN_MACS.key)
    st.checkbox("MACs count from the start", help="Up to each exit, not what each adds.", key=state.OWN_MACS_UP_TO.key)
    plain = "What you would run without a cascade; of whole networks in a row, the last alone."
    st.text_input("MACs of the plain network", placeholder="1.2G", help=plain, key=state.OWN_BASELINE.key)


def wishes(uploaded: str) -> Wishes:
    """What the fields say of a file, by its digest; another file was meant where they have served one already.

    Raises:
        ValueError: MACs are no such numbers.
    """
    if state.OWN_MEANT_FILE.get() not in ("", uploaded):
        _clear()
    if not state.OWN_MEANT.get():
        return Wishes()
    state.OWN_MEANT_FILE.set(uploaded)
    macs = None if (texts := _listed(state.OWN_MACS.get())) is None else [read_macs(text) for text in texts]
    baseline = state.OWN_BASELINE.get().strip()
    from_start = state.OWN_MACS_UP_TO.get()
    return Wishes(
        macs=None if from_start else macs,
        macs_up_to=(macs or True) if from_start else None,
        baseline_macs=read_macs(baseline) if baseline else None,
        stage_names=_listed(state.OWN_STAGES.get()),
        class_names=_listed(state.OWN_CLASSES.get()),
        labels_from=int(state.OWN_ONE_BASED.get()),
    )


def _clear() -> None:
    for field in _FIELDS:
        field.take()


def _listed(text: str) -> list[str] | None:
    return [part.strip() for part in text.split(",")] if text.strip() else None
