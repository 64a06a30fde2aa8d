"""The page, which ``streamlit run dashboard.py`` and ``cascade-core page`` open: `page` shows it.

It lays out panels and decides which of them run again: everything on a change in the sidebar or in the
cache folder, only the view itself when its slider is released.  It holds no arithmetic.
"""

from __future__ import annotations

import shlex
from collections.abc import Collection

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from cascade_core.panels import (
    address,
    ahead,
    following,
    heading,
    history,
    logs,
    memory,
    noting,
    place,
    private,
    runs,
    saying,
    sidebar,
    spending,
    state,
    upload,
    watching,
)
from cascade_core.panels.linked import Link, links
from cascade_core.panels.live import released
from cascade_core.panels.shown import answer
from cascade_core.panels.state import Key
from cascade_core.panels.views import VIEWS
from cascade_core.rendering.markup import markup_css
from cascade_core.support.remote import Remote


def page() -> None:
    """Show the page."""
    st.set_page_config(page_title="Cascaded inference: accuracy against computation", layout="wide")
    st.html(private.STYLE)
    st.html(f"<style>{markup_css()}</style>")  # by itself, as what it is for may be away for a moment
    st.html(private.PRINT + (private.PRINT_DARK if st.context.theme.type == "dark" else ""))
    logs.make_visible()
    memory.keep_small()
    watching.watch()
    shown_runs, complaints = runs.list_runs()
    shown_runs += upload.own_runs(shown_runs)
    _complain(complaints)
    _trouble(following.trouble())
    if not shown_runs:
        _empty()
        with st.sidebar:
            upload.offer()
        return
    known = links([run.name for run in shown_runs], VIEWS)
    address.read(known)
    selection = sidebar.select(shown_runs)
    with st.container(key=Key.CHROME):
        st.header("What does a little accuracy buy?", anchor=False)
        view = st.segmented_control(
            "View",
            list(VIEWS),
            format_func=lambda name: VIEWS[name].title,
            required=True,
            label_visibility="collapsed",
            key=state.VIEW.key,
        )
        history.listen()
    look(selection, view or state.VIEW.default, known)
    ahead.prepare(selection.question, shown_runs)


@st.fragment
def look(selection: sidebar.Selection, view: str, known: Collection[Link]) -> None:
    """What the user looks at, and the address that names it."""
    ahead.wait()
    heard = state.BACK.get() is not None and not state.ARRIVED.get()
    if heard or state.VIEW.get() != view:
        st.rerun()  # the whole page: what Back names, or a click opens, is not of this view
    address.recall(known)
    state.PICTURE_FORMAT.keep()
    faults, odd, bar, before = st.empty(), st.container(), _bar(), st.container()
    shown, named, badged = answer(selection), view == "present", VIEWS[view].badged
    with odd:
        shown = noting.unless_meaningless(shown)
    if shown is not None:
        shown = spending.at_price(place.kept(address.go_to(shown)))
        # Never an empty place first, which would be seen so for a moment.
        line = heading.show(shown, bar, named=named, badged=badged)
        with _own_place(view):
            VIEWS[view].show(shown)
        # The live panel, where the view has it, may have been let go elsewhere.
        shown = shown.at(released(state.RELEASED.get(), shown.payload))
        heading.show(shown, line, named=named, badged=badged)
        place.remember(shown)
    if not named:
        with before:
            place.before()
    with bar, st.container(key=Key.CHROME.of("share"), width="content"):
        address.write(shown, known, selection.question.run)
    address.show_faults(faults)
    saying.show()


def _bar() -> DeltaGenerator:
    """A line above the view: what its numbers are of, and the button that shares, for which room is kept."""
    return st.container(key=Key.BAR, horizontal=True, vertical_alignment="center")


def _own_place(view: str) -> DeltaGenerator:
    """Where a view is drawn: a place of its own, so that what another view left goes at once, not when this is done."""
    places = {name: st.container() if name == view else st.empty() for name in VIEWS}
    return places[view]


def _complain(complaints: list[str]) -> None:
    """Say which files of the cache cannot be read; the others keep working."""
    if complaints:
        st.warning("Some files in the cache folder are left out; replace or remove them.", icon=":material/warning:")
        for line in complaints:
            st.text(line)


def _trouble(line: str) -> None:
    """Say that runs are shown as they were fetched last."""
    if line:
        st.warning("The runs are those that were fetched last.", icon=":material/cloud_off:")
        st.text(line)


def _empty() -> None:
    """Say what to do when there is nothing to show."""
    st.title("No runs yet", anchor=False)
    st.markdown("The page shows runs: every stage's softmaxes on a validation set, one `.parquet` file each in")
    folder = following.cache_place()
    heads = " --heads-out digits.safetensors" if isinstance(folder, Remote) else ""
    st.code(str(folder), language=None)
    st.markdown("Make one of scikit-learn's digits, which needs nothing and takes seconds:")
    digits, mine = (shlex.quote(str(folder / name)) for name in ("digits.parquet", "mine.parquet"))
    st.code(
        "python -m cascade_core build --network small-cnn --heads paper \\\n"
        f"    --train-data digits --data digits --out {digits}{heads}",
        language="bash",
    )
    st.markdown("or bring your own softmaxes:")
    st.code(f"python -m cascade_core import softmaxes.npz --out {mine}", language="bash")
