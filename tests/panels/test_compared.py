"""Which runs are compared at first, and what stays chosen."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from cascade_core import save_run
from tests.opening import unopened
from tests.samples import sample_run


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    """Two runs over the same samples, one over others of the same number of classes, and one over fewer."""
    monkeypatch.setenv("CASCADE_CACHE", str(tmp_path))
    ours = sample_run()
    save_run(ours, tmp_path / "net-mine.parquet")
    save_run(sample_run(seed=1), tmp_path / "net-other.parquet")
    save_run(replace(ours, source={"title": "SVHN, another."}), tmp_path / "net-svhn.parquet")
    save_run(sample_run(n=300), tmp_path / "net-fewer.parquet")
    started = unopened()
    started.query_params["run"] = "net-mine"
    return view(started.run(), "compare")


def view(app: AppTest, name: str) -> AppTest:
    app.segmented_control(key="view").set_value(name).run()
    assert not app.exception
    return app


def chosen(app: AppTest, label: str) -> Any:
    return next(one for one in app.multiselect if one.label == label)


def at_one_drop(app: AppTest) -> list[str]:
    return app.dataframe[0].value["run"].tolist()


def test_it_opens_with_all_runs_over_the_same_data(app: AppTest) -> None:
    assert chosen(app, "Runs").value == ["net-mine", "net-other"]
    assert chosen(app, "Policies").value == ["cheapest"]
    assert sorted(at_one_drop(app)) == ["net-mine", "net-other"]
    assert app.dataframe[0].value["saving"].is_monotonic_decreasing


def test_a_choice_outlives_other_views(app: AppTest) -> None:
    chosen(app, "Runs").set_value(["net-mine", "net-fewer"]).run()
    chosen(app, "Policies").set_value(["shared", "paper"]).run()
    view(view(app, "about"), "compare")
    assert chosen(app, "Runs").value == ["net-mine", "net-fewer"]
    assert chosen(app, "Policies").value == ["shared", "paper"]
    assert len(at_one_drop(app)) == 4


def test_a_run_that_was_not_chosen_opens_with_its_own_data(app: AppTest) -> None:
    chosen(app, "Runs").set_value(["net-mine"]).run()
    app.selectbox(key="run").select("net-svhn").run()
    assert chosen(app, "Runs").value == ["net-svhn"]
    app.selectbox(key="policy").select("paper").run()
    assert chosen(app, "Policies").value == ["paper"]


def test_nothing_chosen_asks_for_something(app: AppTest) -> None:
    chosen(app, "Policies").set_value([]).run()
    assert chosen(app, "Policies").value == []
    assert any("Choose a run" in info.value for info in app.info)


def test_the_spread_remembers_itself(app: AppTest) -> None:
    app.selectbox(key="answers").select("own").run()
    chosen(app, "Runs").set_value(["net-fewer"]).run()
    chosen(app, "Policies").set_value(["shared"]).run()
    app.toggle(key="compare:spread").set_value(True).run()
    assert not app.exception
    view(view(app, "about"), "compare")
    assert app.toggle(key="compare:spread").value
    app.toggle(key="in_sample").set_value(True).run()
    assert not app.exception
    assert app.toggle(key="compare:spread").disabled
