"""A picture to try: a sample of the run, from a list, typed or drawn by lot, or a file of the user's own."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import partial
from secrets import choice

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from cascade_core.panels import address, questions, saying, state
from cascade_core.panels.shown import Shown
from cascade_core.panels.state import Key
from cascade_core.simulation.recorded import Outputs
from cascade_core.storage.pictures import ENDINGS, PICTURES

UPLOAD_MEGABYTES = 8

MOST_LISTED = 2_000
"""Most samples that are offered as a list; of more, an id is typed."""

Pixels = NDArray[np.uint8]


@dataclass(frozen=True, kw_only=True)
class Picked:
    """A picture to try, and which sample of the run it is, if it is one."""

    pixels: Pixels
    caption: str
    sample: int | None = None


def pick(shown: Shown) -> Picked | None:
    """What the user picked; None, after saying what is to do, while there is nothing."""
    kinds = {"sample": "A sample of the run", "upload": "A picture of your own"}
    state.TRY_KIND.keep()
    kind = st.segmented_control(
        "What to try",
        list(kinds),
        format_func=kinds.__getitem__,
        required=True,
        label_visibility="collapsed",
        key=state.TRY_KIND.key,
    )
    return _upload() if kind == "upload" else _sample(shown)


def _sample(shown: Shown) -> Picked | None:
    """A sample of the run, with its picture."""
    run = shown.question.run
    outputs = questions.outputs(run)
    ids = outputs.sample_ids.tolist()
    sample_id = _sample_id(shown, outputs, ids)
    if sample_id not in ids:
        st.warning("The run has no sample of this id. The first ones are:", icon=":material/warning:")
        st.text("\n".join(ids[:3]))
        return None
    from cascade_core.nets.running.trying import sample_picture

    try:
        pixels = sample_picture(run.origin.data, sample_id, os.environ.get(PICTURES))
    except ValueError as error:
        st.error("The picture of this sample cannot be shown.", icon=":material/error:")
        st.text(str(error))
        return None
    if pixels is None:
        st.info("There is no picture of this sample to give to the network.", icon=":material/info:")
        st.markdown("Start the page with the folder of the run's pictures, in which this file lies:")
        st.text(sample_id)
        st.code(f"{PICTURES}=path/of/the/folder python -m cascade_core page", language="bash")
        return None
    return Picked(pixels=pixels, caption=sample_id, sample=ids.index(sample_id))


def _sample_id(shown: Shown, outputs: Outputs, ids: list[str]) -> str:
    """An id from a list, typed, or drawn by lot."""
    digest, chosen = shown.question.run.digest, state.SAMPLE
    if state.SAMPLE_OF.get() != digest:
        address.fit(chosen, ids, "the id of a sample of this run")
        state.SAMPLE_OF.set(digest)
    chosen.set(chosen.get() or ids[0])
    first, second, third = st.columns([3, 2, 1.5], vertical_alignment="bottom")
    if len(ids) <= MOST_LISTED:
        sample_id = first.selectbox("Sample", ids, key=chosen.key, help="Type to search.")
    else:
        sample_id = str(first.text_input("Sample", key=chosen.key, help="An id as the run has it.")).strip()
    stage = second.selectbox(
        "Draw from",
        [None, *range(len(outputs.stages))],
        format_func=lambda number: "all samples" if number is None else f"those leaving at stage {number + 1}",
        key=Key.TRY.of("from", digest[:16]),
    )
    draw, icon, key = partial(_draw, shown, outputs, stage), ":material/casino:", Key.TRY.of("random")
    third.button("A random one", on_click=draw, icon=icon, width="stretch", key=key)
    return str(sample_id)


def _draw(shown: Shown, outputs: Outputs, stage: int | None) -> None:
    """Pick a sample by lot, of those that leave at a stage where one is given."""
    index = np.arange(len(outputs.labels))
    if stage is not None:
        index = np.flatnonzero(shown.exits(outputs) == stage)
    if len(index):
        state.SAMPLE.set(str(outputs.sample_ids[choice(index)]))
    else:
        saying.say("No sample leaves there at this position of the slider.")


def _upload() -> Picked | None:
    """A picture from the user's machine."""
    file = st.file_uploader(
        "A picture; it stays in this session's memory and is written nowhere",
        type=sorted(ENDINGS),
        max_upload_size=UPLOAD_MEGABYTES,
        key=Key.TRY.of("upload"),
    )
    if file is None:
        return None
    from cascade_core.nets.running.trying import read_picture

    try:
        return Picked(pixels=read_picture(file.getvalue()), caption="your picture")
    except ValueError as error:
        st.error("This file was not tried.", icon=":material/error:")
        st.text(str(error))
        return None
