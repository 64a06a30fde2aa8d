"""One picture through the cascade, for real: a sample of the run, or one that is uploaded.

The network is rebuilt from what the run says of it and from files found by their digests, and is kept for the next
picture.  This is the only view that loads torch, and it does so when it is opened.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from secrets import choice
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from cascade_core.panels import questions, runs, state
from cascade_core.panels.charts import palette
from cascade_core.panels.runs import Run
from cascade_core.panels.shown import Shown
from cascade_core.panels.state import Key, Value
from cascade_core.rendering.markup import passage_cards
from cascade_core.simulation.passages import Passage, agreement
from cascade_core.simulation.record import StageOutputs
from cascade_core.storage.pictures import ENDINGS, PICTURES

if TYPE_CHECKING:
    from cascade_core.nets.images.pixels import Preprocessing
    from cascade_core.nets.running.rebuilding import Located, MissingFiles
    from cascade_core.nets.staged import StagedModel

UPLOAD_MEGABYTES = 8

MOST_LISTED = 2_000
"""Most samples that are offered as a list; of more, an id is typed."""

Pixels = NDArray[np.uint8]


@dataclass(frozen=True, kw_only=True)
class _Picked:
    """A picture to try, and which sample of the run it is, if it is one."""

    pixels: Pixels
    caption: str
    sample: int | None = None


def show(shown: Shown) -> None:
    """Controls that pick a picture, and below them its way through the stages."""
    st.caption(
        "One picture goes through the network here and now, and leaves where the rule at the slider's position in "
        "*Explore* lets it."
    )
    run = shown.question.run
    try:
        with st.spinner("Loading torch ..."):
            # What makes this page heavy is loaded by those who look at this view, and by nobody else.
            from cascade_core.nets.running import rebuilding
    except ImportError as error:
        st.error("This view runs the network, and needs torch: `pip install -r requirements.txt`.")
        st.text(str(error))
        return
    try:
        with st.spinner("Looking for the network's files ..."):
            located = rebuilding.locate(run.origin, weight_folders())
        model, preprocessing = _model(run.digest, tuple(one.key for one in located), located, run)
    except rebuilding.MissingFiles as error:
        _missing(error)
        return
    except ValueError as error:
        st.info("This run cannot be tried.", icon=":material/info:")
        st.text(str(error))
        return
    picked = _pick(shown)
    if picked is not None:
        _show(shown, picked, model, preprocessing)


def weight_folders() -> list[Path]:
    """Where weights and heads are looked for: the folders that CASCADE_WEIGHTS names, then that of the runs."""
    named = [Path(text) for text in os.environ.get("CASCADE_WEIGHTS", "").split(os.pathsep) if text]
    return [*named, runs.cache_folder()]


def picture_of(run: Run, sample_id: str) -> Pixels | None:
    """Pixels of a sample, of digits or from the folders that `PICTURES` names; None where there are none.

    Raises:
        ValueError: The file is no picture, or a broken one.
    """
    from cascade_core.nets.running.trying import sample_picture

    return sample_picture(run.origin.data, sample_id, os.environ.get(PICTURES))


@st.cache_resource(max_entries=3, show_spinner="Loading the network ...")
def _model(
    digest: str, files: tuple[tuple[str | None, ...], ...], _located: tuple[Located, ...], _run: Run
) -> tuple[StagedModel, Preprocessing]:
    from cascade_core.nets.running.rebuilding import rebuild

    names = [stage["name"] for stage in _run.metadata["stages"]]
    return rebuild(_located, _run.origin, _run.metadata["class_names"], names)


def _missing(error: MissingFiles) -> None:
    """Say which files are needed, and how to point to them."""
    st.info("The network of this run needs files that are not in the folders looked at.", icon=":material/info:")
    for file in error.files:
        st.text(str(file))
    st.markdown(
        "They are known by their content, whatever they are called. Start the page with the folders that hold them:"
    )
    st.code("CASCADE_WEIGHTS=path/of/a/folder streamlit run dashboard.py", language="bash")
    st.caption(f"Several folders are separated by `{os.pathsep}`; folders below them are looked through too.")


def _pick(shown: Shown) -> _Picked | None:
    """What the user picked; None, after saying what is to do, while there is nothing."""
    kinds = {"sample": "A sample of the run", "upload": "A picture of your own"}
    kind = st.segmented_control(
        "What to try",
        list(kinds),
        default="sample",
        format_func=kinds.__getitem__,
        required=True,
        label_visibility="collapsed",
        key=Key.TRY.of("kind"),
    )
    return _upload() if kind == "upload" else _sample(shown)


def _sample(shown: Shown) -> _Picked | None:
    """A sample of the run, with its picture."""
    run = shown.question.run
    outputs = questions.outputs(run)
    ids = outputs.sample_ids.tolist()
    sample_id = _sample_id(shown, outputs, ids)
    if sample_id not in ids:
        st.warning("The run has no sample of this id. The first ones are:", icon=":material/warning:")
        st.text("\n".join(ids[:3]))
        return None
    try:
        pixels = picture_of(run, sample_id)
    except ValueError as error:
        st.error("The picture of this sample cannot be shown.", icon=":material/error:")
        st.text(str(error))
        return None
    if pixels is None:
        st.info("There is no picture of this sample to give to the network.", icon=":material/info:")
        st.markdown("Start the page with the folder of the run's pictures, in which this file lies:")
        st.text(sample_id)
        st.code(f"{PICTURES}=path/of/the/folder streamlit run dashboard.py", language="bash")
        return None
    return _Picked(pixels=pixels, caption=sample_id, sample=ids.index(sample_id))


def _sample_id(shown: Shown, outputs: StageOutputs, ids: list[str]) -> str:
    """An id from a list, typed, or drawn by lot."""
    # A run's own, as an id of another run is none of this.
    run = shown.question.run.digest[:16]
    chosen = state.tried_sample(run)
    first, second, third = st.columns([3, 2, 1.5], vertical_alignment="bottom")
    if len(ids) <= MOST_LISTED:
        sample_id = first.selectbox("Sample", ids, key=chosen.key, help="Type to search.")
    else:
        if chosen.get() is None:
            chosen.set(ids[0])
        sample_id = first.text_input("Sample", key=chosen.key, help="An id as the run has it.").strip()
    stage = second.selectbox(
        "Draw from",
        [None, *range(len(outputs.stages))],
        format_func=lambda number: "all samples" if number is None else f"those leaving at stage {number + 1}",
        key=Key.TRY.of("from", run),
    )
    third.button(
        "A random one",
        on_click=_draw,
        args=(chosen, shown, outputs, stage),
        icon=":material/casino:",
        width="stretch",
        key=Key.TRY.of("random"),
    )
    return str(sample_id)


def _draw(chosen: Value[str | None], shown: Shown, outputs: StageOutputs, stage: int | None) -> None:
    """Pick a sample by lot, of those that leave at a stage where one is given."""
    index = np.arange(len(outputs.labels))
    if stage is not None:
        index = np.flatnonzero(_leaving(shown, outputs) == stage)
    if len(index):
        chosen.set(str(outputs.sample_ids[choice(index)]))
    else:
        st.toast("No sample leaves there at this position of the slider.")


def _leaving(shown: Shown, outputs: StageOutputs) -> NDArray[np.int64]:
    """(N,) stages where samples leave, as the run recorded them."""
    return shown.rule.leaving(outputs.record(shown.question.score, 1, shown.rule.temperatures))


def _upload() -> _Picked | None:
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
        return _Picked(pixels=read_picture(file.getvalue()), caption="your picture")
    except ValueError as error:
        st.error("This file was not tried.", icon=":material/error:")
        st.text(str(error))
        return None


def _show(shown: Shown, picked: _Picked, model: StagedModel, preprocessing: Preprocessing) -> None:
    """The picture, and its way through the stages."""
    from cascade_core.nets.running.trying import try_picture

    beyond = st.toggle(
        "Ask the other stages too",
        value=True,
        help="Computes what the stages would have said that the picture does not reach. That is no part of its cost.",
        key=Key.TRY.of("beyond"),
    )
    run, record = shown.question.run, shown.exploration.test
    try:
        tried = try_picture(
            model,
            shown.rule,
            picked.pixels,
            preprocessing,
            stages=record.stages,
            baseline_macs=record.baseline_macs,
            beyond=beyond,
        )
    except ValueError as error:
        st.error("This picture was not tried.", icon=":material/error:")
        st.text(str(error))
        return
    pictures, stages = st.columns([1, 4])
    with pictures:
        st.html(passage_cards.picture_html(picked.pixels, picked.caption))
        if picked.pixels.shape != tried.seen.shape:
            st.html(passage_cards.picture_html(tried.seen, "as the network is given it"))
    with stages:
        axis, names = shown.question.axis, run.metadata["class_names"]
        outputs = None if picked.sample is None else questions.outputs(run)
        label = None if outputs is None else int(outputs.labels[picked.sample])
        st.html(passage_cards.passage_html(tried.passage, names, axis, palette(), label))
        if outputs is not None and picked.sample is not None:
            st.caption(_recorded(shown, tried.passage, outputs, picked.sample))
        scale = " (0.9, 0.99, 0.999 ... stand at equal distances)" if axis.nines else ""
        st.caption(f"Bars show {axis.label}{scale}; the mark on a bar is the stage's threshold.")


def _recorded(shown: Shown, passage: Passage, outputs: StageOutputs, sample: int) -> str:
    """How the passage compares with what the run recorded, and whether the thresholds know the sample."""
    one = outputs.take(np.array([sample]))
    simulated = int(_leaving(shown, one)[0])
    chosen_on = sample in shown.question.split.calibration_index(len(outputs.labels))
    half = "The thresholds were chosen on it, among others." if chosen_on else "No threshold was chosen on it."
    return f"{agreement(passage, one.probs[:, 0], simulated)} {half}"
