"""The page on runs that hold answers and confidences: brought and looked at in every view, with costs of their own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cascade_core import save_run
from cascade_core.panels import state
from cascade_core.panels.questions import Question
from cascade_core.panels.runs import Run
from cascade_core.panels.sidebar import NO_SOFTMAXES
from cascade_core.panels.views import VIEWS
from cascade_core.simulation.scores import GIVEN
from cascade_core.storage.importers import Wishes, read_files
from cascade_core.storage.schema import run_metadata
from cascade_core.support.files import Contents
from tests.opening import opened
from tests.pages import OUTPUTS, view
from tests.panels.test_without_labels import said
from tests.panels.uploading import bring, page, texts
from tests.storage.brought import npz

CLASSES = ["refund", "bug", "praise"]


def answers(n: int = 400, *, labels: bool = True, costs: bool = True, scale: float = 100.0) -> bytes:
    """An archive of three models of texts, sure in percent, that cost tokens."""
    random = np.random.default_rng(0)
    truth = random.integers(0, 3, n)
    hardness = random.random(n)
    right = np.stack([hardness < level for level in (0.6, 0.8, 0.95)])
    wrong = (truth + random.integers(1, 3, n)) % 3
    return npz(
        answers=np.where(right, truth, wrong),
        confidence=scale * np.clip(np.stack([level - hardness for level in (1.0, 1.2, 1.4)]), 0.01, 0.99),
        labels=truth if labels else None,
        cost=random.integers(1, 50, (3, n)) * np.array([[1], [4], [16]]) if costs else None,
        cost_unit="tokens" if costs else None,
        stage_names=["nano", "mini", "full"],
        class_names=CLASSES,
    )


@pytest.fixture
def spoken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache folder with a run without softmaxes, and one with."""
    monkeypatch.setenv("CASCADE_CACHE", str(tmp_path))
    save_run(read_files([Contents(name="a.npz", raw=answers())], Wishes()), tmp_path / "a.parquet")
    save_run(OUTPUTS, tmp_path / "softmaxes.parquet")
    return tmp_path


@pytest.mark.parametrize("name", [name for name in VIEWS if name != "try"])
def test_every_view_shows_it(name: str, spoken: Path) -> None:
    app = view(name)
    assert not app.error
    assert any(NO_SOFTMAXES in text for text in said(app)) or name == "present"


def test_what_needs_softmaxes_is_off_and_comes_back(spoken: Path) -> None:
    app = opened(run="softmaxes", score="margin", answers="own", top_k="2")
    app.selectbox(key=state.RUN.key).select("a").run()
    assert not app.exception
    assert not app.error
    for value in (state.SCORE, state.ANSWERS, state.TOP_K):
        assert value.key not in [box.key for box in app.selectbox]
    app.selectbox(key=state.RUN.key).select("softmaxes").run()
    assert app.selectbox(key=state.SCORE.key).value == "margin"
    assert app.selectbox(key=state.ANSWERS.key).value == "own"
    assert app.selectbox(key=state.TOP_K.key).value == 2


def test_a_question_is_asked_as_a_run_can_answer_it() -> None:
    held = read_files([Contents(name="a.npz", raw=answers())], Wishes())
    run = Run(name="a", digest="0" * 64, metadata=run_metadata(held), held=held)
    asked = Question(run=run, policy="cheapest", score="margin", answers="pooled", split=None, top_k=3)  # type: ignore[arg-type]
    assert (asked.score, asked.answers, asked.top_k) == (GIVEN, "auto", 1)
    other = Run(name="b", digest="1" * 64, metadata=run_metadata(OUTPUTS), held=OUTPUTS)
    assert Question(run=other, policy="cheapest", score=GIVEN, answers="own", split=None).score == "max_probability"  # type: ignore[arg-type]


def test_costs_of_its_own_are_what_thresholds_save(spoken: Path) -> None:
    app = opened(run="a")
    assert app.segmented_control(key=state.COST.key).options == ["tokens"]
    words = " ".join(said(app))
    assert "Each sample has costs of its own" in words
    assert "Costs " in words
    assert "50 % within " in words
    assert "99 % within " in words
    about = " ".join(said(opened(run="a", view="about")))
    assert "What each stage costs" in about
    assert "MACs of each stage" not in about


@pytest.mark.parametrize(("scale", "last"), [(1.0, "0.99999"), (100.0, "100"), (7.0, "6.93")])
def test_histograms_are_on_the_scale_of_the_confidences(scale: float, last: str, tmp_path: Path) -> None:
    held = read_files([Contents(name="a.npz", raw=answers(scale=scale))], Wishes())
    path = save_run(held, tmp_path / "a.parquet")
    run = Run(name="a", digest=f"{scale}", metadata=run_metadata(held), path=path)
    axis = Question(run=run, policy="cheapest", score=GIVEN, answers="auto", split=None).axis  # type: ignore[arg-type]
    assert axis.ticks[-1][1] == last
    assert axis.nines == (scale == 1.0)


@pytest.mark.parametrize("labels", [True, False])
@pytest.mark.parametrize("costs", [True, False])
def test_a_file_is_brought_to_the_page(labels: bool, costs: bool, folder: Path) -> None:
    app = page()
    bring(app, "voices.npz", answers(labels=labels, costs=costs))
    assert not app.error
    assert app.selectbox(key=state.RUN.key).value == "voices"
    assert ("There are no labels" in texts(app)) != labels
    assert app.segmented_control(key=state.COST.key).value == ("own" if costs else "MACs")


def test_it_is_compared_with_a_run_that_has_softmaxes(spoken: Path) -> None:
    app = opened(run="softmaxes", view="compare", compared="a", score="margin")
    assert not app.error
    app = opened(run="a", view="compare", beside="softmaxes")
    assert not app.error
