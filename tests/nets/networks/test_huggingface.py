"""Image classifiers of Hugging Face by folder: small ones made here, with random weights and nothing fetched."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from cascade_core.__main__ import main
from cascade_core.nets.cutting.attach import attach_exits
from cascade_core.nets.images.pixels import Preprocessing
from cascade_core.nets.networks.named import build_plain, find, load_model
from tests.runfiles import load_softmaxes

SMALL = {"hidden_size": 32, "num_hidden_layers": 3, "num_attention_heads": 4, "intermediate_size": 64, "num_labels": 10}

NORMAL = {"image_mean": [0.5] * 3, "image_std": [0.25] * 3}

IMAGES = torch.randn(4, 3, 32, 32, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def transformers() -> Any:
    return pytest.importorskip("transformers", reason="transformers is not installed: requirements-transformers.txt")


def made(transformers: Any, kind: str, folder: Path) -> Any:
    """A small network, saved in a folder."""
    torch.manual_seed(0)
    options: dict[str, Any] = SMALL | {"image_size": 32, "patch_size": 8}
    if kind == "ConvNext":
        options = {"hidden_sizes": [8, 16, 32, 64], "depths": [1, 1, 2, 1], "num_labels": 10, "image_size": 32}
    if kind == "ResNet":
        options = {
            "embedding_size": 8,
            "hidden_sizes": [8, 16],
            "depths": [1, 1],
            "layer_type": "basic",
            "num_labels": 10,
        }
    config = getattr(transformers, f"{kind}Config")(**options)
    network = getattr(transformers, f"{kind}ForImageClassification")(config).eval()
    network.save_pretrained(folder)
    return network


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("kind", ["ViT", "DeiT", "ConvNext", "ResNet"])
def test_exits_lie_behind_encoder_layers(kind: str, tmp_path: Path, transformers: Any) -> None:
    network = made(transformers, kind, tmp_path / "net")
    with torch.no_grad():
        expected = network(IMAGES).logits
    found = find(f"hf:{tmp_path / 'net'}", {"size": 32})
    assert found.name == "hf:net"
    with pytest.warns(UserWarning, match="that called logits is taken"):
        model = load_model(found, 10)
    with torch.no_grad():
        assert torch.allclose(model(IMAGES)[0], expected, atol=1e-5)
        assert torch.allclose(model(IMAGES[:1])[0], expected[:1], atol=1e-5)
    with pytest.warns(UserWarning, match="that called logits is taken"):
        cut = attach_exits(build_plain(found, 10), IMAGES, exits="auto:2", heads="linear")
    assert all("layer" in name or "embed" in name for name in cut.stage_names[:-1])
    with torch.no_grad():
        for count in (1, 3):
            assert torch.allclose(cut(IMAGES[:count])[-1], expected[:count], atol=1e-5)


@pytest.mark.filterwarnings("ignore")
def test_on_the_command_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, transformers: Any) -> None:
    monkeypatch.chdir(tmp_path)
    made(transformers, "ViT", tmp_path / "net")
    data = ["--image-size", "32", "--data", "digits"]
    assert main(["precompute", "--network", "hf:net", *data, "--out", "whole.parquet"]) == 0
    build = ["--train-data", "digits", "--epochs", "1", "--heads", "linear", "--exits", "vit.layers.0,vit.layers.1"]
    assert main(["build", "--network", "hf:net", *data, *build, "--out", "run.parquet"]) == 0
    run = load_softmaxes("run.parquet")
    assert [stage.name for stage in run.stages] == ["vit.layers.0", "vit.layers.1", "end"]
    np.testing.assert_allclose(run.probs[-1], load_softmaxes("whole.parquet").probs[0], atol=1e-5)
    assert str(tmp_path) not in json.dumps(dict(run.source))


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (
            {"size": {"height": 32, "width": 32}, "image_mean": [0.5] * 3, "image_std": [0.25] * 3, "resample": 3},
            (32, 32),
        ),
        ({"size": {"shortest_edge": 36}, "do_center_crop": True, "crop_size": {"height": 32, "width": 32}}, (32, 36)),
        ({"size": 40, "do_normalize": False}, (40, 40)),
        (None, (32, 32)),
    ],
)
def test_images_are_prepared_as_the_folder_says(said: Any, expected: Any, tmp_path: Path, transformers: Any) -> None:
    made(transformers, "ViT", tmp_path / "net")
    if said is not None:
        (tmp_path / "net" / "preprocessor_config.json").write_text(json.dumps(said))
    images = find(f"hf:{tmp_path / 'net'}").images
    assert (images.size, images.resize) == expected
    if said and "image_mean" in said:
        assert images == Preprocessing(size=32, interpolation="bicubic", mean=(0.5,) * 3, std=(0.25,) * 3)
    if said and "do_normalize" in said:
        assert images.std == (1.0, 1.0, 1.0)


def test_what_is_not_there_is_one_line(tmp_path: Path, transformers: Any) -> None:
    with pytest.raises(ValueError, match="this machine, at 'no/where' but there is none; hf download no/where"):
        find("hf:no/where")
    with pytest.raises(ValueError, match=r"to be a folder that save_pretrained wrote but it holds no config.json"):
        find(f"hf:{tmp_path}")
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(ValueError, match="to hold a classifier of images or texts but") as error:
        find(f"hf:{tmp_path}")
    assert "\n" not in str(error.value)


def test_without_transformers_it_is_said_what_brings_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(ValueError, match=r"transformers to be installed, .*'cascade-core\[transformers\]'"):
        find("hf:mine")
