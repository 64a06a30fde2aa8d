"""What Streamlit and Plotly do not promise: one test a name, so that an upgrade which takes one away says which.

Test ids, and what Plotly keeps in its charts, are looked for in the scripts that Streamlit sends to browsers; whether
the page does with them what it should, the browser tests see.
"""

from __future__ import annotations

import dataclasses
import inspect
import re
from functools import cache
from pathlib import Path

import pytest
import streamlit as st
from streamlit import runtime
from streamlit.runtime.app_session import AppSession
from streamlit.runtime.memory_session_storage import MemorySessionStorage
from streamlit.runtime.runtime import Runtime
from streamlit.runtime.scriptrunner import ScriptRunContext, get_script_run_ctx
from streamlit.runtime.state import SessionState
from streamlit.runtime.websocket_session_manager import WebsocketSessionManager
from streamlit.testing.v1 import AppTest

from cascade_core.panels import private

PACKAGE = Path(private.__file__).resolve().parents[1]

STYLE_SHEETS = private.STYLE + private.PRINT + private.BARE
IN_STYLE_SHEETS = sorted({*re.findall(r'data-testid="(\w+)"', STYLE_SHEETS), "data-stale", "data-tag", "st-key-"})
IN_STYLE_SHEETS += sorted({*re.findall(r"\.(modebar[\w-]*)", STYLE_SHEETS), "data-attr"})
IN_CHARTS = ("js-plotly-plot", "_fullLayout", "_rangeInitial0", "_rangeInitial1")


@cache
def scripts() -> str:
    """All that Streamlit has a browser run, Plotly with it."""
    folder = Path(st.__file__).parent / "static"
    return "\n".join(path.read_text(encoding="utf-8", errors="replace") for path in sorted(folder.rglob("*.js")))


@pytest.mark.parametrize("name", IN_STYLE_SHEETS)
def test_streamlit_still_names_this_part_of_a_page(name: str) -> None:
    assert name in scripts(), (
        f"Streamlit and Plotly have no {name} any more: a rule of `private.STYLE` or `private.BARE` is void"
    )


@pytest.mark.parametrize("name", IN_CHARTS)
def test_plotly_still_keeps_this_in_a_chart(name: str) -> None:
    # `_rangeInitial` and a number are put together in some versions.
    assert name in scripts() or name.rstrip("01") in scripts(), f"zoom.js reads {name}, which Plotly has no more"


def test_session_id_of_a_script_run_context() -> None:
    assert get_script_run_ctx() is None
    assert "session_id" in {field.name for field in dataclasses.fields(ScriptRunContext)}


def test_runtime_exists_and_instance() -> None:
    assert runtime.Runtime is Runtime
    assert runtime.exists() is False
    assert callable(runtime.get_instance)
    assert private.session_id() is None
    assert private.rerun_of("nobody") is None


def test_a_page_under_a_test_driver_has_no_session() -> None:
    app = AppTest.from_function(_tell_the_session).run()
    assert not app.exception
    assert app.text[0].value == "None Sessions(open=0, waiting=0)"


def _tell_the_session() -> None:
    import streamlit as st

    from cascade_core.panels import private

    st.text(f"{private.session_id()} {private.sessions()}")


def test_runtime_get_app_session() -> None:
    assert list(inspect.signature(Runtime.get_app_session).parameters) == ["self", "session_id"]


def test_app_session_request_rerun() -> None:
    assert list(inspect.signature(AppSession.request_rerun).parameters) == ["self", "client_state"]


def test_app_session_client_state() -> None:
    assert "self._client_state = " in inspect.getsource(AppSession.__init__)
    # What is done here is what Streamlit does when a source file changes.
    assert "self.request_rerun(self._client_state)" in inspect.getsource(AppSession)


def test_app_session_can_be_emptied() -> None:
    assert list(inspect.signature(AppSession.shutdown).parameters) == ["self"]
    assert "session_state" in vars(AppSession)
    state = SessionState()
    state["held"] = 1
    state.clear()
    assert "held" not in state


def test_session_manager_and_its_store() -> None:
    assert "self._session_mgr = " in inspect.getsource(Runtime.__init__)
    manager = inspect.getsource(WebsocketSessionManager)
    assert "self._storage_lock" in manager
    assert "self._session_storage = " in manager
    assert callable(WebsocketSessionManager.num_active_sessions)
    for look_up in (WebsocketSessionManager.get_session_info, WebsocketSessionManager.get_active_session_info):
        assert list(inspect.signature(look_up).parameters) == ["self", "session_id"]
    # A store that is asked for its length drops what has expired.
    store = MemorySessionStorage(ttl_seconds=0)
    store._cache["gone"] = None  # type: ignore[assignment]
    assert len(store._cache) == 0


def test_nothing_else_is_private() -> None:
    for path in sorted((PACKAGE / "panels").rglob("*.py")):
        if path.name != "private.py":
            text = path.read_text(encoding="utf-8")
            assert not re.findall(r"streamlit\.runtime|import runtime|data-testid|st\.runtime", text), path
    for path in sorted((PACKAGE / "rendering").rglob("*.js")):
        text = path.read_text(encoding="utf-8")
        names = {*re.findall(r"\._\w+", text), *re.findall(r'"\.((?:js-)?plotly[\w-]*|st[A-Z]\w+)', text)}
        assert {name.removeprefix(".") for name in names} <= {*IN_CHARTS}, path
