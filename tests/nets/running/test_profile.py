"""Profiles: every part is timed, by itself, and the verb keeps them beside the run."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from cascade_core import save_run
from cascade_core.__main__ import main
from cascade_core.nets.networks.zoo import ZOO
from cascade_core.nets.opening import open_data
from cascade_core.nets.recording.precompute import precompute
from cascade_core.nets.running.profile import WARM_UP, measure
from cascade_core.nets.staged import CascadedNetwork, ModelCascade
from cascade_core.simulation.timing import load_profile
from tests.smallnets import in_one_piece

TICK = 0.001
"""Milliseconds that reading the clock takes."""


class Clock:
    """Stands for the time, which goes on where something takes its own."""

    def __init__(self) -> None:
        self.milliseconds = 0.0

    def __call__(self) -> float:
        """Seconds."""
        self.milliseconds += TICK
        return self.milliseconds / 1000


class Takes(nn.Module):
    """Passes its input on after some milliseconds a sample, the first of which take longer."""

    def __init__(self, clock: Clock, milliseconds: float) -> None:
        super().__init__()
        self.clock, self.milliseconds, self.calls = clock, milliseconds, 0

    def forward(self, x: Tensor) -> Tensor:
        self.calls += 1
        self.clock.milliseconds += self.milliseconds * len(x) * (1 if self.calls > WARM_UP else 100)
        return x


def test_each_part_is_timed_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    monkeypatch.setattr("cascade_core.nets.running.profile.time.perf_counter", clock)
    heads = [nn.Sequential(Takes(clock, milliseconds), nn.Flatten()) for milliseconds in (2, 4)]
    model = CascadedNetwork("net", ("a", "b"), [Takes(clock, 8), Takes(clock, 16)], heads)
    found = measure(model, torch.zeros(1, 1, 2, 2), batch_sizes=(1, 2), repeats=3, device="cpu", progress=False)
    wanted = {"trunk": [[8, 16], [16, 32]], "head": [[2, 4], [4, 8]], "pool": [[0, 0], [0, 0]], "plain": [28, 56]}
    for name, milliseconds in wanted.items():
        for part in (name, f"{name}_p95"):
            np.testing.assert_allclose(1000 * getattr(found, part), np.array(milliseconds) + TICK, rtol=1e-6)
    assert found.circumstances["repeats"] == 3


def test_what_is_expected_is_the_median(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, trunk = Clock(), iter([0] * (2 * WARM_UP) + [1, 1, 2, 2, 60, 60])  # a plain network computes it once more
    monkeypatch.setattr("cascade_core.nets.running.profile.time.perf_counter", clock)

    class Varies(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            clock.milliseconds += next(trunk)
            return x

    model = CascadedNetwork("net", ("a",), [Varies()], [nn.Flatten()])
    found = measure(model, torch.zeros(1, 1, 2, 2), batch_sizes=(1,), repeats=3, device="cpu", progress=False)
    assert 1000 * found.trunk == pytest.approx(2 + TICK)
    assert 1000 * found.plain_p95 == pytest.approx(2 + 0.9 * 58 + TICK)  # nine tenths of the way to the largest


def test_the_verb_measures_the_runs_own_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    members = [(f"Small CNN ({i + 1})", in_one_piece(seed=i)) for i in range(2)]
    for i, (_, model) in enumerate(members):
        torch.save(model.trunk[0].state_dict(), f"{i}.pt")
    data = open_data("digits", ZOO["small-cnn"].preprocessing)
    save_run(precompute(ModelCascade(members), data, device="cpu", progress=False), "run.parquet")
    networks = ["--network", "small-cnn=0.pt", "--network", "small-cnn=1.pt"]
    assert main(["profile", "run.parquet", *networks, "--repeats", "2", "--batch-sizes", "1,4"]) == 0
    assert "plain network" in capsys.readouterr().out
    assert load_profile("run.profile.json").batch_sizes == (1, 4)
    main(["choose", "run.parquet", "--policy", "fixed", "--thresholds", "0.2", "--out", "c.json"])
    capsys.readouterr()
    assert main(["evaluate", "c.json", "run.parquet", "--batch", "4"]) == 0
    assert " milliseconds per sample in batches of 4, where the plain network costs " in capsys.readouterr().out
    assert main(["profile", "run.parquet", *networks[:2]]) == 2
    assert "with the stages Small CNN (1), Small CNN (2), but its stages are Small CNN" in capsys.readouterr().err
