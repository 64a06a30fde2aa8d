"""Opening sets of images: order, ids, preparation, augmentation, and what is said when something is wrong."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from cascade_core.nets.images import datasets
from cascade_core.nets.images.pixels import augment, preprocess
from cascade_core.nets.networks import zoo
from cascade_core.nets.opening import open_data
from cascade_core.nets.samples import batches, check_classes

DIGITS = zoo.ZOO["small-cnn"].images
CIFAR = zoo.ZOO["cifar-resnet20"].images


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two classes of 3 and 2 pictures, each of one colour."""
    for name, count in (("cat", 3), ("ant", 2)):
        (tmp_path / "set" / name).mkdir(parents=True)
        for i in range(count):
            Image.new("RGB", (32, 32), (i, 100, 200)).save(tmp_path / "set" / name / f"{i:04d}.png")
    return tmp_path / "set"


def test_digits_are_divided_once_and_for_all() -> None:
    train, test = (open_data("digits", DIGITS, split=split) for split in ("train", "test"))
    assert (len(train), len(test)) == (897, 900)
    assert not set(train.sample_ids) & set(test.sample_ids)
    assert torch.bincount(test.labels).min() >= 85
    image, label = test[0]
    assert image.shape == (1, 8, 8)
    assert image.dtype == torch.float32
    assert label == int(test.labels[0])


def test_an_image_folder_is_read_in_order(folder: Path) -> None:
    data = open_data(f"imagefolder:{folder}", CIFAR)
    assert data.class_names == ("ant", "cat")
    assert data.sample_ids == ("ant/0000.png", "ant/0001.png", "cat/0000.png", "cat/0001.png", "cat/0002.png")
    assert data.labels.tolist() == [0, 0, 1, 1, 1]
    # The last picture's red is 2 of 255.
    assert float(data[4][0][0, 0, 0]) == pytest.approx((2 / 255 - 0.485) / 0.229)
    assert str(folder.parent) not in str(data.describe())
    assert [len(labels) for _, labels in batches(data, 2)] == [2, 2, 1]


def test_large_sets_are_decoded_as_they_are_read(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = [images for images, _ in batches(open_data(f"imagefolder:{folder}", CIFAR), 2)]
    monkeypatch.setattr(datasets, "MEMORY_LIMIT", 0)
    data = open_data(f"imagefolder:{folder}", CIFAR)
    fresh = [images for images, _ in batches(data, 2)]
    assert data._kept is None
    assert all(torch.equal(a, b) for a, b in zip(kept, fresh, strict=True))


def test_other_sizes_and_colours_are_converted() -> None:
    wide = np.zeros((40, 80, 3), dtype=np.uint8)
    wide[:, 20:60, 1] = 255  # green in the middle 40 of 80 columns
    made = preprocess(wide, CIFAR)
    assert made.shape == (3, 32, 32)
    assert (made[1, :, 1:-1] == 255).all()  # the middle, but for the smoothed edge
    assert preprocess(np.full((28, 28, 1), 7, dtype=np.uint8), CIFAR).unique().tolist() == [7]
    assert preprocess(wide, DIGITS).shape == (1, 8, 8)


def test_augmentation_shifts_and_mirrors_within_its_bounds() -> None:
    pixels = torch.zeros(200, 1, 8, 8, dtype=torch.uint8)
    pixels[:, 0, 3, 2] = 255
    places = augment(pixels, 1, True, torch.Generator().manual_seed(0)).nonzero()[:, 2:]
    assert set(places[:, 0].tolist()) == {2, 3, 4}
    assert set(places[:, 1].tolist()) == {1, 2, 3, 4, 5, 6}  # column 2, or 5 when mirrored, give or take one
    assert torch.equal(augment(pixels, 0, False, torch.Generator()), pixels)


def test_training_batches_depend_on_the_seed_alone() -> None:
    data = open_data("digits", DIGITS, split="train")

    def drawn(seed: int) -> torch.Tensor:
        made = batches(data, 64, generator=torch.Generator().manual_seed(seed), shift=1)
        return torch.cat([images for images, _ in made])

    assert torch.equal(drawn(0), drawn(0))
    assert not torch.equal(drawn(0), drawn(1))
    assert len(drawn(0)) == 897 // 64 * 64


def test_an_unreadable_image_is_named(folder: Path) -> None:
    (folder / "cat" / "0001.png").write_bytes(b"not a picture")
    data = open_data(f"imagefolder:{folder}", CIFAR)
    with pytest.raises(ValueError, match=r"Expected an image in .*cat/0001.png but it cannot be read"):
        list(batches(data, 2))


@pytest.mark.parametrize("kind", ["cifar10", "cifar100", "svhn", "fashionmnist"])
def test_absent_files_say_how_to_get_them(kind: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="allow the download") as error:
        open_data(f"{kind}:{tmp_path}", CIFAR)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("mnist:x", "to be one of digits, imagefolder, .* but it was 'mnist'"),
        ("imagefolder", "a path in data 'imagefolder', such as imagefolder:PATH"),
        ("imagefolder:/nowhere", "a folder with a folder for each class at /nowhere but there is none"),
    ],
)
def test_bad_specs(spec: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        open_data(spec, CIFAR)


def numbered(folder: Path, names: Sequence[str]) -> str:
    """A folder for each name with a picture whose red is the name's place among `names`; as text for `open_data`."""
    for i, name in enumerate(names):
        (folder / name).mkdir(parents=True)
        Image.new("RGB", (32, 32), (i, 0, 0)).save(folder / name / "0.png")
    return f"imagefolder:{folder}"


def reds(data: datasets.ImageSet) -> dict[int, int]:
    """The red of each sample's picture by its label."""
    return {int(label): int(data.read(i)[0, 0, 0]) for i, label in enumerate(data.labels)}


@pytest.mark.parametrize("first", [0, 1, 5])
def test_folders_called_by_numbers_stand_in_the_order_of_the_numbers(first: int, tmp_path: Path) -> None:
    names = [str(number) for number in range(first, first + 12)]
    with pytest.warns(UserWarning, match="Class folders are taken in the order of their numbers, .*; --classes gives"):
        data = open_data(numbered(tmp_path / "set", names), CIFAR)
    assert data.class_names == tuple(names)
    assert reds(data) == {i: i for i in range(12)}
    assert [data.class_names[label] for label in data.labels] == [name.split("/")[0] for name in data.sample_ids]


@pytest.mark.parametrize("names", [["01", "02", "10"], [str(i) for i in range(10)], ["n01", "n02"], ["a", "b"]])
def test_folders_whose_order_is_clear_are_taken_without_a_word(names: list[str], tmp_path: Path) -> None:
    assert reds(open_data(numbered(tmp_path / "set", names), CIFAR)) == {i: i for i in range(len(names))}


def test_letters_before_numbers_keep_their_order_and_that_is_said(tmp_path: Path) -> None:
    spec = numbered(tmp_path / "set", ["class1", "class10", "class2"])
    with pytest.warns(UserWarning, match="in the order of their letters, class1, class10, class2"):
        assert reds(open_data(spec, CIFAR)) == {0: 0, 1: 1, 2: 2}


def test_classes_are_given_in_the_networks_order(tmp_path: Path) -> None:
    spec = numbered(tmp_path / "set", ["ant", "bee", "cat"])
    data = open_data(spec, CIFAR, classes="dog, cat, bee, ant, eel")
    assert data.class_names == ("dog", "cat", "bee", "ant", "eel")
    assert reds(data) == {3: 0, 2: 1, 1: 2}
    with pytest.raises(ValueError, match="called like the 2 classes ant, bee but one is called 'cat'"):
        open_data(spec, CIFAR, classes="ant,bee")
    # Of a set that has an order of its own too.
    own = open_data("digits", DIGITS)
    turned = open_data("digits", DIGITS, classes=",".join("9876543210"))
    assert torch.equal(turned.labels, 9 - own.labels)


def test_empty_folders_and_other_classes(tmp_path: Path, folder: Path) -> None:
    with pytest.raises(ValueError, match="to hold a folder of images for each class but") as error:
        open_data(f"imagefolder:{tmp_path / 'set' / 'cat'}", CIFAR)
    assert "\n" not in str(error.value)
    with pytest.raises(ValueError, match="to have the 2 classes ant, bee but it has 2: ant, cat"):
        check_classes(open_data(f"imagefolder:{folder}", CIFAR), ("ant", "bee"))
