"""The view of a choice at work, driven without a browser: what it says of a log, and that it reads nothing twice."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from cascade_core.analysis.points import Setting
from cascade_core.panels import state
from cascade_core.rendering.report import chosen_json
from cascade_core.storage import log_files
from cascade_core.storage.choice import parse_choice
from cascade_core.storage.exit_logs import Entries, parse
from tests.logged import lines_of
from tests.opening import unopened
from tests.pages import OUTPUTS, expected


@pytest.fixture
def lines() -> list[str]:
    """What the thresholds that the page opens on would log of its test samples, drawn 600 times; all audited."""
    exploration = expected()
    setting = Setting(exploration=exploration, position=exploration.opening)
    choice = parse_choice(chosen_json(setting, {"name": "mine", "sha256": "0" * 64}).encode())
    drawn = np.random.default_rng(0).integers(0, exploration.test.n, 600)
    return lines_of(exploration.test, choice, drawn, audited=True)


@pytest.fixture
def log(tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A log that the environment names, still empty."""
    path = tmp_path / "exits.jsonl"
    path.touch()
    monkeypatch.setenv(log_files.LOGS, str(path))
    return path


def opened() -> AppTest:
    app = unopened()
    app.query_params["view"] = "watch"
    app.run()
    assert not app.exception
    return app


def said(app: AppTest) -> str:
    blocks = [*app.success, *app.error, *app.info, *app.warning, *app.markdown, *app.caption, *app.text]
    return "\n".join(str(block.value) for block in blocks)


def metrics(app: AppTest) -> dict[str, str]:
    return {one.label: one.value for one in app.metric}


def test_without_a_log_it_says_how_to_write_one(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(log_files.LOGS, raising=False)
    assert "--log exits.jsonl --audit 2%" in said(opened())


def test_it_tells_what_the_log_says_and_reads_only_what_is_new(
    log: Path, lines: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    app = opened()
    assert "No sample of these stages has left yet" in said(app)
    log.write_text("".join(lines[:400]))
    app.run()
    assert metrics(app)["Samples"] == "400"
    assert "No alarm" in said(app)
    assert metrics(app)["Milliseconds each"] == "0.25"

    read: list[int] = []

    def counting(raw: bytes, stages: Sequence[str]) -> tuple[Entries, Counter[str]]:
        read.append(raw.count(b"\n"))
        return parse(raw, stages)

    monkeypatch.setattr(log_files, "parse", counting)
    app.run()
    assert sum(read) <= 1  # the first line, by which the file is known
    with log.open("a") as stream:
        stream.write("".join(lines[400:]))
    read.clear()
    app.run()
    assert metrics(app)["Samples"] == "600"
    assert sum(read) <= 201
    assert not app.exception


def test_lines_of_other_thresholds_and_a_log_cut_shorter_are_said(log: Path, lines: list[str]) -> None:
    names = OUTPUTS.record().stage_names
    wrong = json.dumps({"time": 1, "stage": names[0], "confidence": [0.0], "answer": 0}) + "\n"
    log.write_text("".join(lines) + wrong * 3)
    app = opened()
    assert "This log was written under other thresholds" in said(app)
    log.write_text(lines[0])
    app.run()
    assert "cut shorter" in said(app)
    app.button(key="watch:anew").click().run()
    assert metrics(app)["Samples"] == "1"


def test_thresholds_are_chosen_anew_and_stand_beside_the_old(log: Path, lines: list[str]) -> None:
    log.write_text("".join(lines))
    app = opened()
    app.number_input(key=state.WATCH_LIMIT.key).set_value(5.0).run()
    assert "With at most 5.00 points answered otherwise" in said(app)
    app.button(key="watch:rechoose").click().run()
    assert not app.exception
    assert "Chosen anew on audited samples" in said(app)
    assert app.dataframe[-1].value["share new"].sum() == pytest.approx(1)
    assert '-  "baseline_macs"' not in app.code[-1].value
    assert '+      "max_drop": 0.05' in app.code[-1].value
