"""The table of head families: readings at no drop by hand, and a build that was there before is not built again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cascade_core import StageOutputs, save_run
from cascade_core.simulation.stages import Stage
from tests.benchmarks import head_families
from tests.benchmarks.head_families import main, savings
from tests.samples import sample_run


def test_a_first_stage_that_knows_all_saves_what_lies_behind_it() -> None:
    labels = np.arange(200) % 2
    probs = np.where(np.eye(2)[labels] == 1, 0.9, 0.1).astype(np.float32)
    stages = (Stage(name="first", trunk_macs=20, head_macs=5), Stage(name="last", trunk_macs=74, head_macs=1))
    outputs = StageOutputs(probs=np.stack([probs, probs]), labels=labels, stages=stages)
    # The plain network has no first head: 95 MACs, of which 70 are spared.
    assert [saved.mean for saved in savings(outputs, divisions=2)] == pytest.approx([70 / 95] * 3)


def test_what_was_built_is_measured_and_not_built_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    built = []

    def build(networks: list[str], *, heads: str, out: str, **_: str) -> None:
        if heads == "conv":
            raise ValueError("Expected an exit that pays")
        built.append((networks, heads))
        save_run(sample_run(n=200, m=2, k=10), out)

    monkeypatch.setattr(head_families, "build_run", build)
    asked = ["--network", "mine", "--train-data", "a", "--data", "b", "--out", str(tmp_path)]
    for _ in range(2):
        main([*asked, "--heads", "paper", "conv"])
    lines = capsys.readouterr().out.splitlines()
    assert built == [(["mine"], "paper")]
    assert len(lines) == 8
    assert lines[2].startswith("| paper |")
    assert "Expected an exit that pays" in lines[3]
    assert lines[2] == lines[6]
