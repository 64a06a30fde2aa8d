"""The page without a browser, opened as a link opens it."""

from __future__ import annotations

from pathlib import Path

from streamlit.testing.v1 import AppTest

PAGE = Path(__file__).resolve().parents[1] / "dashboard.py"


def opened(**parameters: str) -> AppTest:
    """The page at an address with these parameters, run once."""
    app = AppTest.from_file(str(PAGE), default_timeout=30)
    for name, value in parameters.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception
    return app
