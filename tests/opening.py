"""The page without a browser, opened as a link opens it."""

from __future__ import annotations

from pathlib import Path

from streamlit.testing.v1 import AppTest

PAGE = Path(__file__).resolve().parents[1] / "dashboard.py"


SECONDS = 120
"""Until a run of the page counts as hung, on a busy machine too."""


def unopened() -> AppTest:
    """The page before its first run, for parameters of its address or session to be set."""
    return AppTest.from_file(str(PAGE), default_timeout=SECONDS)


def opened(**parameters: str) -> AppTest:
    """The page at an address with these parameters, run once."""
    app = unopened()
    for name, value in parameters.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception
    return app
