"""Scripts that are exported do what the simulation said, and hold nothing of a file as code."""

from __future__ import annotations

import ast
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cascade_core import SharedThreshold, choose, evaluate, load_run, save_choice
from cascade_core.storage.snippets import snippet
from tests.installing import Installer
from tests.samples import sample_run

ROOT = Path(__file__).resolve().parents[2]


def test_softmaxes_leave_as_simulated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    outputs = sample_run()
    record = outputs.record("margin", 1, [0.7, 1.3, 1.0])
    rule = choose(record, SharedThreshold(0.6))
    save_choice(tmp_path / "mine.json", rule, evaluate(record, rule))
    monkeypatch.chdir(tmp_path)
    script: dict[str, object] = {}
    exec(snippet("mine.json", "mine", {}, outputs.class_names, record.stage_names), script)
    leave = script["leave"]
    assert callable(leave)
    wanted = rule.exit_stages(record)
    left = np.arange(record.n)
    for stage in range(3):
        answers, gone = leave(outputs.probs[stage, left], stage)
        assert left[gone].tolist() == np.flatnonzero(wanted == stage).tolist()
        assert answers.tolist() == record.predictions[stage, left].tolist()
        left = left[~gone]
    assert not len(left)


def test_pictures_are_classified_by_the_run_s_network(installer: Installer, tmp_path: Path) -> None:
    run = load_run(ROOT / "cache" / "digits.parquet")
    record = run.record()
    rule = choose(record, SharedThreshold(0.9))
    save_choice(tmp_path / "digits.json", rule, evaluate(record, rule))
    shutil.copy(ROOT / "cache" / "digits.safetensors", tmp_path)
    (tmp_path / "pictures").mkdir()
    Image.fromarray(np.full((8, 8), 9, np.uint8)).save(tmp_path / "pictures" / "one.png")
    (tmp_path / "pictures" / "two.png").write_bytes(b"no picture")
    (tmp_path / "run.py").write_text(
        snippet("digits.json", "digits", run.source, run.class_names, record.stage_names), encoding="utf-8"
    )
    done = installer.whole.run(installer.whole.python, "run.py", "pictures", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    file, answer, confidence, stage = done.stdout.strip().split("\t")
    assert file == "pictures/one.png"
    assert answer in run.class_names
    assert 0 < float(confidence) <= 1
    assert stage in record.stage_names
    assert "two.png" in done.stderr


def test_names_are_literals() -> None:
    bad = '"""\'; import os\n$choice'
    sources: tuple[dict[str, object], ...] = ({}, {"networks": [{"name": bad, "weights": bad, "heads": {"file": bad}}]})
    for source in sources:
        tree = ast.parse(snippet(bad, bad, source, [bad], [bad]))
        imported = {name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}
        assert "os" not in imported
        constants = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)]
        assert bad in constants
