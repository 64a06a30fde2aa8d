"""From texts to a small network in front of a given one: trained once, checked before hours are spent, recorded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from cascade_core.nets.heads.weights import state_digest
from cascade_core.nets.networks.front import read_front
from cascade_core.nets.networks.named import find, load_model
from cascade_core.nets.recording import front as module
from cascade_core.nets.recording.front import Front, train_front
from cascade_core.nets.training.distilling import Distilled, distil
from tests.runfiles import load_softmaxes
from tests.smallnets import plain

TEACHER = f"small-cnn+{Path(__file__).resolve().parents[3] / 'cache' / 'digits.safetensors'}"
QUIET: dict[str, Any] = {"train_data": "digits", "share": 0.5, "views": 2, "device": "cpu", "progress": False}


def trained(out: Path, epochs: int = 12, network: str = TEACHER, **options: Any) -> Front:
    return train_front(network, out=out, training={"epochs": epochs, "batch_size": 32}, **QUIET | options)


@pytest.fixture
def untaught(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """No training, and a list that grows by the seed's weights where there would have been one."""
    asked: list[str] = []

    def learn(network: torch.nn.Module, *_: object, checkpoint: Path, **__: object) -> Distilled:
        asked.append(state_digest(network))
        checkpoint.write_text("a state")
        return Distilled(accuracy=(0.5, 0.6, 0.7), held_out=18, views=2, epochs=12)

    monkeypatch.setattr(module, "distil", learn)
    return asked


def test_digits_end_to_end(tmp_path: Path) -> None:
    out, run = tmp_path / "front.safetensors", tmp_path / "run.parquet"
    made = trained(out, data="digits", run=run)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["front.safetensors", "run.parquet"]
    assert made.behind_macs == 171_146
    spent = sum(stage.trunk_macs + stage.head_macs for stage in made.stages)
    assert 0.1 * 171_146 < spent <= 0.5 * 171_146
    recorded = load_softmaxes(run)
    small = [f"front, exit {number}" for number in (1, 2, 3)]
    assert [stage.name for stage in recorded.stages] == small + [f"Small CNN, stage {number}" for number in (1, 2, 3)]
    assert [stage.trunk_macs for stage in recorded.stages[:3]] == [stage.trunk_macs for stage in made.stages]
    accuracy = recorded.record().stage_accuracy
    assert accuracy[:3].min() > 0.3  # chance is 0.1
    assert accuracy[-1] > 0.98
    # What was held out of training, and not the test samples, is what the file tells.
    assert made.about.training["judged_on"] == round(0.02 * 897)
    assert made.about == read_front(out)
    first = recorded.source["networks"][0]
    assert (first["name"], first["weights"]) == ("front", "front.safetensors")


def test_a_network_that_is_there_is_not_trained_again(
    tmp_path: Path, untaught: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "front.safetensors"
    trained(out)
    content = out.read_bytes()
    trained(out, progress=True)
    assert f"{out} holds this network already; delete it to train it again" in capsys.readouterr().err
    assert out.read_bytes() == content
    assert len(untaught) == 1
    others: list[dict[str, Any]] = [{"epochs": 3}, {"seed": 1}, {"share": 0.2}, {"views": 3}, {"minutes": 1.0}]
    for number, other in enumerate(others):
        trained(out, **other)
        assert len(untaught) == 2 + number
    torch.save(plain(seed=3).state_dict(), tmp_path / "w.pt")
    trained(out, network=f"small-cnn={tmp_path / 'w.pt'}")
    assert len(untaught) == 2 + len(others)
    # Fresh weights follow from the seed alone.
    assert untaught[0] == untaught[1] == untaught[4] != untaught[2]
    assert not (tmp_path / "front.safetensors.checkpoint").exists()


def test_what_is_to_be_recorded_is_looked_at_before_training(tmp_path: Path, untaught: list[str]) -> None:
    options: dict[str, Any] = {"run": tmp_path / "run.parquet"}
    with pytest.raises(ValueError, match="nowhere"):
        trained(tmp_path / "f.safetensors", data="imagefolder:nowhere", **options)
    with pytest.raises(ValueError, match="or neither, but there was one"):
        trained(tmp_path / "f.safetensors", **options)
    assert untaught == []


def test_weights_that_overflow_are_no_network(
    tmp_path: Path, untaught: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.Tensor, "isfinite", lambda self: torch.zeros_like(self, dtype=torch.bool))
    with pytest.raises(ValueError, match="come to numbers but it overflowed; lower the learning rate"):
        trained(tmp_path / "f.safetensors")
    assert list(tmp_path.iterdir()) == []
    assert len(untaught) == 1


def test_it_goes_on_from_what_a_kill_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole, stopped = tmp_path / "whole.safetensors", tmp_path / "stopped.safetensors"
    trained(whole, epochs=2)
    real, epochs = distil, 0

    def killed(*arguments: Any, checkpoint: Path, **options: Any) -> Distilled:
        nonlocal epochs
        epochs += 1
        came = real(*arguments, checkpoint=checkpoint, **options)
        if epochs == 1:
            raise KeyboardInterrupt
        return came

    monkeypatch.setattr(module, "distil", killed)
    with pytest.raises(KeyboardInterrupt):
        trained(stopped, epochs=2)
    left = [f"stopped.safetensors.checkpoint{ending}" for ending in ("", "-parts")]
    assert sorted(path.name for path in tmp_path.glob("stopped*")) == left
    trained(stopped, epochs=2)
    assert [path.name for path in tmp_path.glob("stopped*")] == ["stopped.safetensors"]
    assert stopped.read_bytes() == whole.read_bytes()
    model = load_model(find(f"front={stopped}"), 10)
    with torch.no_grad():
        assert np.isfinite(model(torch.zeros(1, 1, 8, 8)).numpy()).all()
