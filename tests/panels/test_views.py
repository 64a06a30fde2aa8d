"""The views beside the explorer, driven without a browser: samples, classes, and where a run came from."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from html import unescape
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import streamlit as st
from PIL import Image
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Element

from cascade_core import CheapestWithinDrop, evaluate, save_run
from cascade_core.analysis.exploration import Exploration, Split, explore, halves
from cascade_core.analysis.points import Setting
from cascade_core.analysis.samples import KINDS, SampleFilter, counts, outcomes, pick
from cascade_core.panels.operating import operating_words
from tests.samples import sample_run

PAGE = Path(__file__).resolve().parents[2] / "dashboard.py"
NAMES = ("<b>ant</b>", "**bee**", "cat", "dog", "eel")
OUTPUTS = replace(
    sample_run(),
    class_names=NAMES,
    sample_ids=np.array([f"{NAMES[2]}/{i:04d}.png" for i in range(400)]),
    source={"title": "A sample run.", "dataset": "imagefolder:test", "own": {"key": "<i>value</i>"}},
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache with one run, and nothing said of pictures."""
    monkeypatch.setenv("CASCADE_CACHE", str(tmp_path))
    monkeypatch.delenv("CASCADE_PICTURES", raising=False)
    save_run(OUTPUTS, tmp_path / "mine.parquet")
    return tmp_path


def view(name: str) -> AppTest:
    app = AppTest.from_file(str(PAGE), default_timeout=30).run()
    app.segmented_control(key="view").set_value(name).run()
    assert not app.exception
    return app


def expected() -> Exploration:
    return explore(halves(OUTPUTS, Split()), CheapestWithinDrop, Split())


def html(app: AppTest) -> str:
    return "\n".join(str(element.value) for element in app.get("html") if isinstance(element, Element))


def shown_ids(app: AppTest) -> list[str]:
    return [unescape(one) for one in re.findall(r'<p class="id">(.*?)</p>', html(app))]


def ids_of(wish: SampleFilter, page: int = 1) -> list[str]:
    exploration = expected()
    ids = OUTPUTS.sample_ids[Split().test_index(400)].tolist()
    found = outcomes(exploration.test, exploration.path.rule(exploration.opening))
    return [ids[i] for i in pick(found, wish, ids)[(page - 1) * 24 : page * 24]]


@pytest.mark.parametrize("name", ["samples", "classes", "about"])
def test_every_view_says_what_it_looks_at(folder: Path, name: str) -> None:
    exploration = expected()
    line = operating_words(Setting(exploration=exploration, position=exploration.opening))
    assert any(line in element.value for element in view(name).markdown)
    here = exploration.at(exploration.opening)
    for part in ("Cheapest within a drop", "1.0 points", f"{100 * here.accuracy:.1f} %", f"{100 * here.saving:.0f} %"):
        assert part in line


def test_streamlit_prints_nothing_by_itself(folder: Path) -> None:
    # It would show any text that stands alone in the page's source, such as the docstring of a constant.
    app = AppTest.from_file(str(PAGE), default_timeout=30).run()
    source = PAGE.read_text(encoding="utf-8")
    assert not [element.value for element in app.main.markdown if element.value in source]


def test_the_line_tells_gains_and_costs_apart() -> None:
    exploration = expected()
    texts = [operating_words(Setting(exploration=exploration, position=position)) for position in range(0, 401, 20)]
    for position, text in zip(range(0, 401, 20), texts, strict=True):
        here = exploration.at(position)
        assert ("points more accurate;" in text) == (round(1000 * here.accuracy_drop) < 0)
        assert ("more computation" in text) == (here.saving < 0)


def test_samples_are_those_of_the_test_half(folder: Path) -> None:
    app = view("samples")
    assert shown_ids(app) == ids_of(SampleFilter())
    calibration = set(OUTPUTS.sample_ids[Split().calibration_index(400)].tolist())
    assert not calibration & set(shown_ids(app))


def test_filters_and_orders_choose_the_cards(folder: Path) -> None:
    app = view("samples")
    app.segmented_control(key="samples:kind").set_value("harmed").run()
    assert shown_ids(app) == ids_of(SampleFilter(kind="harmed"))
    app.segmented_control(key="samples:kind").set_value("all").run()
    app.selectbox(key="samples:order").select("name").run()
    assert shown_ids(app) == ids_of(SampleFilter(order="name"))
    label, stage = (one for one in app.selectbox if one.label in ("True class", "Left at"))
    label.select_index(3).run()
    assert shown_ids(app) == ids_of(SampleFilter(order="name", label=2))
    next(one for one in app.selectbox if one.label == "Left at").select_index(1).run()
    assert not app.exception
    assert shown_ids(app) == ids_of(SampleFilter(order="name", label=2, stage=0))
    assert stage.options[1:] == list(OUTPUTS.record().stage_names)


def test_the_range_of_confidence_has_open_ends(folder: Path) -> None:
    app = view("samples")
    slider = app.select_slider[0]
    slider.set_range(0.9, 1.0).run()
    assert not app.exception
    assert shown_ids(app) == ids_of(SampleFilter(low=0.9))


def test_kinds_are_counted(folder: Path) -> None:
    exploration = expected()
    many = counts(outcomes(exploration.test, exploration.path.rule(exploration.opening)))
    options = view("samples").segmented_control(key="samples:kind").options
    assert [option.split()[-1] for option in options] == [str(many[kind]) for kind in KINDS]


def test_without_pictures_the_page_says_how_to_show_them(folder: Path) -> None:
    app = view("samples")
    assert "<img" not in html(app)
    assert "CASCADE_PICTURES" in (app.text_input(key="samples:folder").help or "")
    assert any("shown once the field above, or `CASCADE_PICTURES`" in caption.value for caption in app.caption)
    assert any("A sample of this run is called 'cat/" in text.value for text in app.text)


def test_nothing_can_be_typed_where_others_listen(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = st.get_option
    monkeypatch.setattr(st, "get_option", lambda name: "0.0.0.0" if name == "server.address" else own(name))
    app = view("samples")
    assert not app.text_input
    assert any("shown once `CASCADE_PICTURES` names" in caption.value for caption in app.caption)
    monkeypatch.setattr(st, "get_option", own)
    monkeypatch.setenv("CASCADE_PICTURES", "")
    assert not app.run().text_input


def test_pictures_of_a_typed_folder_are_shown(folder: Path, tmp_path: Path) -> None:
    one = ids_of(SampleFilter())[0]
    path = tmp_path / "pictures" / one
    path.parent.mkdir(parents=True)
    Image.new("RGB", (32, 32), (0, 100, 200)).save(path)
    (tmp_path / "pictures" / ids_of(SampleFilter())[1]).write_bytes(b"no picture")
    app = view("samples")
    app.text_input(key="samples:folder").set_value(str(tmp_path / "pictures")).run()
    assert re.findall(r'<img class="crisp" src="data:image/png;base64,[^"]+" alt="([^"]*)"', html(app)) == [one]
    assert any("1 of these pictures cannot be read" in caption.value for caption in app.caption)


def test_the_environment_names_folders_and_nothing_can_be_typed(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "pictures" / ids_of(SampleFilter())[0]
    path.parent.mkdir(parents=True)
    Image.new("L", (8, 8)).save(path)
    monkeypatch.setenv("CASCADE_PICTURES", f"{tmp_path}:{tmp_path / 'pictures'}")
    app = view("samples")
    assert html(app).count("<img") == 1
    assert not app.text_input
    monkeypatch.setenv("CASCADE_PICTURES", str(tmp_path / "nowhere"))
    app.run()
    assert "There is no such folder." in [warning.value for warning in app.warning]


def test_a_folder_without_these_samples_is_told(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CASCADE_PICTURES", str(tmp_path))
    app = view("samples")
    assert any("None of these samples" in warning.value for warning in app.warning)
    assert any(ids_of(SampleFilter())[0] in text.value for text in app.text)


def test_ids_that_climb_show_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Image.new("RGB", (8, 8)).save(tmp_path / "secret.png")
    (tmp_path / "cache").mkdir()
    (tmp_path / "pictures").mkdir()
    ids = np.array(["../secret.png", "../../etc/passwd", str(tmp_path / "secret.png")] * 100 + ["x"] * 100)
    save_run(replace(OUTPUTS, sample_ids=ids), tmp_path / "cache" / "mine.parquet")
    monkeypatch.setenv("CASCADE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("CASCADE_PICTURES", str(tmp_path / "pictures"))
    app = view("samples")
    assert "../secret.png" in shown_ids(app)
    assert "<img" not in html(app)


def test_digits_are_drawn_without_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CASCADE_CACHE", str(tmp_path))
    ids = np.array([f"digits/{i:04d}" for i in range(400)])
    save_run(replace(OUTPUTS, sample_ids=ids, source={"dataset": "digits"}), tmp_path / "digits.parquet")
    app = view("samples")
    assert html(app).count("<img") == 24
    assert not app.text_input


@pytest.mark.parametrize("name", ["samples", "classes", "about"])
def test_names_from_files_are_not_markup(folder: Path, name: str) -> None:
    app = view(name)
    assert "<b>ant" not in html(app)
    for kind in (app.markdown, app.caption, app.warning, app.info):
        assert not any("ant</b>" in element.value or "**bee**" in element.value for element in kind)
    if name == "samples":
        assert "&lt;b&gt;ant" in html(app)


def test_the_table_of_classes_is_that_of_evaluate(folder: Path) -> None:
    exploration = expected()
    table = view("classes").dataframe[0].value
    assert table["class"].tolist() == list(NAMES)
    test = exploration.test.take(np.flatnonzero(exploration.test.labels == 3))
    alone = evaluate(test, exploration.path.rule(exploration.opening))
    assert table["samples"].iloc[3] == alone.n
    assert table["accuracy"].iloc[3] == alone.accuracy
    assert table["accuracy_drop"].iloc[3] == pytest.approx(100 * alone.accuracy_drop)


def test_many_classes_have_their_mistakes_in_a_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CASCADE_CACHE", str(tmp_path))
    save_run(sample_run(n=2000, k=60), tmp_path / "wide.parquet")
    app = view("classes")
    assert len(app.dataframe[0].value) == 60
    mistakes = app.dataframe[1].value
    assert len(mistakes) == 20
    assert (np.diff(mistakes["samples"]) <= 0).all()
    app.selectbox(key="classes:stage").select_index(1).run()
    assert not app.exception


def test_about_names_the_file_and_what_is_not_understood(folder: Path) -> None:
    app = view("about")
    assert "A sample run." in html(app)
    assert f"{(folder / 'mine.parquet').stat().st_size:,} bytes" in html(app)
    assert any("own" in text.value for text in app.text)
    assert any("arxiv.org/abs/1805.10982" in element.value for element in app.markdown)
    assert "<i>value</i>" in app.json[0].value
    assert app.dataframe[0].value["cumulative_macs"].tolist() == [1070, 3140, 6210]


@pytest.mark.parametrize("name", ["samples", "classes", "about"])
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


@pytest.mark.parametrize("name", ["samples", "classes", "about"])
def test_one_stage_is_shown_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv("CASCADE_CACHE", str(tmp_path))
    save_run(sample_run(m=1), tmp_path / "one.parquet")
    view(name)
