"""The log that a bundle's run.py writes, without torch: it says what the runner's does."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from torch import Tensor

from cascade_core.nets.running.auditing import audit
from cascade_core.nets.running.runner import Runner
from cascade_core.nets.staged import StagedModel
from cascade_core.storage.choice import load_choice
from cascade_core.storage.exit_lines import line_of
from tests.nets.running.bundles import run


def _is_line(line: str, wanted: str) -> None:
    """What was written says what is wanted, but for times and roundings."""
    found, expected = json.loads(line), json.loads(wanted)
    assert list(found) == list(expected)
    assert found.pop("time") > 1.7e9 + expected.pop("time")
    assert found.pop("milliseconds") > expected.pop("milliseconds")
    sure, as_sure = found.pop("confidence"), expected.pop("confidence")
    assert found == expected
    assert [value is None for value in sure] == [value is None for value in as_sure]
    assert [value or 0 for value in sure] == pytest.approx([value or 0 for value in as_sure], abs=1e-5)


def test_it_writes_the_log_that_the_runner_writes(
    written: tuple[StagedModel, Path], images: Tensor, tmp_path: Path
) -> None:
    model, folder = written
    some, log = tmp_path / "some.npy", tmp_path / "exits.jsonl"
    np.save(some, images.numpy())
    assert run(folder, str(some), "--log", str(log))[0] == 0
    assert run(folder, str(some), "--log", str(log), "--audit", "100%")[0] == 0
    runner = Runner(model, load_choice(folder / "choice.json"), "cpu")
    answers, audited = runner(images), audit(runner, images)
    lines = log.read_text().splitlines()
    assert len(lines) == 180
    for i, (plain, full) in enumerate(zip(lines[:90], lines[90:], strict=True)):
        stage, answer = int(answers.stages[i]), int(answers.predictions[i])
        passed = [None if np.isnan(sure) else float(sure) for sure in answers.passed[i, : stage + 1]]
        all_stages = (audited.answers[i].tolist(), int(audited.plain[i]))
        _is_line(plain, line_of(0, model.stage_names[stage], passed, answer, 0))
        _is_line(full, line_of(0, model.stage_names[stage], audited.confidence[i].tolist(), answer, 0, all_stages))
    status, out, errors = run(folder, str(some), "--log", str(tmp_path))
    assert (status, out, len(errors)) == (2, [], 1)
    assert run(folder, str(some), "--audit", "2")[2][-1].endswith("expected a share from 0 to 1 or 100% but it was 2")
