"""The view of samples: pictures by what became of them, those of the test half alone, the harmed ones first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from cascade_core.analysis.sample_filter import ORDERS, SampleFilter, pick, without_each
from cascade_core.analysis.samples import Outcomes, counts, outcomes
from cascade_core.panels import address, opening, questions, state
from cascade_core.panels.charts import palette
from cascade_core.panels.gallery import gallery
from cascade_core.panels.operating import operating_point
from cascade_core.panels.pictures import Pictures, may_type, pictures
from cascade_core.panels.questions import Question
from cascade_core.panels.shown import Shown
from cascade_core.panels.state import Key
from cascade_core.rendering.cost_words import leaving
from cascade_core.rendering.gallery import Group, cards, gallery_data
from cascade_core.storage.pictures import PICTURES, are_built_in
from cascade_core.support import wording
from cascade_core.support.wording import capital

TRY = " Click a picture to take it through the network."
PAGE = 24
"""Cards on a page."""

_KINDS = {
    "all": ("All", "Every test sample."),
    "harmed": ("Harmed", "Wrong where they left; the plain network would have been right."),
    "helped": ("Helped", "Right where they left; the plain network would have been wrong."),
    "wrong": ("Wrong", "Wrong where they left."),
    "right": ("Right", "Right where they left."),
    "easy": ("Easy", "Left before the last stage."),
    "hard": ("Hard", "Went on to the last stage."),
}
_AGAINST_THE_PLAIN = ("harmed", "helped")
"""Kinds that say nothing more than *wrong* where the plain network's answer is the reference."""

_PARTS = {
    "kind": "any kind",
    "label": "any true class",
    "answer": "any answer",
    "stage": "any stage",
    "confidence": "any confidence",
}


def show(shown: Shown) -> None:
    """Cards of the samples that the user asks for, a page at a time."""
    operating_point(shown.setting)
    question, run = shown.question, shown.question.run
    whole = questions.sample_ids(run)
    ids = [whole[i] for i in question.split.test_index(len(whole))]
    found = outcomes(shown.exploration.test, shown.rule)
    chosen, terms = _chosen_filter(shown, found), found.record.terms
    index = pick(found, chosen, ids)
    st.caption(
        f"{terms.of(_KINDS[chosen.kind][1])} {len(index):,} of {len(ids):,}. A disc marks where a sample left, a ring "
        f"what later stages would have said.{TRY * run.has_softmaxes}"
    )
    if not len(index):
        _nothing(found, chosen)
        return
    if may_type() and run.has_softmaxes and not are_built_in(run.origin):
        _ask_for_folder()
    pages = -(-len(index) // PAGE)
    # Another filter, or another rule, begins at its first page.
    key = Key.SAMPLES.of("page", shown.payload["id"], shown.rule.thresholds.tobytes().hex()[:64], chosen)
    page = st.pagination(pages, key=key) if pages > 1 else 1
    index = index[(page - 1) * PAGE : page * PAGE]
    names = [ids[i] for i in index]
    small = pictures(run, names)
    if run.has_softmaxes:  # others are of texts as often as of pictures
        _say_what_is_missing(small, names)
    costs = leaving(shown.exploration.meter, shown.evaluation)
    made = cards(found, index, names, run.metadata["class_names"], small.thumbnails, costs)
    groups = [Group(kind=chosen.kind, cards=made)]
    gallery(run, gallery_data("cards", groups, palette(), len(found.record.stages), terms), state.GALLERY)


def _chosen_filter(shown: Shown, found: Outcomes) -> SampleFilter:
    names, stages, many = shown.question.run.metadata["class_names"], found.record.stage_names, counts(found)
    for value in state.FILTERS:
        value.keep()
    terms = found.record.terms
    kinds = [kind for kind in _KINDS if found.record.reference == "labels" or kind not in _AGAINST_THE_PLAIN]
    if state.KIND.get() not in kinds:
        state.KIND.set("wrong")
    kind = st.segmented_control(
        "Show",
        kinds,
        format_func=lambda kind: f"{terms.of(_KINDS[kind][0])} {many[kind]:,}",
        required=True,
        label_visibility="collapsed",
        key=state.KIND.key,
        persist_state="session",
    )
    row = st.container(horizontal=True)
    label = _one_of(row, capital(terms.label), names, "all classes", state.LABEL)
    answer = _one_of(row, "Answer", names, "any answer", state.ANSWER)
    stage = _one_of(row, "Left at", stages, "any stage", state.LEFT)
    words = {"harmed first": terms.of("harmed first"), "surest": "surest first", "least sure": "least sure first"}
    order = row.selectbox(
        "Order", ORDERS, format_func=lambda one: words.get(one, "by name"), key=state.ORDER.key, persist_state="session"
    )
    row = st.container(horizontal=True)
    at = _one_of(row, "Confidence at", stages, "where they left", state.SURE_AT)
    low = _end(row, "at least", shown.question, state.LEAST_SURE)
    high = _end(row, "at most", shown.question, state.MOST_SURE)
    return SampleFilter(
        kind=kind or "all", label=label, answer=answer, stage=stage, at=at, low=low, high=high, order=order
    )


def _one_of(place: Any, label: str, names: Sequence[str], whole: str, value: state.Value[str]) -> int | None:
    """Number of the class or stage whose name is chosen; None for all."""
    address.fit(value, names, f"one of this run's: {', '.join(names)[:100]}")
    chosen = place.selectbox(
        label, ["", *names], format_func=lambda name: name or whole, key=value.key, persist_state="session"
    )
    return names.index(chosen) if chosen else None


def _end(place: Any, label: str, question: Question, value: state.Value[float]) -> float:
    """An end of the confidence; one that was not moved is open, as rounding may carry a score beyond it."""
    low, *inner, high = question.axis.steps

    def words(step: float) -> str:
        if step in (*inner, value.default):
            return wording.confidence(min(max(step, low), high))
        return f"{step:.7g}"

    end: float = place.selectbox(
        label, sorted({value.default, *inner, value.get()}), format_func=words, key=value.key, persist_state="session"
    )
    return end


def _nothing(found: Outcomes, chosen: SampleFilter) -> None:
    """Say what to change where no sample is left."""
    st.info("No test sample is all of that at this position of the slider.", icon=":material/filter_alt_off:")
    others = [
        f"{found.record.terms.of(_PARTS[part])}: {count:,}"
        for part, count in without_each(found, chosen).items()
        if count
    ]
    if others:
        st.markdown(f"With one filter less there are samples: {'; '.join(others)}.")
    st.button(
        "Show all samples", on_click=opening.open_samples, args=({},), icon=":material/filter_alt_off:", key=Key.SAMPLES
    )


def _ask_for_folder() -> None:
    st.text_input(
        "Folder of the pictures",
        placeholder="path/of/the/folder",
        help=f"The folder that the run was recorded from, on this computer. `{PICTURES}` in the environment names "
        "it for good.",
        key=state.PICTURE_FOLDER.key,
        persist_state="session",
    )


def _say_what_is_missing(small: Pictures, ids: Sequence[str]) -> None:
    for line in small.missing:
        st.warning("There is no such folder.", icon=":material/folder_off:")
        st.text(line)
    if not small.searched and not small.missing:
        where = f"the field above, or `{PICTURES}` when the page is started," if may_type() else f"`{PICTURES}`"
        st.caption(f"Pictures are shown once {where} names the folder that the run was recorded from.")
        st.text(f"A sample of this run is called {ids[0][:200]!r}: that is looked for below the folder.")
    elif small.searched and not small.found:
        st.warning("None of these samples is in the folder of pictures.", icon=":material/image_not_supported:")
        st.text(f"Expected a file {ids[0][:200]!r} below it.")
    if small.broken:
        st.caption(f"{small.broken} of these pictures cannot be read.")
