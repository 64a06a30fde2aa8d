"""The page, which ``streamlit run dashboard.py`` and ``cascade-core page`` open: `page` shows it.

It lays out panels and decides which of them run again: everything on a change in the sidebar or in the
cache folder, only the view itself when its slider is released.  It holds no arithmetic.
"""

from __future__ import annotations

import streamlit as st

from cascade_core.panels import address, memory, runs, sidebar, upload, watching
from cascade_core.panels.live import LIVE, live_panel
from cascade_core.panels.shown import Shown, prepare

STYLE = """<style>
/* Streamlit fades what a rerun has not sent again within half a second; on a busy machine a release takes longer. */
[data-testid="stElementContainer"][data-stale="true"] { transition-delay: 3s !important; }
/* Chosen options are white on the accent, which in the dark theme is too light for it. */
[data-testid="stMultiSelectTagsContainer"] [data-tag] { background: transparent; border: 1px solid; color: inherit; }
[data-testid="stMultiSelectTagsContainer"] [data-tag] * { color: inherit; }
/* Code in small print is pale green, and paler than can be read. */
[data-testid="stCaptionContainer"] code { color: inherit; }
@media (min-width: 768px) {
  [data-testid="stMainBlockContainer"] { padding: 3rem 2.5rem 5rem; }
}
</style>"""


def page() -> None:
    """Show the page."""
    st.set_page_config(page_title="Cascaded inference: accuracy against computation", layout="wide")
    st.html(STYLE)
    memory.few_arenas()
    watching.watch()
    found, complaints = runs.list_runs()
    found += upload.own_runs(found)
    _complain(complaints)
    if not found:
        _empty()
        with st.sidebar:
            upload.offer()
        return
    address.read([run.name for run in found], VIEWS)
    selection = sidebar.select(found)
    with st.container(key="chrome"):
        st.header("What does a little accuracy buy?", anchor=False)
        view = st.segmented_control(
            "View",
            list(VIEWS),
            format_func=VIEWS.__getitem__,
            required=True,
            label_visibility="collapsed",
            key="view",
        )
    look(selection, view or "explore")


@st.fragment
def look(selection: sidebar.Selection, view: str) -> None:
    """What the user looks at; what only it needs is imported when it is first looked at."""
    shown = prepare(selection)
    if shown is None:
        return
    shown = address.go_to(shown)
    position = shown.position
    match view:
        case "explore":
            position = explore(shown)
        case "present":
            from cascade_core.panels.views.presenting import present

            position = present(shown)
        case "compare":
            from cascade_core.panels.views.comparing import compare

            compare(shown)
        case "samples":
            from cascade_core.panels.views.samples import samples

            samples(shown)
        case "classes":
            from cascade_core.panels.views.classes import classes

            classes(shown)
        case "try":
            from cascade_core.panels.views.trying import try_it

            try_it(shown)
        case _:
            from cascade_core.panels.views.about import about

            about(shown)
    address.write(shown, view, position)


def explore(shown: Shown) -> int:
    """The live panel, and below it what follows its released position, which is returned."""
    selection, exploration = shown.selection, shown.exploration
    if len(exploration.test.stages) == 1:
        st.info(
            "This run has one stage, so every sample leaves there and there is nothing to choose. "
            "A cascade needs exits: see `python -m cascade_core build --help`.",
            icon=":material/info:",
        )
    position = live_panel(shown.data, key=LIVE)
    # What draws tables and charts takes a while to import: the panel is on its way to the browser by now.
    from cascade_core.panels import details, exports
    from cascade_core.panels.pins import pin_button

    with st.container(horizontal=True):
        pin_button(shown, position)
        exports.download(shown, position)
        exports.report(shown, position)
        exports.more(shown, position)
    axis = runs.axis(selection.run, selection.score)
    details.details(exploration, position, axis, selection.published, selection.meter)
    exports.load_back(shown)
    return position


# What there is to look at, and its title.
VIEWS = {
    "explore": "Explore",
    "compare": "Compare",
    "samples": "Samples",
    "classes": "Classes",
    "try": "Try it",
    "about": "About",
    "present": "Present",
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
