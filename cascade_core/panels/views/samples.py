"""The view of samples: pictures by what became of them, those of the test half alone.

Pictures come from the folders that CASCADE_PICTURES names, separated as PATH is, or from one that the user types;
typing is offered only where the page listens to its own machine alone, for who types a folder may look into it.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import streamlit as st

from cascade_core.analysis.samples import ORDERS, Outcomes, SampleFilter, counts, outcomes, pick
from cascade_core.panels import questions
from cascade_core.panels.charts import choose, palette
from cascade_core.panels.operating import operating_point
from cascade_core.panels.questions import Question
from cascade_core.panels.shown import Shown
from cascade_core.panels.state import Key
from cascade_core.rendering.markup import cards, gallery, markup_css
from cascade_core.storage.pictures import (
    PICTURES,
    PictureFolders,
    Thumbnail,
    are_built_in,
    digit_thumbnail,
    file_thumbnail,
)
from cascade_core.support import wording
from cascade_core.support.files import BadFile

PAGE = 24
"""Cards on a page."""

_KINDS = {
    "all": ("All", "Every test sample."),
    "easy": ("Easy", "Left before the last stage."),
    "hard": ("Hard", "Went on to the last stage."),
    "helped": ("Helped", "Right where they left; the plain network would have been wrong."),
    "harmed": ("Harmed", "Wrong where they left; the plain network would have been right."),
    "right": ("Right", "Answered correctly where they left."),
    "wrong": ("Wrong", "Answered wrongly where they left."),
}
_ORDERS = {"surest": "surest first", "least sure": "least sure first", "name": "by name"}


def show(shown: Shown) -> None:
    """Cards of the samples that the user asks for, a page at a time."""
    operating_point(shown)
    st.html(f"<style>{markup_css()}</style>")
    exploration, run = shown.exploration, shown.question.run
    whole = questions.sample_ids(run)
    ids = [whole[i] for i in exploration.split.test_index(len(whole))]
    results = outcomes(exploration.test, shown.rule)
    chosen = _chosen_filter(shown, results)
    index = pick(results, chosen, ids)
    st.caption(
        f"{_KINDS[chosen.kind][1]} {len(index):,} of {len(ids):,}. A disc marks where a sample left, a ring what later "
        "stages would have said."
    )
    if not len(index):
        st.info("No sample is like that here. Widen the filters.", icon=":material/filter_alt_off:")
        return
    folders = None if are_built_in(run.origin) else _folders(ids[0])
    pages = -(-len(index) // PAGE)
    # Another filter, or another rule, begins at its first page.
    key = Key.SAMPLES.of("page", shown.payload["id"], shown.position, chosen)
    page = st.pagination(pages, key=key) if pages > 1 else 1
    index = index[(page - 1) * PAGE : page * PAGE]
    pictures = _pictures(folders, [ids[i] for i in index])
    made = cards(results, index, ids, run.metadata["class_names"], pictures)
    st.html(gallery(made, palette(), len(exploration.test.stages)))


def _chosen_filter(shown: Shown, results: Outcomes) -> SampleFilter:
    run, test = shown.question.run, shown.exploration.test
    names, many = run.metadata["class_names"], counts(results)
    kind = st.segmented_control(
        "Show",
        list(_KINDS),
        default="all",
        format_func=lambda kind: f"{_KINDS[kind][0]} {many[kind]:,}",
        required=True,
        label_visibility="collapsed",
        key=Key.SAMPLES.of("kind"),
        persist_state="session",
    )
    first, second, third, fourth = st.columns(4)
    # Classes, stages and scores are the run's own, and so is what was chosen of them.
    own = run.digest[:12]
    key = Key.SAMPLES.of("class", own)
    label = choose(first, "True class", names, "all classes", key=key, persist_state="session")
    key = Key.SAMPLES.of("stage", own)
    stage = choose(second, "Left at", test.stage_names, "any stage", key=key, persist_state="session")
    order = third.selectbox(
        "Order", ORDERS, format_func=_ORDERS.__getitem__, key=Key.SAMPLES.of("order"), persist_state="session"
    )
    low, high = _confidence(fourth, shown.question)
    return SampleFilter(kind=kind, label=label, stage=stage, low=low, high=high, order=order)


def _confidence(place: Any, question: Question) -> tuple[float, float]:
    """The range that the user sets; an end that was not moved is open, as rounding may carry a score beyond it."""
    steps = question.axis.steps
    low, high = place.select_slider(
        "Confidence where they left",
        steps,
        value=(steps[0], steps[-1]),
        format_func=wording.confidence,
        key=Key.SAMPLES.of("confidence", question.run.digest[:12], question.score),
        persist_state="session",
    )
    return (-float("inf") if low == steps[0] else low), (float("inf") if high == steps[-1] else high)


def _pictures(folders: PictureFolders | None, ids: list[str]) -> list[Thumbnail | None]:
    """A thumbnail of each sample, None where there is none; without folders to look in they are built in."""
    if folders is None:
        with st.spinner("Drawing digits ..."):
            return [digit_thumbnail(one) for one in ids]
    paths = [folders.find(one) for one in ids]
    if folders.folders and not any(paths):
        st.warning("None of these samples is in the folder of pictures.", icon=":material/image_not_supported:")
        st.text(f"Expected a file {ids[0][:200]!r} below it.")
    thumbnails = [_thumbnail(path) if path else None for path in paths]
    broken = sum(path is not None and one is None for path, one in zip(paths, thumbnails, strict=True))
    if broken:
        st.caption(f"{broken} of these pictures cannot be read.")
    return thumbnails


def _folders(example: str) -> PictureFolders:
    """Folders to look for pictures in, of the environment or typed; without any, a line on how to name one."""
    named = os.environ.get(PICTURES)
    may_type = named is None and st.get_option("server.address") in {"127.0.0.1", "localhost", "::1"}
    if may_type:
        named = st.text_input(
            "Folder of the pictures",
            placeholder="path/of/the/folder",
            help=f"The folder that the run was recorded from, on this computer. `{PICTURES}` in the environment names "
            "it for good.",
            key=Key.SAMPLES.of("folder"),
            persist_state="session",
        )
    if not named:
        where = f"the field above, or `{PICTURES}` when the page is started," if may_type else f"`{PICTURES}`"
        st.caption(f"Pictures are shown once {where} names the folder that the run was recorded from.")
        st.text(f"A sample of this run is called {example[:200]!r}: that is looked for below the folder.")
    folders = PictureFolders(named or "")
    for line in folders.missing:
        st.warning("There is no such folder.", icon=":material/folder_off:")
        st.text(line)
    return folders


def _thumbnail(path: Path) -> Thumbnail | None:
    """The thumbnail of a file; None if it cannot be read."""
    try:
        stat = path.stat()
        return _kept_thumbnail(path, (stat.st_mtime_ns, stat.st_size))
    except (BadFile, OSError):
        return None


@st.cache_resource(max_entries=2048, show_spinner=False)
def _kept_thumbnail(path: Path, modified_and_size: tuple[int, int]) -> Thumbnail:
    return file_thumbnail(path)
