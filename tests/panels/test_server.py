"""What the server does from its start on: it answers at once, and what the page needs is imported meanwhile."""

from __future__ import annotations

import asyncio
import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest
import streamlit as st

import dashboard
from cascade_core.panels import ahead, server


def test_the_server_does_not_wait_for_what_is_prepared(monkeypatch: pytest.MonkeyPatch) -> None:
    begun, go_on = Event(), Event()

    def slowly() -> None:
        begun.set()
        go_on.wait(30)

    monkeypatch.setattr(ahead, "open", slowly)

    async def serve() -> None:
        async with server.running(dashboard.app):
            assert await asyncio.to_thread(begun.wait, 30)
            assert "cascade_core.panels.page" in sys.modules

    with ThreadPoolExecutor(1) as elsewhere:  # a browser test may have a loop running in this thread
        elsewhere.submit(asyncio.run, serve()).result()
    go_on.set()


def test_the_door_is_a_server_and_a_page() -> None:
    assert isinstance(dashboard.app, st.App)
    assert not hasattr(dashboard, "page")
