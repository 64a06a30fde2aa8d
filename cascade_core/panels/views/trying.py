"""One picture through the cascade, for real: a sample of the run, or one that is uploaded.

The network is rebuilt from what the run says of it and from files found by their digests, and is kept for the next
picture.  This is the only view that loads torch, and it does so when it is opened.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from cascade_core.panels import questions
from cascade_core.panels.charts import palette
from cascade_core.panels.following import cache_folder
from cascade_core.panels.picking import Picked, pick
from cascade_core.panels.runs import Run
from cascade_core.panels.shown import Shown
from cascade_core.panels.state import Key
from cascade_core.rendering.cost_words import leaving
from cascade_core.rendering.markup import passage_cards
from cascade_core.simulation.meters import MACS
from cascade_core.simulation.outputs import StageOutputs
from cascade_core.simulation.passages import Passage, agreement

if TYPE_CHECKING:
    from cascade_core.nets.images.pixels import Preprocessing
    from cascade_core.nets.running.rebuilding import Located, MissingFiles
    from cascade_core.nets.staged import StagedModel


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
        st.error("This view runs the network, which needs a package more.")
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
    picked = pick(shown)
    if picked is not None:
        _show(shown, picked, model, preprocessing)


def weight_folders() -> list[Path]:
    """Where weights and heads are looked for: the folders that CASCADE_WEIGHTS names, then that of the runs."""
    named = [Path(text) for text in os.environ.get("CASCADE_WEIGHTS", "").split(os.pathsep) if text]
    return [*named, cache_folder()]


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
    st.code("CASCADE_WEIGHTS=path/of/a/folder python -m cascade_core page", language="bash")
    st.caption(f"Several folders are separated by `{os.pathsep}`; folders below them are looked through too.")


def _show(shown: Shown, picked: Picked, model: StagedModel, preprocessing: Preprocessing) -> None:
    """The picture, and its way through the stages."""
    from cascade_core.nets.running.trying import try_picture

    about = "What they would have said is no part of the cost."
    beyond = st.toggle("Ask the stages that it does not reach", value=True, help=about, key=Key.TRY.of("beyond"))
    rule, record = shown.rule, shown.exploration.test
    stages, baseline = record.stages, record.baseline_macs
    try:
        tried = try_picture(
            model, rule, picked.pixels, preprocessing, stages=stages, baseline_macs=baseline, beyond=beyond
        )
    except ValueError as error:
        st.error("This picture was not tried.", icon=":material/error:")
        st.text(str(error))
        return
    left, right = st.columns([1, 4])
    with left:
        st.html(passage_cards.picture_html(picked.pixels, picked.caption))
        if picked.pixels.shape != tried.seen.shape:
            st.html(passage_cards.picture_html(tried.seen, "as the network is given it"))
    with right:
        _passage(shown, tried.passage, picked.sample)


def _passage(shown: Shown, passage: Passage, sample: int | None) -> None:
    """What each stage says, and for a sample of the run whether that is what the run recorded."""
    axis, run = shown.question.axis, shown.question.run
    outputs = None if sample is None else questions.outputs(run)
    label = int(outputs.labels[sample]) if outputs is not None and outputs.reference == "labels" else None
    meter = shown.exploration.meter
    costs = () if meter is MACS else leaving(meter, shown.evaluation)
    st.html(passage_cards.passage_html(passage, run.metadata["class_names"], axis, palette(), label, costs))
    if isinstance(outputs, StageOutputs) and sample is not None:
        st.caption(_recorded(shown, passage, outputs, sample))
    scale = " (0.9, 0.99, 0.999 ... stand at equal distances)" if axis.nines else ""
    st.caption(f"Bars show {axis.label}{scale}; the mark on a bar is the stage's threshold.")


def _recorded(shown: Shown, passage: Passage, outputs: StageOutputs, sample: int) -> str:
    """How the passage compares with what the run recorded, and whether the thresholds know the sample."""
    one = outputs.take(np.array([sample]))
    simulated = int(shown.exits(one)[0])
    chosen_on = sample in shown.question.split.calibration_index(len(outputs.labels))
    half = "The thresholds were chosen on it, among others." if chosen_on else "No threshold was chosen on it."
    return f"{agreement(passage, one.probs[:, 0], simulated)} {half}"
