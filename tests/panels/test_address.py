"""Links: what is read from an address, what is refused, and what the page writes into it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from cascade_core import PaperRule, save_run
from cascade_core.analysis.exploration import Split, explore, halves
from cascade_core.panels.address import parsed
from tests.samples import sample_run

PAGE = Path(__file__).resolve().parents[2] / "dashboard.py"
RUNS, VIEWS = ("mine", "other"), ("explore", "about")


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CASCADE_CACHE", str(tmp_path))
    save_run(sample_run(), tmp_path / "mine.parquet")
    save_run(sample_run(seed=1), tmp_path / "other.parquet")
    return tmp_path


def opened(**parameters: str) -> AppTest:
    app = AppTest.from_file(str(PAGE), default_timeout=30)
    for name, value in parameters.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception
    return app


def test_what_fits_is_read() -> None:
    given = {
        "run": "other",
        "view": "about",
        "policy": "paper",
        "answers": "own",
        "seed": "7",
        "at": "0.5",
        "else": "x",
    }
    values, bad = parsed(given, RUNS, VIEWS)
    assert values == {"run": "other", "view": "about", "policy": "paper", "answers": "own", "seed": 7, "at": 0.5}
    assert not bad


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("run", "../../etc/passwd", "a run in the list"),
        ("view", "nowhere", "one of explore, about"),
        ("policy", "best", "one of cheapest"),
        ("score", "<b>", "one of max_probability"),
        ("answers", "yes", "one of auto, pooled, own"),
        ("seed", "-1", "a whole number from 0"),
        ("seed", "1e3", "a whole number from 0"),
        ("seed", "٣", "a whole number from 0"),
        ("seed", "9" * 30, "a whole number from 0"),
        ("cost", "euros", "MACs or milliseconds"),
        ("batch", "0", "a whole number from 1"),
        ("at", "nan", "a number"),
        ("at", "much", "a number"),
    ],
)
def test_what_does_not_fit_is_named_and_left_out(name: str, value: str, expected: str) -> None:
    values, (line,) = parsed({name: value}, RUNS, VIEWS)
    assert not values
    assert line.startswith(f"expected {name} to be {expected}")
    assert line.endswith(f"but it was {value[:60]!r}")


def test_a_link_shows_what_it_names(cache: Path) -> None:
    app = opened(run="other", policy="paper", seed="5", at="3")
    assert (app.selectbox(key="run").value, app.selectbox(key="policy").value) == ("other", "paper")
    assert app.number_input(key="seed").value == 5
    explored = explore(halves(sample_run(seed=1), Split(seed=5)), PaperRule, Split(seed=5))
    position = int(np.abs(explored.shown - 3).argmin())
    assert app.dataframe[0].value["samples"].tolist() == explored.at(position).exit_counts.tolist()
    assert app.query_params["run"] == "other"
    assert float(app.query_params["at"]) == pytest.approx(3, abs=0.02)


def test_a_bad_link_falls_back_with_a_notice(cache: Path) -> None:
    app = opened(run="gone", seed="x", at="99")
    assert app.selectbox(key="run").value == "mine"
    assert len(app.warning) == 3
    assert "expected at to be from 0 to 5 but it was 99" in [text.value for text in app.text]
    assert app.query_params["run"] == "mine"
    assert "at" not in app.query_params
    app.run()
    assert not app.warning


def test_changes_are_written(cache: Path) -> None:
    app = opened()
    app.selectbox(key="policy").select("paper").run()
    app.toggle(key="in_sample").set_value(True).run()
    assert app.query_params["policy"] == "paper"
    assert app.query_params["in_sample"] == "1"
    assert "seed" not in app.query_params
