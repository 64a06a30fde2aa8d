"""Pins and the comparison, driven without a browser."""

from __future__ import annotations

import io
from pathlib import Path

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from cascade_core import CheapestWithinDrop, save_run
from cascade_core.analysis.exploration import Split, explore, halves
from cascade_core.analysis.points import Setting, operating_point
from cascade_core.rendering.points import points_latex, points_table
from tests.opening import unopened
from tests.samples import sample_record, sample_run


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    monkeypatch.setenv("CASCADE_CACHE", str(tmp_path))
    save_run(sample_run(), tmp_path / "mine.parquet")
    save_run(sample_run(seed=1), tmp_path / "other.parquet")
    return unopened().run()


def compared(app: AppTest) -> AppTest:
    app.segmented_control(key="view").set_value("compare").run()
    assert not app.exception
    return app


def test_nothing_pinned_says_how_to(app: AppTest) -> None:
    assert any("Pin this point" in caption.value for caption in compared(app).caption)


def test_points_are_pinned_once_and_removed(app: AppTest) -> None:
    app.button(key="pin").click().run()
    app.button(key="pin").click().run()
    app.selectbox(key="policy").select("paper").run()
    app.button(key="pin").click().run()
    table = compared(app).dataframe[1].value
    assert table["policy"].tolist() == ["Cheapest within a drop", "Paper's rule, each stage alone"]
    explored = explore(halves(sample_run(), Split()), CheapestWithinDrop, Split())
    assert table["saving"].iloc[0] == pytest.approx(explored.at(explored.opening).saving)
    next(button for button in app.button if button.label == "Remove 1").click().run()
    assert app.dataframe[1].value["policy"].tolist() == ["Paper's rule, each stage alone"]
    next(button for button in app.button if button.label == "Remove 1").click().run()
    assert len(app.dataframe) == 1


def test_points_as_csv_and_latex() -> None:
    explored = explore(sample_record(), CheapestWithinDrop, Split(), 11)
    points = [operating_point(Setting(exploration=explored, position=g), run="a_b & 50%") for g in (0, 10)]
    read = pd.read_csv(io.StringIO(points_table(points).to_csv()))
    assert read["number"].tolist() == [1, 2]
    assert read["accuracy_drop"].tolist() == [point.evaluation.accuracy_drop for point in points]
    latex = points_latex(points)
    assert latex.count(r"a\_b \& 50\%") == 2
    assert rf"{100 * points[1].evaluation.saving:.1f} \\" in latex
    assert latex.startswith(r"\begin{tabular}")


def test_a_curve_that_ends_before_the_drop_is_told_apart(app: AppTest) -> None:
    """Bold positions of one run give up more than any of the other's."""
    most = {
        name: float(
            explore(halves(sample_run(seed=seed), Split()), CheapestWithinDrop, Split()).evaluation.accuracy_drop.max()
        )
        for seed, name in enumerate(("mine", "other"))
    }
    short, long = sorted(most, key=lambda name: most[name])
    assert most[short] < most[long] - 0.001
    line = f"Curves that end before this drop, and stand at their end: {short}."
    app.selectbox(key="run").select(long).run()
    assert line not in [text.value for text in compared(app).text]
    app = unopened()
    app.query_params["run"], app.query_params["at"], app.query_params["view"] = long, "5", "compare"
    app.run()
    assert line in [text.value for text in app.text]
