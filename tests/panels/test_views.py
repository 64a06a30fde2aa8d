"""The views beside the explorer, driven without a browser: samples, classes, and where a run came from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Element

from cascade_core import evaluate, save_run, split_indices
from cascade_core.analysis.points import Setting
from cascade_core.panels.operating import operating_words
from cascade_core.simulation.groups import Groups
from tests.galleries import shown_cards
from tests.opening import PAGE, unopened
from tests.pages import NAMES, expected, view
from tests.samples import sample_run


def html(app: AppTest) -> str:
    return "\n".join(str(element.value) for element in app.get("html") if isinstance(element, Element))


@pytest.mark.parametrize("name", ["samples", "groups", "about"])
def test_every_view_says_what_it_looks_at(folder: Path, name: str) -> None:
    exploration = expected()
    line = operating_words(Setting(exploration=exploration, position=exploration.opening))
    assert any(line in element.value for element in view(name).markdown)
    here = exploration.at(exploration.opening)
    for part in ("Cheapest within a drop", "1.0 points", f"{100 * here.accuracy:.1f} %", f"{100 * here.saving:.0f} %"):
        assert part in line


def test_streamlit_prints_nothing_by_itself(folder: Path) -> None:
    # It would show any text that stands alone in the page's source, such as the docstring of a constant.
    app = unopened().run()
    source = PAGE.read_text(encoding="utf-8")
    assert not [element.value for element in app.main.markdown if element.value in source]


def test_the_line_tells_gains_and_costs_apart() -> None:
    exploration = expected()
    texts = [operating_words(Setting(exploration=exploration, position=position)) for position in range(0, 401, 20)]
    for position, text in zip(range(0, 401, 20), texts, strict=True):
        here = exploration.at(position)
        assert ("points more accurate;" in text) == (round(1000 * here.accuracy_drop) < 0)
        assert ("more computation" in text) == (here.saving < 0)


@pytest.mark.parametrize("name", ["samples", "groups", "about"])
def test_names_from_files_are_not_markup(folder: Path, name: str) -> None:
    app = view(name)
    assert "<b>ant" not in html(app)
    for kind in (app.markdown, app.caption, app.warning, app.info):
        assert not any("ant</b>" in element.value or "**bee**" in element.value for element in kind)
    if name == "samples":
        assert "<b>ant</b>" in [card["label"] for card in shown_cards(app)]


def test_the_table_of_groups_is_that_of_evaluate(folder: Path) -> None:
    exploration = expected()
    table = view("groups").dataframe[0].value
    assert sorted(table["group"]) == sorted(NAMES)
    assert table["accuracy_drop"].is_monotonic_decreasing
    test = exploration.test.take(np.flatnonzero(exploration.test.labels == 3))
    alone = evaluate(test, exploration.path.rule(exploration.opening))
    row = table[table["group"] == NAMES[3]].iloc[0]
    assert (row["samples"], row["accuracy"]) == (alone.n, alone.accuracy)
    assert row["accuracy_drop"] == pytest.approx(100 * alone.accuracy_drop)


def test_a_column_of_groups_is_picked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CASCADE_CACHE", str(tmp_path))
    run = sample_run()
    camera = Groups.named("camera", ["<i>left</i>" if i % 4 else "right" for i in range(400)])
    save_run(replace(run, groups=(camera,)), tmp_path / "grouped.parquet")
    app = unopened()
    app.query_params["view"] = "classes"  # what older links call it
    app.query_params["by"] = "camera"
    app.run()
    assert not app.exception
    table = app.dataframe[0].value
    of = camera.take(split_indices(400, 0.5, 0)[1])
    assert dict(zip(table["group"], table["samples"], strict=True)) == {
        name: len(of.members(number)) for number, name in enumerate(camera.names)
    }
    assert len(app.dataframe) == 1, "classes are not taken for one another where samples are by camera"
    app.selectbox(key="by").select("class").run()
    assert len(app.dataframe[0].value) == 5
    app.selectbox(key="in_every").select("camera").run()
    assert not app.exception
    assert ("in_every", "camera") in app.session_state["address:written"]
    app.selectbox(key="policy").select("certified").run()
    # Of 100 samples a quarter tests: 2 (20^(1/25) - 1) = 0.2546.
    said = "The smallest group has 100 samples, of which about a quarter test: below 25.5 points"
    assert any(said in element.value for element in app.caption)
    app.selectbox(key="policy").select("shared").run()
    assert not [box for box in app.selectbox if box.key == "in_every"], "its limit holds in no group"
    assert any("all groups and at all positions" in element.value for element in app.caption)


def test_many_classes_have_their_mistakes_in_a_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CASCADE_CACHE", str(tmp_path))
    save_run(sample_run(n=2000, k=60), tmp_path / "wide.parquet")
    app = view("groups")
    assert len(app.dataframe[0].value) == 60
    mistakes = app.dataframe[1].value
    assert len(mistakes) == 20
    assert (np.diff(mistakes["samples"]) <= 0).all()
    app.selectbox(key="groups:stage").select_index(1).run()
    assert not app.exception


def test_about_names_the_file_and_what_is_not_understood(folder: Path) -> None:
    app = view("about")
    assert "A sample run." in html(app)
    assert f"{(folder / 'mine.parquet').stat().st_size:,} bytes" in html(app)
    assert any("own" in text.value for text in app.text)
    assert any("arxiv.org/abs/1805.10982" in element.value for element in app.markdown)
    assert "<i>value</i>" in app.json[0].value
    assert app.dataframe[0].value["cumulative_macs"].tolist() == [1070, 3140, 6210]


@pytest.mark.parametrize("name", ["samples", "groups", "about"])
@pytest.mark.parametrize("changes", [{"in_sample": True}, {"answers": "own"}])
def test_other_selections_are_shown_too(folder: Path, name: str, changes: Mapping[str, Any]) -> None:
    app = view(name)
    for key, value in changes.items():
        (app.selectbox if key == "answers" else app.toggle)(key=key).set_value(value).run()
    for policy in app.selectbox(key="policy").options[-3:]:
        app.selectbox(key="policy").select(policy).run()
        assert not app.exception
    app.selectbox(key="score").select("negative_entropy").run()
    assert not app.exception


@pytest.mark.parametrize("name", ["samples", "groups", "about"])
def test_one_stage_is_shown_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv("CASCADE_CACHE", str(tmp_path))
    save_run(sample_run(m=1), tmp_path / "one.parquet")
    view(name)
