"""Another run to judge on, on the page: which are offered, what is said of them, and what a payload of two holds."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cascade_core import CheapestWithinDrop, Stage, StageOutputs, evaluate, save_run, split_indices
from cascade_core.panels import state
from cascade_core.policies.answers import Halves
from cascade_core.rendering.live.data import packed
from cascade_core.rendering.live.elsewhere import beside
from cascade_core.simulation.groups import Groups
from tests.e2e.simulated import payload
from tests.opening import opened
from tests.samples import sample_run


def named(seed: int, **fields: object) -> StageOutputs:
    outputs = sample_run(seed=seed)
    return replace(outputs, sample_ids=np.array([f"{seed}/{i}" for i in range(400)]), **fields)  # type: ignore[arg-type]


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CASCADE_CACHE", str(tmp_path))
    save_run(named(0), tmp_path / "clean.parquet")
    return tmp_path


def test_nothing_is_offered_where_there_is_no_other_run_of_the_cascade(cache: Path) -> None:
    dear = tuple(Stage(name=f"stage {i}", trunk_macs=7, head_macs=1) for i in (1, 2, 3))
    save_run(named(1, stages=dear), cache / "dear.parquet")
    save_run(named(2, class_names=tuple("vwxyz")), cache / "others.parquet")
    app = opened(run="clean")
    assert not app.exception
    assert state.JUDGE_ON.key not in [box.key for box in app.selectbox]


def test_a_link_names_the_run_and_the_page_says_whether_it_looks_alike(cache: Path) -> None:
    save_run(named(1), cache / "month.parquet")
    app = opened(run="clean", judge_on="month")
    assert not app.exception
    box = app.selectbox(key=state.JUDGE_ON.key)
    assert (box.value, box.options) == ("month", ["no other run", "month"])
    assert any(text.value.startswith("month: These samples look like") for text in app.text)
    app.selectbox(key=state.RUN.key).set_value("month").run()
    assert app.selectbox(key=state.JUDGE_ON.key).value == ""
    assert not app.exception


def test_groups_of_the_other_run_are_those_of_its_samples(cache: Path) -> None:
    shop = Groups.named("shop", ["<b>north</b>" if i % 4 else "south" for i in range(400)])
    save_run(named(1, groups=(shop,)), cache / "month.parquet")
    app = opened(run="clean", judge_on="month", view="groups", by="shop")
    own = app.dataframe[0].value
    assert own["samples"].sum() == 200
    assert "group" in own
    samples_of = next(box for box in app.selectbox if box.label == "Samples of")
    samples_of.select("month").run()
    assert not app.exception
    app.selectbox(key=state.BY.key).select("shop").run()
    table = app.dataframe[0].value
    assert dict(zip(table["group"], table["samples"], strict=True)) == {"<b>north</b>": 300, "south": 100}
    clean, month = named(0), named(1)
    calibration, _ = split_indices(400, 0.5, 0)
    rule = CheapestWithinDrop(0.01).choose(
        Halves(outputs=clean, calibration=calibration, test=calibration).divided(CheapestWithinDrop).calibration
    )
    south = month.record(pool=rule.pool).take(np.flatnonzero(np.arange(400) % 4 == 0))
    expected = 100 * evaluate(south, rule).accuracy_drop
    assert table.set_index("group")["accuracy_drop"]["south"] == pytest.approx(expected)


def test_copies_of_all_samples_that_chose_cannot_judge(cache: Path) -> None:
    save_run(named(0), cache / "copy.parquet")
    app = opened(run="clean", judge_on="copy", in_sample="1")
    assert not app.exception
    assert any("all 400 had, by their ids" in text.value for text in app.text)


def test_a_payload_of_two_has_an_id_of_both_and_is_packed_whole() -> None:
    one, two = payload(), {**payload(positions=51, off=1), "name": "month"}
    both = beside(one, two)
    assert both["id"] not in (one["id"], two["id"])
    assert both["id"] != beside(one, {**two, "name": "year"})["id"]
    assert "packed" in packed(both)["elsewhere"]
