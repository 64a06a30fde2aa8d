"""Profiles: every part is timed, by itself, and the verb keeps them beside the run."""

from __future__ import annotations

import time
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
from cascade_core.nets.running.profile import measure
from cascade_core.nets.staged import CascadedNetwork, ModelCascade
from cascade_core.simulation.timing import load_profile
from tests.smallnets import in_one_piece


class Sleeps(nn.Module):
    """Passes its input on after some milliseconds a sample."""

    def __init__(self, milliseconds: float) -> None:
        super().__init__()
        self.milliseconds = milliseconds

    def forward(self, x: Tensor) -> Tensor:
        time.sleep(self.milliseconds * len(x) / 1000)
        return x


def test_each_part_is_timed_by_itself() -> None:
    heads = [nn.Sequential(Sleeps(2), nn.Flatten()), nn.Sequential(Sleeps(4), nn.Flatten())]
    model = CascadedNetwork("net", ("a", "b"), [Sleeps(8), Sleeps(16)], heads)
    found = measure(model, torch.zeros(1, 1, 2, 2), batch_sizes=(1, 2), repeats=3, device="cpu", progress=False)
    wanted = {"trunk": [[8, 16], [16, 32]], "head": [[2, 4], [4, 8]], "plain": [28, 56]}
    for name, milliseconds in wanted.items():
        low, high = 1000 * getattr(found, name), 1000 * getattr(found, f"{name}_p95")
        assert (low >= milliseconds).all()
        assert (low < np.array(milliseconds) + 15).all()  # a busy machine wakes sleepers late
        assert (high >= low).all()
    assert (found.pool > 0).all()
    assert (found.pool_p95 >= found.pool).all()
    assert found.circumstances["repeats"] == 3


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
