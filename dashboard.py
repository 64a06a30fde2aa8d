"""The page: ``streamlit run dashboard.py``.

It lays out panels and decides which of them run again: everything on a change in the sidebar, only
the view itself when its slider is released.  It holds no arithmetic.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import streamlit as st

from cascade_core.panels import about, classes, details, exports, runs, samples, sidebar, trying
from cascade_core.panels.live import LIVE, live_panel
from cascade_core.panels.shown import Shown, prepare


def main() -> None:
    """Show the page."""
    st.set_page_config(page_title="Cascaded inference: accuracy against computation", layout="wide")
    found, complaints = runs.list_runs()
    _complain(complaints)
    if not found:
        _empty()
        return
    selection = sidebar.select(found)
    st.header("What does a little accuracy buy?", anchor=False)
    view = st.segmented_control(
        "View",
        list(VIEWS),
        default=next(iter(VIEWS)),
        format_func=lambda name: VIEWS[name][0],
        required=True,
        label_visibility="collapsed",
        key="view",
    )
    VIEWS[view][1](selection)


@st.fragment
def explore(selection: sidebar.Selection) -> None:
    """The live panel, and below it what follows its released position."""
    shown = prepare(selection)
    if shown is None:
        return
    exploration = shown.exploration
    if len(exploration.test.stages) == 1:
        st.info(
            "This run has one stage, so every sample leaves there and there is nothing to choose. "
            "A cascade needs exits: see `python -m cascade_core build --help`.",
            icon=":material/info:",
        )
    position = live_panel(shown.data, key=LIVE)
    with st.container(horizontal=True):
        exports.download(shown, position)
        exports.report(shown, position)
    axis = runs.axis(selection.run, selection.score)
    details.details(exploration, position, axis, selection.published, selection.meter)
    exports.load_back(shown)


@st.fragment
def look(selection: sidebar.Selection, view: Callable[[Shown], None]) -> None:
    """A view that reads the released position."""
    shown = prepare(selection)
    if shown is not None:
        view(shown)


# What there is to look at: a title, and what shows it.  A docstring here would be printed by Streamlit.
VIEWS: dict[str, tuple[str, Callable[[sidebar.Selection], None]]] = {
    "explore": ("Explore", explore),
    "samples": ("Samples", partial(look, view=samples.samples)),
    "classes": ("Classes", partial(look, view=classes.classes)),
    "try": ("Try it", partial(look, view=trying.try_it)),
    "about": ("About", partial(look, view=about.about)),
}


def _complain(complaints: list[str]) -> None:
    """Say which files of the cache cannot be read; the others keep working."""
    if complaints:
        st.warning("Some files in the cache folder are left out; replace or remove them.", icon=":material/warning:")
        for line in complaints:
            st.text(line)


def _empty() -> None:
    """Say what to do when there is nothing to show."""
    st.title("No runs yet", anchor=False)
    st.markdown("The page shows runs: every stage's softmaxes on a validation set, one `.parquet` file each in")
    st.code(str(runs.cache_folder()), language=None)
    st.markdown("Make one of scikit-learn's digits, which needs nothing and takes seconds:")
    st.code(
        "python -m cascade_core build --network small-cnn --heads paper \\\n"
        "    --train-data digits --data digits --out cache/digits.parquet",
        language="bash",
    )
    st.markdown("or bring your own softmaxes:")
    st.code("python -m cascade_core import softmaxes.npz --out cache/mine.parquet", language="bash")


main()
