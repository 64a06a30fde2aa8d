"""The view that runs the network, without a browser: what it picks, what it says, and what it needs."""

from __future__ import annotations

import io
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image
from streamlit.testing.v1 import AppTest

from cascade_core import CheapestWithinDrop, save_run
from cascade_core.analysis.exploration import Exploration, Split, explore, halves
from cascade_core.nets.networks.named import find
from cascade_core.nets.recording.runs import precompute_run
from cascade_core.rendering.axes import confidence_axis
from cascade_core.rendering.live.data import live_data, words
from cascade_core.simulation.outputs import StageOutputs
from cascade_core.storage.origin import Origin
from tests.opening import unopened
from tests.runfiles import load_softmaxes
from tests.samples import sample_run

ROOT = Path(__file__).resolve().parents[3]
PAGE = ROOT / "dashboard.py"
SHIPPED = ROOT / "cache"


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CASCADE_CACHE", str(tmp_path))
    monkeypatch.delenv("CASCADE_WEIGHTS", raising=False)
    monkeypatch.delenv("CASCADE_PICTURES", raising=False)
    return tmp_path


@pytest.fixture
def digits(cache: Path) -> Path:
    for name in ("digits.parquet", "digits.safetensors"):
        shutil.copy(SHIPPED / name, cache)
    return cache / "digits.parquet"


def opened() -> AppTest:
    app = unopened().run()
    app.segmented_control(key="view").set_value("try").run()
    assert not app.exception
    return app


def exits(run: StageOutputs, swept: Exploration, position: int) -> NDArray[np.int64]:
    """(N,) stages at which a rule lets all samples of the run leave."""
    rule = swept.path.rule(position)
    return rule.exit_stages(run.record(pool=rule.pool))


def said(app: AppTest) -> str:
    """All that is told, with the cards' text."""
    kinds = (app.text, app.warning, app.error, app.info, app.caption, app.html, app.code)
    whole = "\n".join(str(element.value) for kind in kinds for element in kind)
    return re.sub(r"<[^>]+>", " ", whole).replace("&nbsp;", " ")


def test_a_sample_leaves_where_the_simulation_has_it(digits: Path) -> None:
    run, app = load_softmaxes(digits), opened()
    swept = explore(halves(run, Split()), CheapestWithinDrop, Split())
    leaving = exits(run, swept, swept.opening)
    key = "sample"
    assert app.selectbox(key=key).options == run.sample_ids.tolist()
    for stage in range(3):
        i = int(np.flatnonzero(leaving == stage)[0])
        app.selectbox(key=key).select(str(run.sample_ids[i])).run()
        words = said(app)
        assert f"Left at stage {stage + 1} of 3" in words
        assert f"The true class is {run.labels[i]}:" in words
        assert "agree to within 0.0001, and by them it leaves at the same stage" in words
        assert ("The thresholds were chosen on it" in words) == (i in Split().calibration_index(900))


def test_a_random_one_of_those_that_leave_last(digits: Path) -> None:
    app = opened()
    start = next(box for box in app.selectbox if str(box.key).startswith("try:from"))
    start.select(2).run()
    app.button(key="try:random").click().run()
    assert not app.exception
    assert "Left at stage 3 of 3, which always answers" in said(app)


def test_stages_beyond_are_shown_as_such_or_not_at_all(digits: Path) -> None:
    app = opened()
    assert "would have said:" in said(app)
    app.toggle(key="try:beyond").set_value(False).run()
    assert "would have said" not in said(app)
    assert "not asked" in said(app)


def test_the_rule_is_that_of_the_released_position(digits: Path) -> None:
    run = load_softmaxes(digits)
    swept = explore(halves(run, Split()), CheapestWithinDrop, Split())
    data = live_data(
        swept,
        confidence_axis("max_probability", 10),
        initial=swept.opening,
        name="digits",
        **words(Origin.of(run.source), "digits"),
    )
    last = len(swept.path) - 1
    before, after = (exits(run, swept, position) for position in (swept.opening, last))
    i = int(np.flatnonzero(before != after)[0])
    app = opened()
    key = "sample"
    app.selectbox(key=key).select(str(run.sample_ids[i])).run()
    assert f"Left at stage {before[i] + 1} of 3" in said(app)
    app.session_state["live:released"] = {"id": data["id"], "index": last}
    app.run()
    assert f"Left at stage {after[i] + 1} of 3" in said(app)


@pytest.mark.parametrize("answers", ["own", "pooled"])
def test_every_policy_and_score_can_be_tried(digits: Path, answers: str) -> None:
    app = opened()
    app.selectbox(key="answers").set_value(answers).run()
    for key in ("policy", "score"):
        for name in app.selectbox(key=key).options:
            app.selectbox(key=key).select(name).run()
            assert not app.exception
            words = said(app)
            assert "Left at stage" in words
            assert "at the same stage" in words
    assert "negative entropy" in said(app)
    assert ("pooled; by itself" in said(app)) == (answers == "pooled")


def upload(app: AppTest, name: str, content: bytes) -> AppTest:
    app.segmented_control(key="try:kind").set_value("upload").run()
    app.file_uploader(key="try:upload").upload(name, content).run()
    assert not app.exception
    return app


def test_an_uploaded_picture_is_tried(digits: Path) -> None:
    stream = io.BytesIO()
    Image.new("CMYK", (40, 30)).save(stream, format="JPEG")
    app = upload(opened(), "mine.jpg", stream.getvalue())
    assert "Left at stage" in said(app)
    assert "as the network is given it" in said(app)
    assert "The true class" not in said(app)


def test_a_broken_upload_is_one_message(digits: Path) -> None:
    app = upload(opened(), "mine.png", b"\x89PNG\r\n\x1a\n, and no more")
    assert "This file was not tried." in said(app)
    assert "Expected an image in the file but it cannot be read" in said(app)
    assert "Left at stage" not in said(app)


def test_missing_files_are_named_with_what_to_do(cache: Path) -> None:
    shutil.copy(SHIPPED / "cifar10-resnet20-resnet56.parquet", cache)
    words = said(opened())
    assert "weights resnet20-12fca82f.th (SHA-256 12fca82f0beb...)" in words
    assert "weights resnet56-4bfd9763.th (SHA-256 4bfd97631478...)" in words
    assert "CASCADE_WEIGHTS=" in words


def test_an_imported_run_says_why_it_cannot_be_tried(cache: Path) -> None:
    save_run(sample_run(), cache / "mine.parquet")
    assert "This run does not say which networks gave its softmaxes" in said(opened())


def test_samples_without_pictures_and_unknown_ids(cache: Path, monkeypatch: pytest.MonkeyPatch, weights: Path) -> None:
    shutil.copy(SHIPPED / "cifar10-resnet20-resnet56.parquet", cache)
    monkeypatch.setenv("CASCADE_WEIGHTS", str(weights))
    app = opened()
    assert "CASCADE_PICTURES=" in said(app)
    assert "airplane/aeroplane_s_000002.png" in said(app)
    field = app.text_input(key="sample")
    field.set_value("../../etc/passwd").run()
    assert "The run has no sample of this id" in said(app)


@pytest.mark.parametrize(("view", "loaded"), [("explore", False), ("try", True)])
def test_torch_is_loaded_by_this_view_alone(digits: Path, view: str, loaded: bool) -> None:
    code = (
        "import sys; from streamlit.testing.v1 import AppTest;"
        f"app = AppTest.from_file({str(PAGE)!r}, default_timeout=120).run();"
        f"app.segmented_control(key='view').set_value({view!r}).run();"
        "assert not app.exception; print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split()[-1] == str(loaded)


def test_pictures_are_found_in_each_of_several_folders(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for i in range(8):
        file = tmp_path / "first" / ("cat", "dog")[i % 2] / f"{i}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (8, 8), 20 * i).save(file)
    for seed in range(2):
        torch.manual_seed(seed)
        torch.save(find("small-cnn").build(2).state_dict(), cache / f"{seed}.pt")
    networks = [f"small-cnn={cache / '0.pt'}", f"small-cnn={cache / '1.pt'}"]
    data = f"imagefolder:{tmp_path / 'first'}"
    precompute_run(networks, data=data, out=cache / "mine.parquet", progress=False)
    (tmp_path / "second" / "dog").mkdir(parents=True)
    shutil.move(tmp_path / "first" / "dog" / "7.png", tmp_path / "second" / "dog")
    folders = [str(tmp_path / name) for name in ("nowhere", "first", "second")]
    monkeypatch.setenv("CASCADE_PICTURES", os.pathsep.join(folders))
    app = opened()
    key = "sample"
    for sample_id in ("cat/0.png", "dog/7.png"):
        app.selectbox(key=key).select(sample_id).run()
        assert "Left at stage" in said(app)
    (tmp_path / "second" / "dog" / "7.png").unlink()
    app.run()
    assert f"Expected a folder of pictures at '{tmp_path / 'nowhere'}' but there is none" in said(app)
