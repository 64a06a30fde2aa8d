"""The sidebar's choice of what costs are counted in, which depends on what lies beside a run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from cascade_core import save_run
from cascade_core.analysis.exploration import Exploration, explore
from cascade_core.panels import questions, sidebar, state
from cascade_core.simulation.timing import Profile, profile_path, save_profile
from tests.opening import opened
from tests.samples import sample_run

OUTPUTS = sample_run()


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only run of the cache folder."""
    monkeypatch.setenv("CASCADE_CACHE", str(tmp_path))
    return save_run(OUTPUTS, tmp_path / "mine.parquet")


def profile(*batch_sizes: int) -> Profile:
    times = [[0.001 * batch for batch in batch_sizes]] * 3
    parts: dict[str, Any] = dict.fromkeys(("trunk", "head", "trunk_p95", "head_p95"), times)
    parts |= {key: [0.004 * batch for batch in batch_sizes] for key in ("plain", "plain_p95")}
    names = tuple(stage.name for stage in OUTPUTS.stages)
    machine = {"device": "a test", "repeats": 5}
    return Profile(stage_names=names, batch_sizes=batch_sizes, circumstances=machine, **parts)


def captions(app: AppTest) -> list[str]:
    return [caption.value for caption in app.caption]


def test_without_a_profile_costs_are_in_macs(run: Path) -> None:
    app = opened(cost="milliseconds")
    assert "This run has no profile, so costs are in MACs." in captions(app)
    assert not app.select_slider
    assert app.segmented_control(key=state.COST.key).value == "MACs"


def test_with_a_profile_they_may_be_milliseconds(run: Path) -> None:
    save_profile(profile(1, 4, 16), profile_path(run))
    app = opened(cost="milliseconds", batch="4")
    assert app.select_slider(key=state.BATCH.key).value == 4
    assert "Measured with device a test." in [one.value for one in app.text]
    assert ("batch", "4") in app.session_state[state.WRITTEN.key]
    app.segmented_control(key=state.COST.key).set_value("MACs").run()
    assert not app.exception
    assert not app.select_slider
    assert "batch" not in dict(app.session_state[state.WRITTEN.key])


def test_a_batch_that_was_not_measured_is_the_smallest(run: Path) -> None:
    save_profile(profile(1, 8), profile_path(run))
    assert opened(cost="milliseconds", batch="4").select_slider(key=state.BATCH.key).value == 1


def test_a_profile_that_cannot_be_used_is_named(run: Path) -> None:
    profile_path(run).write_text("{}", encoding="utf-8")
    app = opened(cost="milliseconds")
    assert "The profile beside this run cannot be used:" in captions(app)
    assert any("mine.profile.json" in text.value for text in app.text)


def test_a_run_with_a_profile_keeps_macs_and_one_without_keeps_the_wish_for_milliseconds(run: Path) -> None:
    save_run(OUTPUTS, run.with_name("timed.parquet"))
    save_profile(profile(1, 4), profile_path(run.with_name("timed.parquet")))
    app = opened(run="mine")
    app.selectbox(key=state.RUN.key).select("timed").run()
    assert app.segmented_control(key=state.COST.key).value == "MACs"
    assert "cost" not in dict(app.session_state[state.WRITTEN.key])
    app.segmented_control(key=state.COST.key).set_value("milliseconds").run()
    app.selectbox(key=state.RUN.key).select("mine").run()
    assert app.segmented_control(key=state.COST.key).value == "MACs"
    app.selectbox(key=state.RUN.key).select("timed").run()
    assert app.segmented_control(key=state.COST.key).value == "milliseconds"
    assert not app.exception


def test_likeliest_answers_are_offered_where_there_are_more_classes(run: Path) -> None:
    app = opened()
    classes = OUTPUTS.probs.shape[2]
    assert [int(text.split(":")[0]) for text in app.selectbox(key=state.TOP_K.key).options] == [
        k for k in (1, 2, 3, 5, 10, 20) if k < classes
    ]
    app.selectbox(key=state.TOP_K.key).select(2).run()
    assert not app.exception
    assert ("top_k", "2") in app.session_state[state.WRITTEN.key]
    record = OUTPUTS.record("max_probability", 2)
    assert record.baseline_correct.mean() > OUTPUTS.record().baseline_correct.mean()


def test_many_runs_are_listed_by_kind(run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, source in {
        "birds": {"dataset_name": "Birds"},
        "more-birds": {"dataset_name": "Birds"},
        "talk": {"dataset_name": "Birds", "kind": "Language models"},
    }.items():
        save_run(replace(OUTPUTS, source=source), tmp_path / f"{name}.parquet")
    assert opened(run="talk").selectbox[0].options == ["birds", "mine", "more-birds", "talk"]
    monkeypatch.setattr(sidebar, "FEW", 3)
    app = opened(run="talk")
    kinds = app.selectbox(key=state.RUN_KIND.key)
    assert (kinds.options, kinds.value) == (["Birds", "CIFAR-10", "Language models"], "Language models")
    assert app.selectbox(key=state.RUN.key).options == ["talk"]
    kinds.select("Birds").run()
    assert not app.exception
    listed = app.selectbox(key=state.RUN.key)
    assert (listed.options, listed.value) == (["birds", "more-birds"], "birds")


def test_runs_of_one_kind_are_listed_at_once(run: Path) -> None:
    assert opened().selectbox[0].label == "Run"


def test_certified_drops_may_be_of_those_that_leave(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []

    def noted(*args: Any, **kwargs: Any) -> Exploration:
        asked.append(kwargs["others"])
        return explore(*args, **kwargs)

    monkeypatch.setattr(questions, "explore", noted)
    save_run(sample_run(seed=71), run)  # of which nothing is kept that other tests asked
    assert not [box for box in opened(policy="shared").selectbox if box.key == state.AMONG.key], "it cannot tell"
    app = opened(policy="certified", among="depth")
    app.selectbox(key=state.AMONG.key).select("stage").run()
    assert not app.exception
    assert ("among", "stage") in app.session_state[state.WRITTEN.key]
    # Other policies are explored ahead, whenever there is time.
    assert [one for one in asked if one] == [{"among": "depth"}, {"among": "stage"}]
    app.selectbox(key=state.POLICY.key).select("paper").run()
    assert [one for one in asked if one] == [{"among": "depth"}, {"among": "stage"}]
    app.selectbox(key=state.POLICY.key).select("certified").run()
    assert app.selectbox(key=state.AMONG.key).value == "stage", "the wish is kept"
