"""The view of samples, driven without a browser: which are shown, and their pictures."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import streamlit as st
from PIL import Image

from cascade_core import save_run
from cascade_core.analysis.exploration import Split
from cascade_core.analysis.sample_filter import SampleFilter, pick
from cascade_core.analysis.samples import KINDS, counts, outcomes
from tests.galleries import shown_cards, shown_ids
from tests.pages import OUTPUTS, expected, view


def ids_of(wish: SampleFilter, most: int = 24) -> list[str]:
    """Ids of the first samples that meet a wish."""
    exploration = expected()
    ids = OUTPUTS.sample_ids[Split().test_index(400)].tolist()
    found = outcomes(exploration.test, exploration.path.rule(exploration.opening))
    return [ids[i] for i in pick(found, wish, ids)[:most]]


def test_samples_are_those_of_the_test_half(folder: Path) -> None:
    app = view("samples")
    assert shown_ids(app) == ids_of(SampleFilter())
    calibration = set(OUTPUTS.sample_ids[Split().calibration_index(400)].tolist())
    assert not calibration & set(shown_ids(app))


def test_filters_and_orders_choose_the_cards(folder: Path) -> None:
    app = view("samples")
    app.segmented_control(key="kind").set_value("harmed").run()
    assert shown_ids(app) == ids_of(SampleFilter(kind="harmed"))
    app.segmented_control(key="kind").set_value("all").run()
    app.selectbox(key="order").select("name").run()
    assert shown_ids(app) == ids_of(SampleFilter(order="name"))
    app.selectbox(key="label").select("cat").run()
    assert shown_ids(app) == ids_of(SampleFilter(order="name", label=2))
    app.selectbox(key="left").select("stage 1").run()
    assert shown_ids(app) == ids_of(SampleFilter(order="name", label=2, stage=0))
    app.selectbox(key="answer").select("dog").run()
    assert not app.exception
    assert shown_ids(app) == ids_of(SampleFilter(order="name", label=2, stage=0, answer=3))
    assert app.selectbox(key="left").options == ["any stage", *OUTPUTS.record().stage_names]


def test_it_opens_on_harmed_samples(folder: Path) -> None:
    verdicts = [card["verdict"] for card in shown_cards(view("samples"))]
    harmed = len(ids_of(SampleFilter(kind="harmed")))
    assert harmed
    assert verdicts[:harmed] == ["harmed"] * min(harmed, 24)


def test_the_range_of_confidence_has_open_ends(folder: Path) -> None:
    app = view("samples")
    app.selectbox(key="least_sure").select(0.9).run()
    assert not app.exception
    assert shown_ids(app) == ids_of(SampleFilter(low=0.9))
    assert app.selectbox(key="most_sure").value == np.inf
    assert app.selectbox(key="most_sure").options[-1] == "1"


def test_confidence_may_be_that_of_a_stage(folder: Path) -> None:
    app = view("samples")
    app.selectbox(key="sure_at").select("stage 2").run()
    app.selectbox(key="most_sure").select(0.8).run()
    assert not app.exception
    assert shown_ids(app) == ids_of(SampleFilter(at=1, high=0.8))


def test_where_nothing_is_found_it_says_what_to_change(folder: Path) -> None:
    app = view("samples")
    app.segmented_control(key="kind").set_value("easy").run()
    app.selectbox(key="left").select("stage 3").run()
    assert not shown_cards(app)
    easy, last = (len(ids_of(wish, 400)) for wish in (SampleFilter(kind="easy"), SampleFilter(stage=2)))
    assert easy
    assert f"any kind: {last}; any stage: {easy}." in app.markdown[-1].value
    app.button(key="samples").click().run()
    assert shown_ids(app) == ids_of(SampleFilter())


def test_filters_are_kept_while_another_view_is_looked_at(folder: Path) -> None:
    app = view("samples")
    app.segmented_control(key="kind").set_value("helped").run()
    app.segmented_control(key="view").set_value("about").run()
    app.segmented_control(key="view").set_value("samples").run()
    assert shown_ids(app) == ids_of(SampleFilter(kind="helped"))


def test_kinds_are_counted(folder: Path) -> None:
    exploration = expected()
    many = counts(outcomes(exploration.test, exploration.path.rule(exploration.opening)))
    options = view("samples").segmented_control(key="kind").options
    assert [option.split()[-1] for option in options] == [str(many[kind]) for kind in KINDS]


def test_without_pictures_the_page_says_how_to_show_them(folder: Path) -> None:
    app = view("samples")
    assert not any(card["picture"] for card in shown_cards(app))
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
    assert [card["id"] for card in shown_cards(app) if card["picture"]] == [one]
    assert any("1 of these pictures cannot be read" in caption.value for caption in app.caption)


def test_the_environment_names_folders_and_nothing_can_be_typed(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "pictures" / ids_of(SampleFilter())[0]
    path.parent.mkdir(parents=True)
    Image.new("L", (8, 8)).save(path)
    monkeypatch.setenv("CASCADE_PICTURES", f"{tmp_path}:{tmp_path / 'pictures'}")
    app = view("samples")
    assert sum(card["picture"] is not None for card in shown_cards(app)) == 1
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
    climbing = ("../{}secret.png", "../../etc/{}passwd", f"{tmp_path}/{{}}secret.png", "x{}")
    ids = np.array([way.format("./" * i) for i in range(100) for way in climbing])
    save_run(replace(OUTPUTS, sample_ids=ids), tmp_path / "cache" / "mine.parquet")
    monkeypatch.setenv("CASCADE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("CASCADE_PICTURES", str(tmp_path / "pictures"))
    app = view("samples")
    assert any(one.startswith("../") and one.endswith("secret.png") for one in shown_ids(app))
    assert not any(card["picture"] for card in shown_cards(app))


def test_digits_are_drawn_without_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CASCADE_CACHE", str(tmp_path))
    ids = np.array([f"digits/{i:04d}" for i in range(400)])
    save_run(replace(OUTPUTS, sample_ids=ids, source={"dataset": "digits"}), tmp_path / "digits.parquet")
    app = view("samples")
    assert all(card["picture"]["uri"].startswith("data:image/png;base64,") for card in shown_cards(app))
    assert not app.text_input
