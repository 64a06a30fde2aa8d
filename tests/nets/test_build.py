"""From texts to a run: digits whole in seconds, heads files that find their trunk again, the published accuracies."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from cascade_core.nets import build as module
from cascade_core.nets import zoo
from cascade_core.nets.build import build_run, precompute_run


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Training long enough to see that it works."""
    monkeypatch.setitem(module._SMALL, "epochs", 8)
    monkeypatch.setitem(module._SMALL_HEADS, "epochs", 2)


def weights_file(path: Path, name: str, seed: int) -> str:
    torch.save(zoo.build_plain(zoo.parse(name), 10, seed).state_dict(), path)
    return f"{name}={path}"


def test_digits_end_to_end(tmp_path: Path) -> None:
    path = tmp_path / "digits.safetensors"
    built = build_run(
        ["small-cnn"], train_data="digits", data="digits", heads="paper", heads_out=path, device="cpu", progress=False
    )
    accuracy = built.record().stage_accuracy
    assert accuracy[2] > 0.9
    assert 0.3 < accuracy[0] < accuracy[2]
    assert path.stat().st_size < 2_000_000
    assert str(tmp_path) not in json.dumps(dict(built.source))
    again = precompute_run(["small-cnn"], data="digits", heads=path, device="cpu", progress=False)
    np.testing.assert_array_equal(again.probs, built.probs)
    assert again.stages == built.stages
    assert again.source["heads"]["file"] == "digits.safetensors"


def test_heads_find_their_trunk_and_no_other(tmp_path: Path) -> None:
    right, wrong = (weights_file(tmp_path / f"{seed}.pt", "small-cnn", seed) for seed in (0, 1))
    path = tmp_path / "heads.safetensors"
    options: dict[str, Any] = {"data": "digits", "device": "cpu", "progress": False}
    build_run([right], train_data="digits", heads_out=path, heads="linear", epochs=1, **options)
    assert precompute_run([right], heads=path, **options).probs.shape == (3, 900, 10)
    with pytest.raises(ValueError, match=r"the trunk that heads.safetensors was fitted to \(SHA-256 [0-9a-f]{12}\)"):
        precompute_run([wrong], heads=path, **options)
    with pytest.raises(ValueError, match=r"the weights that heads.safetensors was fitted to, small-cnn=WEIGHTS"):
        precompute_run(["small-cnn"], heads=path, **options)


def test_a_cascade_of_models_whose_first_has_exits(tmp_path: Path) -> None:
    path = tmp_path / "heads.safetensors"
    large = weights_file(tmp_path / "large.pt", "small-cnn", 1)
    first = build_run(
        ["small-cnn"], train_data="digits", data="digits", heads="paper", heads_out=path, device="cpu", progress=False
    )
    joined = precompute_run(["small-cnn", large], data="digits", heads=path, device="cpu", progress=False)
    early = [f"Small CNN (1), stage {i}" for i in (1, 2, 3)]
    assert [stage.name for stage in joined.stages] == [*early, "Small CNN (2)"]
    np.testing.assert_array_equal(joined.probs[:3], first.probs)
    assert joined.baseline_macs == first.baseline_macs == 171_146


@pytest.mark.parametrize(
    ("networks", "message"),
    [
        ([], "at least one network"),
        (["cifar-resnet56"], "weights for cifar-resnet56, cifar-resnet56=WEIGHTS, but there were none"),
        (["vgg"], r"Expected network \(NAME or NAME=WEIGHTS\) to be one of cifar-resnet20"),
        (["small-cnn="], "a weights file after 'small-cnn=' but there was none"),
        (
            ["small-cnn=a.pt", "cifar-resnet20=b.pt"],
            "networks to take the same images but cifar-resnet20 and small-cnn differ",
        ),
        (["small-cnn=none.pt"], "Expected a file at none.pt but there is none"),
    ],
)
def test_bad_networks(networks: list[str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        precompute_run(networks, data="digits", progress=False)


def test_bad_heads(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="Expected heads to be one of linear, paper, fine but it was 'none'"):
        build_run(["small-cnn"], train_data="digits", data="digits", heads="none", progress=False)
    with pytest.raises(ValueError, match="Expected a file at"):
        precompute_run(["small-cnn"], data="digits", heads=tmp_path / "none.safetensors", progress=False)


def test_pretrained_networks_reach_their_published_accuracy(cifar10: Path, weights: Path) -> None:
    outputs = precompute_run(
        [
            f"cifar-resnet20={weights / 'resnet20-12fca82f.th'}",
            f"cifar-resnet56={weights / 'resnet56-4bfd9763.th'}",
        ],
        data=f"imagefolder:{cifar10 / 'test'}",
        device="cpu",
        progress=False,
    )
    assert outputs.record().correct.sum(axis=1).tolist() == [9173, 9339]
    assert [s.trunk_macs + s.head_macs for s in outputs.stages] == [40_551_050, 125_485_706]
    assert outputs.sample_ids[0] == "airplane/aeroplane_s_000002.png"


def test_an_untrained_network_is_not_recorded() -> None:
    with pytest.raises(ValueError, match=r"Expected weights for small-cnn, small-cnn=WEIGHTS, but there were none"):
        precompute_run(["small-cnn"], data="digits", progress=False)


@pytest.mark.parametrize("seed", [-1, 2**32])
def test_seeds_are_those_that_every_generator_takes(seed: int) -> None:
    with pytest.raises(ValueError, match="seed to be a whole number from 0 to 4294967295"):
        build_run(["small-cnn"], train_data="digits", data="digits", seed=seed, progress=False)


def test_heads_of_a_training_that_went_wrong_replace_nothing(tmp_path: Path) -> None:
    out = tmp_path / "heads.safetensors"
    out.write_text("good heads")
    with pytest.raises(ValueError, match="Expected probs to be softmaxes"):
        build_run(
            ["small-cnn"],
            train_data="digits",
            data="digits",
            heads_out=out,
            epochs=1,
            learning_rate=1e30,
            progress=False,
        )
    assert out.read_text() == "good heads"
