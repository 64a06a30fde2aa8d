"""What was just done is said once, for a while."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Element

from cascade_core import save_run
from cascade_core.panels import saying
from tests.opening import opened
from tests.samples import sample_run


def said(app: AppTest) -> list[str]:
    values = [str(element.value) for element in app.get("html") if isinstance(element, Element)]
    return [value.rpartition("</style>")[2] for value in values if 'role="status"' in value and "cascade-said" in value]


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    monkeypatch.setenv("CASCADE_CACHE", str(tmp_path))
    save_run(sample_run(), tmp_path / "mine.parquet")
    return opened()


def test_a_pin_is_said_and_goes(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(saying, "SECONDS", 3600.0)
    assert not any("Pinned" in line for line in said(app))
    app.button(key="pin").click().run()
    line = '<p class="cascade-said" role="status">Pinned as number 1.</p>'
    assert line in said(app)
    app.run()
    assert line in said(app)
    monkeypatch.setattr(saying, "SECONDS", 0.0)
    app.run()
    assert line not in said(app)
