"""Networks by name: the zoo's, torchvision's, timm's (a stand-in for it) and the user's own, with weights and heads."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
import torch
from torch import nn

from cascade_core.nets import staged
from cascade_core.nets._torchvision import torchvision
from cascade_core.nets.cutting.attach import cut
from cascade_core.nets.heads import families, weights
from cascade_core.nets.images.pixels import Preprocessing
from cascade_core.nets.networks.named import build_plain, example, find, load_model
from cascade_core.nets.staged import StagedModel
from tests.smallnets import plain


@pytest.fixture(autouse=True)
def own_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A current folder with code of a user's, and torch's cache of weights in it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "cache"))
    (tmp_path / "owncode.py").write_text(
        "from torch import nn\n"
        "def plain(num_classes=3):\n"
        "    pool = nn.AdaptiveAvgPool2d(1)\n"
        "    return nn.Sequential(nn.Conv2d(3, 4, 3), pool, nn.Flatten(), nn.Linear(4, num_classes))\n"
        "def fixed():\n"
        "    return plain(7)\n"
        "def wrong():\n"
        "    return 'a text'\n"
        "number = 1\n"
    )
    path = [*sys.path]
    yield tmp_path
    sys.path[:] = path
    sys.modules.pop("owncode", None)


def save(network: nn.Module, path: Path) -> Path:
    torch.save(network.state_dict(), path)
    return path


def test_a_text_is_taken_apart(tmp_path: Path) -> None:
    found = find("cifar-resnet20=w.th+h.safetensors")
    assert (found.name, found.weights, found.heads) == ("cifar-resnet20", Path("w.th"), Path("h.safetensors"))
    assert find("small-cnn+h.safetensors").weights is None
    # A plus sign in a file's own name.
    odd = save(plain(), tmp_path / "a+b.pt")
    assert (find(f"small-cnn={odd}").weights, find(f"small-cnn={odd}").heads) == (odd, None)
    assert find(f"small-cnn={odd}+h.safetensors").weights == odd


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "vgg",
            r"Expected a network \(cifar-resnet20, .*, hf:FOLDER or package.module:factory\) .* did you mean vgg",
        ),
        ("small-cnn=", "weights after the = of 'small-cnn=' but there were none"),
        ("small-cnn=w.pt+h.pt", "a .safetensors file of heads after the \\+ .* but it was 'h.pt'"),
        (
            "resnet18=none.pth",
            "weights of resnet18 to be a file or one of IMAGENET1K_V1, DEFAULT but there is no 'none",
        ),
        ("nowhere:f", "nowhere:f to name a function, package.module:factory, but No module named 'nowhere'"),
        ("owncode:absent", "but module 'owncode' has no attribute 'absent'"),
        ("owncode:number", "owncode:number to name a function but it is a int"),
        ("timm:resnet18", "timm to be installed, for networks timm:NAME, but .*; pip install timm"),
    ],
)
def test_bad_names(text: str, message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "timm", None)
    with pytest.raises(ValueError, match=message) as error:
        find(text)
    assert "\n" not in str(error.value)


def test_published_weights_bring_their_own_images(tmp_path: Path) -> None:
    first, second = find("resnet50=IMAGENET1K_V1"), find("resnet50=IMAGENET1K_V2")
    assert (first.images.size, first.images.resize) == (224, 256)
    assert second.images.resize == 232
    assert find("resnet50=DEFAULT").weights == second.weights
    assert second.weights == tmp_path / "cache" / "hub" / "checkpoints" / "resnet50-11ad3fa6.pth"
    # A file of a published name is known by it, any other gets what the newest weights expect.
    for name, resize in (("resnet50-0676ba61.pth", 256), ("mine.pth", 232)):
        (tmp_path / name).touch()
        assert find(f"resnet50={tmp_path / name}").images.resize == resize


def test_absent_weights_are_fetched_when_that_is_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    network, made = find("squeezenet1_1=DEFAULT"), torchvision.models.squeezenet1_1()
    with pytest.raises(
        ValueError, match=r"squeezenet1_1-b8a52dc0.pth in .* --download, or from https://download.pytorch"
    ):
        build_plain(network, None)
    asked = []

    def download(url: str, path: str, digits: str | None) -> None:
        asked.append((url, digits))
        save(made, Path(path))

    monkeypatch.setattr(torch.hub, "download_url_to_file", download)
    built = build_plain(network, 1000, download=True)
    assert asked == [("https://download.pytorch.org/models/squeezenet1_1-b8a52dc0.pth", "b8a52dc0")]
    assert weights.state_digest(built) == weights.state_digest(made)
    # Now it is there.
    assert weights.state_digest(build_plain(network, 1000)) == weights.state_digest(made)


def test_what_torchvision_works_out_from_weights(tmp_path: Path) -> None:
    made = torchvision.models.googlenet(init_weights=False)
    loaded = build_plain(find(f"googlenet={save(made, tmp_path / 'g.pth')}"), 1000)
    assert loaded.transform_input
    assert not build_plain(find("googlenet"), None).transform_input
    vit = build_plain(find("vit_b_16", {"size": 32}), 5)
    assert vit(torch.zeros(1, 3, 32, 32)).shape == (1, 5)


def test_published_densenets_name_layers_in_an_older_way(tmp_path: Path) -> None:
    made = torchvision.models.densenet121(num_classes=4)
    state = {re.sub(r"(layer\d+\.(?:norm|conv))([12]\.)", r"\1.\2", k): v for k, v in made.state_dict().items()}
    assert "features.denseblock1.denselayer1.norm.1.weight" in state
    torch.save(state, tmp_path / "d.pth")
    loaded = build_plain(find(f"densenet121={tmp_path / 'd.pth'}"), 4)
    assert weights.state_digest(loaded) == weights.state_digest(made)


def test_factories_are_called_as_they_can_be() -> None:
    assert build_plain(find("owncode:plain"), 5)(torch.zeros(1, 3, 9, 9)).shape == (1, 5)
    assert build_plain(find("owncode:plain"), None)(torch.zeros(1, 3, 9, 9)).shape == (1, 3)
    assert build_plain(find("owncode:fixed"), 5)(torch.zeros(1, 3, 9, 9)).shape == (1, 7)
    assert find("owncode:fixed").preprocessing == Preprocessing(size=224, resize=256)
    assert find("owncode:fixed", {"size": 32, "std": (1.0, 1.0, 1.0)}).images.std == (1.0, 1.0, 1.0)
    with pytest.raises(ValueError, match=r"owncode:wrong to return a torch.nn.Module but it returned str"):
        build_plain(find("owncode:wrong"), None)


class StandIn(ModuleType):
    """As much of timm as is used."""

    data = SimpleNamespace(
        resolve_model_data_config=lambda model: {
            "input_size": (3, 64, 64),
            "interpolation": "bicubic",
            "mean": (0.5, 0.5, 0.5),
            "std": (0.25, 0.25, 0.25),
            "crop_pct": 0.9,
        }
    )

    def is_model(self, name: str) -> bool:
        return name == "tiny"

    def create_model(self, name: str, *, pretrained: bool, num_classes: int = 11) -> nn.Module:
        last = nn.Linear(2, num_classes)
        if pretrained:
            nn.init.constant_(last.bias, 5.0)
        return nn.Sequential(nn.Conv2d(3, 2, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten(), last)


def test_timms_networks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    timm = StandIn("timm")
    monkeypatch.setitem(sys.modules, "timm", timm)
    found = find("timm:tiny")
    # 64 / 0.9 = 71.1
    assert found.preprocessing == Preprocessing(
        size=64, resize=71, interpolation="bicubic", mean=(0.5, 0.5, 0.5), std=(0.25, 0.25, 0.25)
    )
    assert build_plain(found, 4)(torch.zeros(1, 3, 8, 8)).shape == (1, 4)
    file = save(timm.create_model("tiny", pretrained=False, num_classes=4), tmp_path / "w.pt")
    assert build_plain(find(f"timm:tiny={file}"), 4).state_dict()["3.weight"].shape == (4, 2)
    with pytest.raises(ValueError, match="one of timm's networks after timm: but it was 'huge'"):
        find("timm:huge")


def test_timms_pretrained_networks_are_fetched_when_that_is_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "timm", StandIn("timm"))
    with pytest.raises(ValueError, match="--download"):
        build_plain(find("timm:tiny=pretrained"), 4)
    # Its own classes, though others are asked for: a last layer with fresh weights would answer anything.
    made = build_plain(find("timm:tiny=pretrained"), 4, download=True)
    assert made.state_dict()["3.bias"].tolist() == [5.0] * 11


def heads_file(path: Path, network: str = "small-cnn", **changes: Any) -> Path:
    """Fresh heads behind the first exit of a small network of seed 0."""
    pieces = cut(plain(), example(find("small-cnn"), 2), "stage1")
    about = weights.HeadsFile(
        network=network,
        exits=pieces.exits,
        images=find("small-cnn").images.describe(),
        stage_names=("first", "second"),
        class_names=tuple("0123456789"),
        trunk=weights.state_digest(plain()),
        preset="linear",
        specs=families.preset("linear", list(pieces.shapes), pieces.macs),
        whole=False,
        training={},
    )
    about = replace(about, **changes)
    return weights.save_heads(path, about, families.build(about.specs, 10, 0))


def test_a_heads_file_says_where_the_network_is_cut(tmp_path: Path) -> None:
    file, trunk = heads_file(tmp_path / "h.safetensors"), save(plain(), tmp_path / "w.pt")
    model = load_model(find(f"small-cnn={trunk}+{file}"), None)
    assert model.stage_names == ("first", "second")
    images = torch.randn(3, 1, 8, 8)
    with torch.no_grad():
        assert torch.equal(model(images)[-1], plain()(images))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"network": "os:system"}, "h.safetensors to hold heads of small-cnn but they are of 'os:system'"),
        ({"trunk": "0" * 64}, "the trunk that h.safetensors was fitted to"),
        (
            {"images": {"size": 9}},
            "samples as h.safetensors was fitted to, size 9, but they are others; .*--image-size",
        ),
        ({"exits": ("stage9",)}, "exits among stage1, .* but there is no 'stage9'"),
        ({"exits": ("stage2",)}, r"heads for \(16, 4, 4\) but they are for \(8, 8, 8\)"),
        ({"exits": (), "images": {}}, r"heads for \(8, 8, 8\), \(16, 4, 4\) but they are for \(8, 8, 8\)"),
    ],
)
def test_heads_that_do_not_fit(changes: dict[str, Any], message: str, tmp_path: Path) -> None:
    file, trunk = heads_file(tmp_path / "h.safetensors", **changes), save(plain(), tmp_path / "w.pt")
    with pytest.raises(ValueError, match=message):
        load_model(find(f"small-cnn={trunk}+{file}"), None)


def test_the_example_in_the_documentation_is_a_staged_model(tmp_path: Path) -> None:
    documentation_example(tmp_path / "documented.py")
    model = load_model(find("documented:Early", {"size": 16}), 4)
    assert isinstance(model, StagedModel)
    assert model.stage_names == ("early", "late")
    with torch.no_grad():
        assert model(torch.zeros(2, 3, 16, 16)).shape == (2, 2, 4)


def documentation_example(path: Path) -> None:
    """Write the example that `staged` shows."""
    lines = (staged.__doc__ or "").splitlines()
    path.write_text("\n".join(line.removeprefix("    ") for line in lines if line.startswith("    ") or not line))
