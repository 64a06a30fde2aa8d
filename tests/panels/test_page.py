"""The page, driven without a browser: what it shows, what it says when files are missing or broken.

The live panel and plotly charts are unknown to the test driver; the browser tests look at those.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from cascade_core import CheapestWithinDrop, choose, evaluate, load_record, save_run
from cascade_core.analysis.exploration import Split, explore, halves
from cascade_core.panels import state
from cascade_core.panels.views import VIEWS
from cascade_core.simulation.outputs import StageOutputs
from cascade_core.storage.choice import choice_json
from cascade_core.storage.reading import digest
from tests.opening import unopened
from tests.samples import sample_run

PAGE = Path(__file__).resolve().parents[2] / "dashboard.py"


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CASCADE_CACHE", str(tmp_path))
    return tmp_path


def page() -> AppTest:
    app = unopened().run()
    assert not app.exception
    return app


def heading(app: AppTest) -> str:
    """The line above the view, without the style sheet before it."""
    bodies: list[str] = [element.proto.body for element in app.get("html")]
    return next(line for body in bodies for line in re.findall(r'<p class="cascade-heading">.*?</p>', body, re.DOTALL))


def texts(app: AppTest) -> str:
    return "\n".join(str(element.value) for kind in (app.text, app.warning, app.error, app.info) for element in kind)


def test_shows_the_thresholds_of_a_run(cache: Path) -> None:
    save_run(sample_run(), cache / "mine.parquet")
    app = page()
    assert app.selectbox(key="run").value == "mine"
    table = app.dataframe[0].value
    assert table["stage"].tolist() == ["stage 1", "stage 2", "stage 3"]
    assert table["threshold"].iloc[2] == -np.inf
    assert table["samples"].sum() == 200


def test_every_policy_and_score_shows_something(cache: Path) -> None:
    save_run(sample_run(), cache / "mine.parquet")
    app = page()
    for policy in app.selectbox(key="policy").options:
        app.selectbox(key="policy").select(policy).run()
        assert not app.exception
    for score in app.selectbox(key="score").options:
        app.selectbox(key="score").select(score).run()
        assert not app.exception
    assert app.dataframe[0].value["samples"].sum() == 200


def test_another_seed_measures_on_other_samples(cache: Path) -> None:
    save_run(sample_run(), cache / "mine.parquet")
    app = page()
    before = app.dataframe[0].value
    app.number_input(key="seed").set_value(5).run()
    assert not before.equals(app.dataframe[0].value)


def test_in_sample_is_measured_on_all(cache: Path) -> None:
    save_run(sample_run(), cache / "mine.parquet")
    app = page()
    assert "in-sample" not in heading(app)
    app.toggle(key="in_sample").set_value(True).run()
    assert app.dataframe[0].value["samples"].sum() == 400
    assert "(400 samples)" in heading(app)
    badge = '<span class="cascade-badge">in-sample</span>'
    assert badge not in heading(app), "the live panel has it beside its numbers"
    app.segmented_control(key="view").set_value("groups").run()
    assert badge in heading(app)


@pytest.mark.parametrize("view", list(VIEWS))
def test_every_view_says_what_it_is_of(cache: Path, view: str) -> None:
    source = {"networks": [{"name": "<i>net</i>"}], "dataset_name": "CIFAR-10"}
    save_run(replace(sample_run(), source=source), cache / "mine.parquet")
    app = unopened()
    app.query_params["view"] = view
    line = heading(app.run())
    assert "&lt;i&gt;net&lt;/i&gt; with 2 exits on CIFAR-10 (200 test samples); plain network" in line


def test_empty_cache_says_what_to_do(cache: Path) -> None:
    app = page()
    assert app.title[0].value == "No runs yet"
    (build,) = [block.value for block in app.code if "python -m cascade_core build" in block.value]
    assert build.endswith(f"--out {cache / 'digits.parquet'}")


def test_a_missing_cache_folder_is_an_empty_one(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CASCADE_CACHE", str(cache / "nowhere"))
    assert page().title[0].value == "No runs yet"


def test_a_broken_file_is_named_and_the_others_work(cache: Path) -> None:
    save_run(sample_run(), cache / "good.parquet")
    (cache / "broken.parquet").write_bytes(b"not parquet at all")
    app = page()
    assert "broken.parquet" in texts(app)
    assert app.selectbox(key="run").options == ["good"]
    assert app.dataframe[0].value["samples"].sum() == 200


def test_a_file_cut_short_behind_its_header_is_reported_when_opened(cache: Path) -> None:
    save_run(sample_run(), cache / "a.parquet")
    save_run(sample_run(seed=1), cache / "b.parquet")
    whole = (cache / "a.parquet").read_bytes()
    # The footer stays, so that the listing takes the file for good; its columns are zeros.
    (cache / "a.parquet").write_bytes(whole[:4] + bytes(len(whole) - 20000 - 4) + whole[-20000:])
    app = page()
    assert not app.exception
    assert "Cannot read" in texts(app) or "cannot be shown" in texts(app)
    app.selectbox(key="run").select("b").run()
    assert app.dataframe[0].value["samples"].sum() == 200


def test_one_stage_says_that_there_is_nothing_to_choose(cache: Path) -> None:
    save_run(sample_run(m=1), cache / "one.parquet")
    app = page()
    assert "This run has one stage" in texts(app)


def test_many_stages_are_shown(cache: Path) -> None:
    save_run(sample_run(m=7), cache / "seven.parquet")
    table = page().dataframe[0].value
    assert len(table) == 7
    assert table["samples"].sum() == 200


def test_a_replaced_file_is_noticed(cache: Path) -> None:
    save_run(sample_run(), cache / "mine.parquet")
    app = page()
    before = app.dataframe[0].value
    save_run(sample_run(n=500, seed=9), cache / "mine.parquet")
    app.run()
    assert app.dataframe[0].value["samples"].sum() == 250
    assert not before.equals(app.dataframe[0].value)


def test_names_from_files_are_not_markup(cache: Path) -> None:
    outputs = sample_run(names=["<b>bold</b>", "**stars**", "$x$"])
    save_run(outputs, cache / "mine.parquet")
    assert page().dataframe[0].value["stage"].tolist() == ["<b>bold</b>", "**stars**", "$x$"]


@pytest.mark.parametrize("answers", ["auto", "pooled", "own"])
def test_answers_are_those_that_are_selected(cache: Path, answers: str) -> None:
    outputs = sample_run(1000)
    save_run(outputs, cache / "mine.parquet")
    expected = explore(halves(outputs, Split()), CheapestWithinDrop, Split(), answers=answers)
    app = page()
    app.selectbox(key="answers").set_value(answers).run()
    assert not app.exception
    table = app.dataframe[0].value
    position = app.session_state[state.PLACE.key].now.index  # the place is kept
    assert table["samples"].tolist() == expected.at(position).exit_counts.tolist()
    assert expected.answers_words in [caption.value for caption in app.caption]


def test_a_chosen_json_is_loaded_back(cache: Path) -> None:
    path = save_run(sample_run(), cache / "mine.parquet")
    calibration, test = load_record(path).split(0.5, 0)
    rule = choose(calibration, CheapestWithinDrop(0.01))
    evaluation = evaluate(test, rule)
    app = page()
    app.file_uploader(key="choice").upload("choice.json", choice_json(rule, evaluation).encode()).run()
    assert f"accuracy {100 * evaluation.accuracy:.2f} %" in app.info[0].value
    assert f"{100 * evaluation.saving:.1f} % of the computation saved" in app.info[0].value


def test_a_loaded_choice_moves_the_slider_and_a_changed_one_is_told(cache: Path) -> None:
    path = save_run(sample_run(), cache / "mine.parquet")
    explored = explore(halves(sample_run(), Split()), CheapestWithinDrop, Split())
    rule, run = explored.path.rule(390), {"name": "mine", "sha256": digest(path)}
    text = choice_json(rule, explored.at(390), run=run, split=Split().describe())
    app = page()
    before = app.dataframe[0].value["samples"].tolist()
    app.file_uploader(key="choice").upload("choice.json", text.encode()).run()
    assert "as the file says" in app.success[0].value
    assert any("The slider above went to the position" in caption.value for caption in app.caption)
    after = app.dataframe[0].value
    assert before != after["samples"].tolist() == explored.at(390).exit_counts.tolist()
    # Other thresholds than were measured: set by hand, and told apart.
    data = json.loads(text)
    data["rule"]["thresholds"][0]["threshold"] = 0.25
    app.file_uploader(key="choice").clear().run()
    app.file_uploader(key="choice").upload("edited.json", json.dumps(data).encode()).run()
    assert not app.success
    assert "The file does not agree with itself" in app.warning[0].value
    assert any("set by hand in the panel above" in caption.value for caption in app.caption)
    assert app.dataframe[0].value["threshold"].iloc[0] == 0.25


@pytest.mark.parametrize(
    ("seed", "words"), [(0, "never saw these samples"), (1, "In-sample: the thresholds were chosen with another split")]
)
def test_a_loaded_choice_says_whether_it_saw_these_samples(seed: int, words: str, cache: Path) -> None:
    path = save_run(sample_run(), cache / "mine.parquet")
    split = Split(seed=seed)
    calibration, test = split.apply(load_record(path))
    rule = choose(calibration, CheapestWithinDrop(0.01))
    run = {"name": "mine", "sha256": digest(path)}
    text = choice_json(rule, evaluate(test, rule), run=run, split=split.describe())
    app = page()
    app.file_uploader(key="choice").upload("choice.json", text.encode()).run()
    assert any(words in box.value for box in [*app.success, *app.info])


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"[" * 50_000, "nested too deeply"), (b"{}", "schema_version"), (b"PK\x03\x04", "expected JSON")],
)
def test_a_malformed_json_is_one_message(content: bytes, words: str, cache: Path) -> None:
    save_run(sample_run(), cache / "mine.parquet")
    app = page()
    app.file_uploader(key="choice").upload("choice.json", content).run()
    assert not app.exception
    assert "This file was not loaded." in texts(app)
    assert words in texts(app)


def test_the_page_loads_no_torch(cache: Path) -> None:
    save_run(sample_run(), cache / "mine.parquet")
    code = (
        "import sys; from streamlit.testing.v1 import AppTest;"
        f"app = AppTest.from_file({str(PAGE)!r}, default_timeout=120).run();"
        "assert not app.exception; sys.exit('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-500:]


def test_a_large_number_of_classes_is_fine(cache: Path) -> None:
    run = sample_run(n=60, k=200)
    assert isinstance(run, StageOutputs)
    assert np.isfinite(run.probs).all()
    save_run(run, cache / "wide.parquet")
    assert page().dataframe[0].value["samples"].sum() == 30
