"""The server of ``streamlit run dashboard.py``: while the first browser loads, the page's first answer is made.

A browser takes about two seconds to load Streamlit; loading what the page needs and choosing thresholds for the run
that it opens on take as long, and so nobody waits for them.
"""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import streamlit as st

from cascade_core.panels import memory, private


@asynccontextmanager
async def running(_app: st.App) -> AsyncIterator[None]:
    """Prepare the page from the server's start on; the server answers meanwhile."""
    memory.few_arenas()
    threading.Thread(target=_prepare, name=private.UNATTENDED, daemon=True).start()
    yield


def _prepare() -> None:
    from cascade_core.panels import ahead, following, page  # noqa: F401  # for the page, which finds it imported

    following.start()
    ahead.open()
    from pandas.io.formats import style  # noqa: F401  # what stands below the live panel needs that

    from cascade_core.panels import details, exports, paper, pins, strip  # noqa: F401
