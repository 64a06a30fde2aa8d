"""Scripts that are exported do what the simulation said, and hold nothing of a file as code."""

from __future__ import annotations

import ast
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from cascade_core import ExitRule, Pool, SharedThreshold, choose, evaluate, fit_pool, load_run, save_choice
from cascade_core.storage.snippets import snippet
from tests.installing import Installer
from tests.oracle import f32
from tests.samples import sample_run

ROOT = Path(__file__).resolve().parents[2]


POOL = Pool(weights=((1.0,), (0.0, 1.0), (0.4, 0.0, 0.9)))
"""The third stage pools the first; nothing needs the second where nothing leaves there."""


@pytest.mark.parametrize(
    ("pool", "thresholds", "asked"),
    [
        (None, (0.6, 0.6), [0, 1, 2]),
        (POOL, (0.6, 0.6), [0, 1, 2]),
        (POOL, (np.inf, 0.6), [0, 1, 2]),
        (POOL, (0.6, np.inf), [0, 2]),
        (POOL, (np.inf, np.inf), [0, 2]),
        (None, (np.inf, np.inf), [2]),
    ],
)
def test_softmaxes_leave_as_simulated(
    pool: Pool | None, thresholds: Any, asked: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outputs = sample_run()
    record = outputs.record("margin", 1, pool)
    rule = ExitRule(thresholds=f32(*thresholds), score="margin", pool=pool)
    save_choice(tmp_path / "mine.json", rule, evaluate(record, rule))
    monkeypatch.chdir(tmp_path)
    script: dict[str, Any] = {}
    exec(snippet("mine.json", "mine", {}, outputs.class_names, record.stage_names), script)
    wanted, seen = rule.exit_stages(record), []

    def softmaxes_of(stage: int, samples: NDArray[np.int64]) -> NDArray[np.float32]:
        seen.append(stage)
        assert samples.tolist() == np.flatnonzero(wanted >= stage).tolist()
        return outputs.probs[stage, samples]

    answers, stages = script["classify"](record.n, softmaxes_of)
    assert seen == asked
    assert stages.tolist() == wanted.tolist()
    assert answers.tolist() == record.predictions[wanted, np.arange(record.n)].tolist()


def test_pictures_are_classified_by_the_run_s_network(installer: Installer, tmp_path: Path) -> None:
    run = load_run(ROOT / "cache" / "digits.parquet")
    record = run.record(pool=fit_pool(run.probs, run.labels))
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
