"""All that the page uses of Streamlit beyond its documented interface, which another version may change unsaid.

`tests/panels/test_private.py` has a test for each name, so that an upgrade that breaks one says which.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from weakref import WeakValueDictionary

from streamlit import runtime
from streamlit.runtime.scriptrunner import get_script_run_ctx

STYLE = """<style>
/* Streamlit fades what a rerun has not sent again within half a second; on a busy machine a release takes longer.
   While thresholds are chosen all numbers are of another question, and fade. */
[data-testid="stElementContainer"][data-stale="true"] { transition-delay: 3s !important; }
[data-testid="stMain"]:has(.st-key-busy [data-testid="stSpinner"]) [data-stale="true"] {
  transition: opacity 0.1s ease-in 0.3s !important;
}
/* Why a browser does not send a file stands in a chip for screen readers only. */
[data-testid="stFileChip"]:has([role="alert"]) { flex-wrap: wrap; height: auto; }
[data-testid="stFileUploader"] [role="alert"] {
  position: static; width: 100%; height: auto; margin: 0; clip: auto; clip-path: none; white-space: normal;
}
/* What is being computed is said in the empty head of the page, and not in place of old numbers. */
.st-key-busy { position: fixed; top: 0.9rem; right: 4rem; width: auto; z-index: 999991; }
/* Chosen options are white on the accent, which in the dark theme is too light for it. */
[data-testid="stMultiSelectTagsContainer"] [data-tag] { background: transparent; border: 1px solid; color: inherit; }
[data-testid="stMultiSelectTagsContainer"] [data-tag] * { color: inherit; }
/* Code in small print is pale green, and paler than can be read. */
[data-testid="stCaptionContainer"] code { color: inherit; }
/* The button that shares comes late: its room is kept beside the line, so that nothing moves then. */
.st-key-bar { position: relative; min-height: 2.5rem; }
.st-key-bar > [data-testid="stElementContainer"] { width: auto; margin-right: 5.5rem; }
.streamlit-embedded .st-key-bar > [data-testid="stElementContainer"] { margin-right: 13.5rem; }
.st-key-bar > [data-testid="stLayoutWrapper"]:has(> .st-key-chrome-share) {
  position: absolute; right: 0; top: 0.25rem; width: auto;
}
/* What can be taken away stands in one row or in two, on a telephone in three, so that no button is left alone. */
[data-testid="stLayoutWrapper"]:has(> .st-key-take) { container-type: inline-size; }
.st-key-take { gap: 0.5rem 0.4rem !important; }
@container (min-width: 500px) {
  .st-key-take { display: grid; grid-template-columns: repeat(3, max-content); }
}
@container (min-width: 1018px) {
  .st-key-take { grid-template-columns: repeat(6, max-content); }
}
@media (min-width: 768px) {
  [data-testid="stMainBlockContainer"] { padding: 3rem 2.5rem 5rem; }
}
/* Fingers: 44 pixels, room above a table for its buttons, and a chart's title beside its own. */
@media (pointer: coarse) {
  [data-testid="stButtonGroup"] button, [data-testid="stElementToolbarButton"] button,
  [data-testid="stExpandSidebarButton"], [data-testid="stMainMenuButton"],
  [data-testid="stNumberInputContainer"] button, [data-testid="stBaseButton-headerNoPadding"] {
    min-width: 44px; min-height: 44px;
  }
  [data-testid="stElementContainer"]:has(> * [data-testid="stDataFrame"]) { margin-top: 2.75rem; }
  [data-testid="stElementToolbar"] { transform: translateY(-18px); }
  [data-testid="stTooltipHoverTarget"] button { position: relative; }
  [data-testid="stTooltipHoverTarget"] button::after { content: ""; position: absolute; inset: -14px; }
  .modebar { transform: translateY(-10px); }
  .modebar-btn { min-width: 44px; min-height: 44px; }
  .modebar-btn[data-attr="dragmode"] { display: none !important; }
}
</style>"""
"""Of the whole page."""

PRINT = """<style>
@media print {
  @page { size: A4 landscape; margin: 12mm; }
  html, body, [data-testid="stApp"], [data-testid="stAppViewContainer"], [data-testid="stMain"] {
    position: static !important; height: auto !important; overflow: visible !important; background: #ffffff !important;
  }
  [data-testid="stSidebar"], [data-testid="stHeader"], [data-testid="stToolbar"], [data-testid="stElementToolbar"],
  [data-testid="stButton"], [data-testid="stPopover"], [data-testid="stDownloadButton"],
  [data-testid="stButtonGroup"], [data-testid="stSelectbox"], [class*="st-key-chrome-"],
  [data-testid="stMultiSelect"], [data-testid="stCheckbox"], [data-testid="stTextInput"], [data-testid="stNumberInput"],
  [data-testid="stSlider"], [data-testid="stFileUploader"], [data-testid="stExpander"],
  [data-testid="stMain"] :is(button, input, select, textarea):not(.cascade-live__value, .cascade-gallery__tile),
  .modebar {
    display: none !important;
  }
  /* Charts are as wide as the window was; the paper is taken to be as wide as most windows. */
  [data-testid="stMainBlockContainer"] { padding: 0 !important; max-width: none !important; zoom: 0.68; }
  [data-testid="stMain"] :is(p, li, h1, h2, h3, label, span, td, th, dt, dd, strong), .cascade-gallery {
    color: #1b2130 !important;
  }
  .js-plotly-plot text { fill: #1b2130 !important; }
  [data-testid="stPlotlyChart"], [data-testid="stImage"], tr { break-inside: avoid; }
}
</style>"""
"""Of the page on paper: what is read, in the light colours, and nothing to press."""

PRINT_DARK = """<style>
/* Tables are drawn on a canvas in the theme's colours, which no style sheet reaches. */
@media print { [data-testid="stDataFrame"] canvas { filter: invert(1) hue-rotate(180deg) brightness(1.08); } }
</style>"""
"""What that takes besides where the theme is dark."""

BARE = """<style>
[data-testid="stSidebar"], [data-testid="stExpandSidebarButton"], [data-testid="stHeader"], [data-testid="stToolbar"],
[data-testid="stLayoutWrapper"]:has(> [class*="st-key-chrome"]) { display: none !important; }
[data-testid="stMainBlockContainer"] {
  padding: 0.75rem clamp(1rem, 2.5vw, 2rem) 0 !important;
  max-width: none !important;
}
/* No button stands beside the line on what is shown. */
.st-key-bar { min-height: 0; }
.st-key-bar > [data-testid="stElementContainer"] { margin-right: 0 !important; }
p.cascade-heading.cascade-heading { min-height: 0; }
/* One line below the panel: words on keys, which telephones do not have, are cut first, then the name of a stop. */
.st-key-steps { flex-wrap: nowrap !important; }
.st-key-steps [data-testid="stElementContainer"] { flex: 0 0 auto; width: auto; min-width: 0; }
.st-key-steps [data-testid="stElementContainer"]:has([data-testid="stText"]) { flex-shrink: 1; }
.st-key-steps [data-testid="stElementContainer"]:has([data-testid="stCaptionContainer"]) { flex-shrink: 1000; }
.st-key-steps :is([data-testid="stText"] *, [data-testid="stCaptionContainer"] p) {
  overflow: hidden; text-overflow: ellipsis; white-space: nowrap;
}
</style>"""
"""Hides what surrounds a page of Streamlit, and what the page itself keeps under keys that begin with `chrome`."""


def _server() -> runtime.Runtime | None:
    """The server that runs in this process, if any."""
    found = runtime.get_instance() if runtime.exists() else None
    # What a test driver puts in its place says that it is one (`isinstance` believes it), and is none.
    return found if type(found) is runtime.Runtime else None


def session_id() -> str | None:
    """The session whose page is running; None without a server, as under a test driver."""
    context = get_script_run_ctx()
    return None if context is None or _server() is None else context.session_id


def rerun_of(session: str) -> Callable[[], None] | None:
    """What has the page of a session run again, from any thread; None once the session has ended."""
    server = _server()
    app = None if server is None else server.get_app_session(session)
    # What Streamlit does itself, from a thread of its own, when a source file changes: widgets and URL stay.
    return None if app is None else lambda: app.request_rerun(app._client_state)


@dataclass(frozen=True, kw_only=True)
class Sessions:
    """How many pages are open, and how many were closed but are kept for a while, in case their visitors come back."""

    open: int
    waiting: int


_seen: WeakValueDictionary[str, Any] = WeakValueDictionary()
"""Sessions whose pages ran, by their ids."""


def see() -> None:
    """Have the session that is running now emptied by `sessions` when its time is over, whoever holds on to it."""
    session, server = session_id(), _server()
    app = None if session is None or server is None else server.get_app_session(session)
    if session is not None and app is not None:
        _seen[session] = app


def sessions() -> Sessions:
    """The server's sessions, once those are emptied and let go whose time is over; none without a server."""
    server = _server()
    if server is None:
        return Sessions(open=0, waiting=0)
    manager: Any = server._session_mgr
    with manager._storage_lock:
        # Asked for its length, Streamlit's store drops what has expired.
        waiting = len(manager._session_storage._cache)
    for name, app in list(_seen.items()):
        # One that comes back just now is open before it is no longer kept.
        if manager.get_session_info(name) is None and manager.get_active_session_info(name) is None:
            # The server's loop holds on to the last one that it served, which then holds nothing any more.
            app.shutdown()
            app.session_state.clear()
            del _seen[name]
    return Sessions(open=manager.num_active_sessions(), waiting=waiting)


UNATTENDED = "unattended"
"""Name of threads that belong to no session, where Streamlit would warn of a spinner that nobody sees."""


def _attended(record: logging.LogRecord) -> bool:
    return record.threadName != UNATTENDED


logging.getLogger("streamlit.runtime.scriptrunner_utils.script_run_context").addFilter(_attended)
