"""The spread over split seeds on the page: only when it is asked for, with a sentence and a band."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from cascade_core import CheapestWithinDrop, save_run
from cascade_core.analysis.exploration import Split, explore, halves
from cascade_core.analysis.spread import Judged, Spread, moved_words, realised_words
from cascade_core.panels import questions
from cascade_core.panels.questions import Question
from tests.opening import unopened
from tests.samples import sample_run


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    monkeypatch.setenv("CASCADE_CACHE", str(tmp_path))
    save_run(sample_run(), tmp_path / "mine.parquet")
    app = unopened()
    app.query_params["details"] = "curve"
    return app.run()


def test_it_is_computed_when_it_is_asked_for_and_kept(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    original = questions.judged

    def counted(question: Question) -> Judged:
        asked.append(question.split.seed)
        return original(question)

    monkeypatch.setattr("cascade_core.panels.spreading.judged", counted)
    assert not any("Over 10 splits" in text.value for text in app.markdown)
    assert asked == []
    app.toggle(key="spread").set_value(True).run()
    assert not app.exception
    assert asked == list(range(10))
    outputs = sample_run()
    explorations = [
        explore(halves(outputs, split), CheapestWithinDrop, split) for split in (Split(seed=seed) for seed in range(10))
    ]
    spread = Spread(judged=[Judged.of(one) for one in explorations])
    opening = explorations[0].opening
    words = realised_words("1.0 points", spread.realised(float(explorations[0].shown[opening])))
    assert words in [text.value for text in app.markdown]
    chart = next(chart.proto.spec for chart in app.get("plotly_chart") if "90% of the splits below" in chart.proto.spec)
    assert "mean of 10 splits" in chart
    app.toggle(key="spread").set_value(False).run()
    assert not any("Over 10 splits" in text.value for text in app.markdown)


def test_in_sample_there_is_none(app: AppTest) -> None:
    app.toggle(key="in_sample").set_value(True).run()
    assert not app.exception
    assert app.toggle(key="spread").disabled


def test_the_thresholds_say_what_other_samples_would_move(app: AppTest) -> None:
    app.session_state["details"] = "Thresholds"
    app.run()
    split = Split()
    explored = explore(halves(sample_run(), split), CheapestWithinDrop, split)
    assert moved_words(explored.at(explored.opening)) in [text.value for text in app.markdown]
