"""Whether the page listens to its own machine alone: only there may the user name files of the machine."""

from __future__ import annotations

import streamlit as st


def by_itself() -> bool:
    """Whether nobody else can reach the page."""
    return st.get_option("server.address") in {"127.0.0.1", "localhost", "::1"}
