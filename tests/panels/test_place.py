"""The place that is kept: what a position gave, while run, policy, score or seed change, and the way back to it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from cascade_core import CheapestWithinDrop, PaperRule, save_run
from cascade_core.analysis.exploration import Exploration, Split, explore, halves
from cascade_core.panels import place, state
from cascade_core.policies import Sweep
from tests.opening import unopened
from tests.panels.uploading import bring, npz
from tests.samples import sample_run


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    """Opened at two points of the policy `cheapest`."""
    monkeypatch.setenv("CASCADE_CACHE", str(tmp_path))
    save_run(sample_run(), tmp_path / "mine.parquet")
    save_run(sample_run(seed=1), tmp_path / "other.parquet")
    app = unopened()
    app.query_params["at"] = "2"
    app.run()
    assert not app.exception
    return app


def explored(policy: type[Sweep], seed: int = 0) -> Exploration:
    return explore(halves(sample_run(seed=seed), Split()), policy, Split())


def at(app: AppTest) -> float:
    """The slider's value."""
    value = dict(app.session_state[state.WRITTEN.key]).get("at")
    assert value is not None
    return float(value)


def nearest(values: np.ndarray, wanted: float, better: np.ndarray) -> int:
    """The nearest of `values`; of equally near ones the first of those where `better` is largest."""
    gaps = [round(abs(round(float(value), 9) - wanted), 9) for value in values]
    near = [i for i, gap in enumerate(gaps) if gap == min(gaps)]
    return max(near, key=lambda i: (round(float(better[i]), 9), -i))


def before(app: AppTest) -> str:
    return str(app.session_state[state.BEFORE.key])


def test_the_drop_is_held(app: AppTest) -> None:
    here = explored(CheapestWithinDrop)
    drop = float(here.at(int(np.abs(here.shown - 2).argmin())).accuracy_drop)
    app.selectbox(key="policy").select("paper").run()
    there = explored(PaperRule)
    expected = nearest(there.evaluation.accuracy_drop, drop, there.evaluation.saving)
    assert at(app) == pytest.approx(float(there.shown[expected]), rel=1e-8)
    assert before(app).startswith("Before: ")
    assert before(app).endswith(f"with mine, Cheapest within a drop, {here.answers} answers.")


def test_a_file_of_ones_own_opens_where_it_opens_by_itself(app: AppTest) -> None:
    app.selectbox(key="policy").select("paper").run()
    bring(app, "brought.npz", npz(sample_run(seed=2), macs=[10**6] * 3))
    assert "at" not in dict(app.session_state[state.WRITTEN.key])
    assert before(app) == ""


def test_the_cost_is_held_if_that_is_asked_for(app: AppTest) -> None:
    here = explored(CheapestWithinDrop)
    saving = float(here.at(int(np.abs(here.shown - 2).argmin())).saving)
    app.segmented_control(key="hold").set_value("cost").run()
    app.selectbox(key="policy").select("paper").run()
    there = explored(PaperRule)
    expected = nearest(there.evaluation.saving, saving, -there.evaluation.accuracy_drop)
    assert at(app) == pytest.approx(float(there.shown[expected]), rel=1e-8)


def test_the_first_question_asked_again_stands_where_it_stood(app: AppTest) -> None:
    first = at(app)
    questions = [("other", "shared", "margin"), ("mine", "budget", "margin"), ("other", "paper", "max_probability")]
    for run, policy, score in questions:
        app.selectbox(key="run").select(run)
        app.selectbox(key="policy").select(policy)
        app.selectbox(key="score").select(score).run()
        assert not app.exception
    app.selectbox(key="run").select("mine")
    app.selectbox(key="policy").select("cheapest")
    app.selectbox(key="score").select("max_probability").run()
    assert at(app) == first


def test_thresholds_set_by_hand_do_not_go_along(app: AppTest) -> None:
    app.session_state[state.BACK.key] = "?run=mine&hand=0.75,-"
    app.run()
    app.selectbox(key="run").select("other").run()
    assert "hand" not in dict(app.session_state[state.WRITTEN.key])
    assert before(app).endswith(place.HAND_STAYS.format(held="drop"))
    app.selectbox(key="run").select("mine").run()
    assert dict(app.session_state[state.WRITTEN.key])["hand"] == "0.75,-"


def test_a_run_that_is_removed_is_said_to_be_gone(app: AppTest, tmp_path: Path) -> None:
    app.selectbox(key="run").select("other").run()
    (tmp_path / "other.parquet").unlink()
    app.run()
    assert app.selectbox(key="run").value == "mine"
    assert [warning.value for warning in app.sidebar.warning] == ["The run that was looked at is gone:"]
    assert "other" in [text.value for text in app.sidebar.text]
