"""Small networks and their files: work by hand, sizes that fit, a file that comes back, and hostile ones refused."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch

from cascade_core.nets.heads.weights import state_digest
from cascade_core.nets.images.pixels import Preprocessing
from cascade_core.nets.networks.front import FrontFile, read_front, save_front
from cascade_core.nets.networks.named import find, load_model
from cascade_core.nets.networks.small import SmallSpec, largest
from cascade_core.nets.running.classify import class_names
from tests.oracle import assert_one_line

TINY = SmallSpec(channels=1, size=8, classes=3, width=1)
IMAGES = Preprocessing(channels=1, size=8, mean=(0.5,), std=(0.25,))
ABOUT = FrontFile(
    spec=TINY, images=IMAGES, class_names=("a", "b", "c"), behind="small-cnn", training={"accuracy": [0.5, 0.6, 0.7]}
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A small network with fresh weights."""
    torch.manual_seed(0)
    return save_front(tmp_path / "front.safetensors", ABOUT, TINY.build())


def bottlenecks(pixels: int, channels: int, count: int) -> int:
    """Multiply-accumulates: three times as wide inside, each of these by itself over 3 x 3, and back."""
    inside = 3 * channels
    return count * pixels * (channels * inside + 9 * inside + inside * channels)


def test_work_by_hand() -> None:
    # 8 x 8 pixels are halved to 4 x 4, to 2 x 2 and no further.
    first = 64 * 9 * 1 * 2 + 16 * 9 * 2 * 3 + bottlenecks(16, 3, 2)
    second = 4 * 9 * 3 * 6 + bottlenecks(4, 6, 3)
    third = 4 * 9 * 6 * 12 + bottlenecks(4, 12, 2)
    stages = TINY.costs()
    assert [stage.trunk_macs for stage in stages] == [first, second, third]
    # Widened to 8, 24 and 40 channels, whose means give three classes, with a bias each.
    heads = [16 * 3 * 8 + 8 * 3 + 3, 4 * 6 * 24 + 24 * 3 + 3, 4 * 12 * 40 + 40 * 3 + 3]
    assert [stage.head_macs for stage in stages] == heads
    assert TINY.macs() == first + second + third + sum(heads)


def test_the_proportions_of_cifar() -> None:
    """16 channels, then 24, 48 and 96 on 16 x 16, 8 x 8 and 4 x 4 pixels; the first exit strides to 8 x 8."""
    stages = SmallSpec(channels=3, size=32, classes=10, width=8).costs()
    assert [stage.trunk_macs for stage in stages] == [
        1024 * 9 * 3 * 16 + 256 * 9 * 16 * 24 + bottlenecks(256, 24, 2),
        64 * 9 * 24 * 48 + bottlenecks(64, 48, 3),
        16 * 9 * 48 * 96 + bottlenecks(16, 96, 2),
    ]
    assert [stage.head_macs for stage in stages] == [
        64 * 9 * 24 * 64 + 64 * 10 + 10,
        64 * 48 * 192 + 192 * 10 + 10,
        16 * 96 * 320 + 320 * 10 + 10,
    ]


@pytest.mark.parametrize(("size", "side"), [(4, 2), (8, 4), (16, 8), (28, 14), (32, 16), (96, 12), (224, 14)])
def test_images_of_any_size_are_made_small(size: int, side: int) -> None:
    network = replace(TINY, size=size).build().eval()
    with torch.no_grad():
        state = network.extend(network.begin(torch.zeros(2, 1, size, size)), 0)
        assert state[0].shape == (2, 3, side, side)
        assert network(torch.zeros(2, 1, size, size)).shape == (3, 2, 3)


def test_the_widest_that_fits() -> None:
    for macs in (30_000, 100_000, 400_000):
        spec = largest(TINY, macs)
        assert spec.macs() <= macs < replace(spec, width=spec.width + 1).macs()
    assert largest(TINY, TINY.macs()) == TINY
    with pytest.raises(ValueError, match=f"the smallest takes {TINY.macs():,}, more than 999"):
        largest(TINY, 999.0)


def test_a_file_is_a_network_by_name(file: Path) -> None:
    assert read_front(file) == ABOUT
    network = find(f"front={file}")
    assert (network.name, network.preprocessing, network.class_names) == ("front", IMAGES, ("a", "b", "c"))
    assert class_names([network]) == ("a", "b", "c")
    model = load_model(network, 3)
    torch.manual_seed(0)
    assert state_digest(model) == state_digest(TINY.build())
    assert model.stage_names == ("exit 1", "exit 2", "exit 3")
    assert not model.training
    assert find(f"front={file}", {"mean": (0.25,)}).images.mean == (0.25,)
    with pytest.raises(ValueError, match=r"the 3 classes of front.safetensors but there are 10"):
        load_model(network, 10)
    with pytest.raises(ValueError, match=r"images of 8 pixels for front.safetensors, .* but --image-size is 16"):
        find(f"front={file}", {"size": 16})
    with pytest.raises(ValueError, match="Expected a file that the verb front wrote, front=FILE, but there was none"):
        find("front")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"kind": "heads"}, "another kind of file"),
        ({"schema_version": 2}, "schema version is 2, not 1"),
        ({"spec": {"width": 10**9}}, "Expected width to be a whole number from 1 to 128 but it was 1000000000"),
        ({"spec": {"width": "4"}}, "Expected width to be a whole number from 1 to 128 but it was '4'"),
        ({"spec": {"width": True}}, "Expected width to be a whole number"),
        ({"spec": {"depth": 10**6}}, "unexpected keyword argument 'depth'"),
        ({"spec": {"size": 16384}}, "Expected size to be a whole number from 4 to 1024"),
        ({"spec": {"classes": 4}}, "Expected class_names to hold 4 names"),
        ({"spec": {"classes": 1}}, "Expected classes to be a whole number from 2"),
        ({"spec": {"family": "os.system"}}, "family"),
        ({"spec": {"channels": 3}}, "its images are (1, 8) and its network takes (3, 8)"),
        ({"images": {"size": 16, "resize": 16}}, "its images are (1, 16) and its network takes (1, 8)"),
        ({"images": {"channels": 1.0}}, "Expected channels to be a whole number"),
        ({"images": {"std": [0.0]}}, "Expected image std to be 1 numbers > 0"),
        ({"images": {"mean": ["x"]}}, "must be real number"),
        ({"class_names": "abc"}, "its class_names are no list"),
        ({"class_names": ["a", "a", "b"]}, "repeats"),
        ({"class_names": ["a", 1, "b"]}, "non-empty texts"),
        ({"training": 7}, "does not say how it was trained"),
        ({"behind": None}, "does not say how it was trained"),
        ({"more": 1}, "more"),
    ],
)
def test_hostile_descriptions_are_one_line(file: Path, changes: dict[str, Any], words: str) -> None:
    with safetensors.safe_open(file, "pt") as opened:
        fields = json.loads(opened.metadata()["cascade_core"])
    for key, value in changes.items():
        fields[key] = fields[key] | value if isinstance(value, dict) else value
    safetensors.torch.save_file(TINY.build().state_dict(), file, metadata={"cascade_core": json.dumps(fields)})
    with pytest.raises(ValueError, match=r"Expected front.safetensors to be a network that `python -m") as refused:
        find(f"front={file}")
    assert_one_line(refused.value, words)


def test_other_files_and_weights_are_refused(file: Path, tmp_path: Path) -> None:
    for content in (b"", b"nonsense", file.read_bytes()[:100]):
        (tmp_path / "cut.safetensors").write_bytes(content)
        with pytest.raises(ValueError, match=r"Expected cut.safetensors to be a network") as refused:
            find(f"front={tmp_path / 'cut.safetensors'}")
        assert_one_line(refused.value)
    with pytest.raises(ValueError, match="there is none"):
        find(f"front={tmp_path / 'missing.safetensors'}")
    save_front(file, replace(ABOUT, spec=replace(TINY, width=2)), TINY.build())
    with pytest.raises(ValueError, match=r"in front.safetensors to have shape"):
        load_model(find(f"front={file}"), 3)
