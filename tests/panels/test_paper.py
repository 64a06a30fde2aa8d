"""The dialog on figures for papers, driven without a browser."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from cascade_core import save_run
from tests.opening import unopened
from tests.samples import sample_run

NAMES = ["*a*", "_b_ :material/home:", "$c$"]


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    monkeypatch.setenv("CASCADE_CACHE", str(tmp_path))
    save_run(sample_run(names=NAMES), tmp_path / "mine.parquet")
    return unopened().run()


def offered(app: AppTest) -> list[tuple[str, str | None]]:
    """Labels and values of the names that may be replaced, in the order of the figure."""
    named = sorted(app.text_input, key=lambda one: int((one.key or "").rsplit(":", 1)[-1]))
    return [(one.label, one.value) for one in named]


def test_the_dialog_offers_the_texts_of_a_figure(app: AppTest) -> None:
    app.button(key="paper:open").click().run()
    assert not app.exception
    assert offered(app)[:2] == [
        (r"mean MACs\, \% of the plain network", "mean MACs, % of the plain network"),
        (r"accuracy\, \%", "accuracy, %"),
    ]


def test_names_from_files_are_shown_to_the_letter(app: AppTest) -> None:
    app.button(key="paper:open").click().run()
    app.session_state["paper:chart"] = "Where samples leave"
    app.button(key="paper:open").click().run()
    assert not app.exception
    assert offered(app)[2:5] == list(zip([r"\*a\*", r"\_b\_ \:material\/home\:", r"\$c\$"], NAMES, strict=True))


def test_a_comparison_has_one_too(app: AppTest) -> None:
    app.segmented_control(key="view").set_value("compare").run()
    app.button(key="paper:open").click().run()
    assert not app.exception
    assert ("mine", "mine") in offered(app)
