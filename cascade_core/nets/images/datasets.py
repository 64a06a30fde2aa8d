"""Labelled images by name: `KIND` or `KIND:PATH`, opened as an `ImageSet`.

- `digits`: scikit-learn's 1,797 8x8 digits, divided into 897 for training and 900 for testing; needs no file.
- `imagefolder:PATH`: a folder a class, images in any depth below it; the sample's id is its path relative to PATH.
- `wds:FILES`, `parquet:FILES`: pictures in tar shards or in Parquet files, here or in a bucket (`tars`, `tables`).
- `hf:NAME`, `hf:FOLDER`: a data set of Hugging Face (`hub`).
- `cifar10:PATH`, `cifar100:PATH`, `svhn:PATH`, `fashionmnist:PATH`: torchvision's, which may be downloaded to PATH.

Images are held as 8-bit pixels.  A set of up to `MEMORY_LIMIT` bytes is decoded once and kept when it is first drawn
from at random, for training goes over it again and again; a larger one is decoded whenever it is read, and so is any
that is only read in order.  Images of another size than
the network's are scaled (shorter side, antialiased) and cropped in the middle; grey and colour are converted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from cascade_core.nets._torchvision import torchvision
from cascade_core.nets.classes import Classes
from cascade_core.nets.images.corruptions import Corruption, corrupt
from cascade_core.nets.images.hub import open_hub
from cascade_core.nets.images.labelled import Labelled
from cascade_core.nets.images.pixels import Pixels, Preprocessing, augment, normalise, open_image, preprocess
from cascade_core.nets.images.tables import open_tables
from cascade_core.nets.images.tars import open_tars
from cascade_core.nets.samples import SampleSet
from cascade_core.storage.digits import digit_id, digits
from cascade_core.support import checks

MEMORY_LIMIT = 1 << 30
"""Most bytes of decoded pixels that a set keeps in memory."""

DIGITS_SEED = 0
DIGITS_TEST = 900


@dataclass(kw_only=True)
class ImageSet(SampleSet):
    """N labelled images, prepared for one network.

    Attributes:
        preprocessing: The images that `batch` gives.
        flip: Whether a mirrored image is as good as the image.
        read: Pixels (height, width, 3 or 1) of sample i, as stored.
        corruptions: What is done to each picture, in this order, once it has the network's size.
        seed: Of what is random in that.
    """

    preprocessing: Preprocessing
    flip: bool
    read: Callable[[int], Pixels]
    corruptions: tuple[Corruption, ...] = ()
    seed: int = 0
    _kept: Tensor | None = field(default=None, repr=False)

    unit: ClassVar[str] = "images"

    def batch(
        self, index: Tensor, *, keep: bool = False, generator: torch.Generator | None = None, shift: int = 0
    ) -> Tensor:
        """Normalised images (batch, channels, size, size) float32, shifted and mirrored where there is a generator."""
        pixels = self.pixels(index, keep=keep)
        return self.normalise(pixels if generator is None else augment(pixels, shift, self.flip, generator))

    def pixels(self, index: Tensor, *, keep: bool = True) -> Tensor:
        """(batch, channels, size, size) uint8 images of samples `index` (batch,).

        Args:
            keep: Whether a set that is not too large is decoded whole and kept; if it is kept already it is used.
        """
        expected = self.preprocessing
        if self._kept is None and keep and len(self) * expected.channels * expected.size**2 <= MEMORY_LIMIT:
            self._kept = self._decode(torch.arange(len(self)))
        return self._decode(index) if self._kept is None else self._kept[index]

    def _decode(self, index: Tensor) -> Tensor:
        # Pillow decodes outside Python's lock, so threads help, and they need no pickling as processes would.
        with ThreadPoolExecutor(max_workers=2) as pool:
            return torch.stack(list(pool.map(self._pixels, index.tolist())))

    def _pixels(self, i: int) -> Tensor:
        plain = preprocess(self.read(i), self.preprocessing)
        return corrupt(plain, self.corruptions, self.seed, self.sample_ids[i]) if self.corruptions else plain

    def normalise(self, pixels: Tensor) -> Tensor:
        """Float32 images of uint8 `pixels` (batch, channels, size, size): in [0, 1], less mean, over deviation."""
        return normalise(pixels, self.preprocessing)

    def take(self, index: Tensor) -> ImageSet:
        """The set of the samples at `index` (n,) int64, in that order."""
        return replace(
            self,
            labels=self.labels[index],
            sample_ids=tuple(self.sample_ids[i] for i in index.tolist()),
            read=lambda i: self.read(int(index[i])),
            _kept=None,
        )

    def describe(self) -> dict[str, Any]:
        """What a run file says of the set and its transform, as JSON data."""
        corrupted = {"corrupted": list(map(str, self.corruptions))} if self.corruptions else {}
        return {"dataset": self.spec, "split": self.split, "transform": self.preprocessing.describe(), **corrupted}


def open_images(
    spec: str, preprocessing: Preprocessing, *, split: str = "test", download: bool = False, classes: str | None = None
) -> ImageSet:
    """Open images, as `opening.open_data` does."""
    kind, _, path = spec.partition(":")
    checks.one_of("data (KIND or KIND:PATH)", kind, tuple(KINDS))
    if kind == "digits" and path:
        raise ValueError(f"Expected data digits alone, which needs no path, but it was {spec!r}")
    if kind != "digits" and not path:
        raise ValueError(f"Expected a path in data {spec!r}, such as {kind}:PATH, but there was none")
    parts = _classed(KINDS[kind](path, split == "train", download), classes)
    name = kind if kind == "digits" else f"{kind}:{Path(path).resolve().name}"
    return ImageSet(spec=name, split=split, preprocessing=preprocessing, **parts)


def _classed(parts: dict[str, Any], given: str | None) -> dict[str, Any]:
    """The parts of a set with the class numbers of the network."""
    own, ordered = parts["class_names"], parts.pop("ordered", True)
    if given is not None:
        classes = Classes.read(given)
        nameless = ordered and own == tuple(map(str, range(len(own)))) and not classes.numbers.keys() & set(own)
        if nameless and len(own) <= len(classes.names):
            # Numbers that nobody named are the network's.
            return {**parts, "class_names": classes.names}
    elif not ordered:
        classes = Classes.of_folders(own)
    else:
        return parts
    return {**parts, "labels": torch.tensor(classes.of(own))[parts["labels"]], "class_names": classes.names}


def _digits(_path: str, train: bool, _download: bool) -> dict[str, Any]:
    # scikit-learn takes a second to import, and only this set needs it.
    from sklearn.model_selection import train_test_split

    pixels, labels = digits()
    parts = train_test_split(np.arange(len(pixels)), test_size=DIGITS_TEST, random_state=DIGITS_SEED, stratify=labels)
    rows = np.sort(parts[0 if train else 1])
    return {
        "labels": torch.from_numpy(labels[rows]),
        "sample_ids": tuple(map(digit_id, rows)),
        "class_names": tuple(str(c) for c in range(10)),
        "flip": False,
        "read": lambda i: pixels[rows[i], ..., None],
    }


def _folder(text: str, _train: bool, _download: bool) -> dict[str, Any]:
    path = Path(text)
    if not path.is_dir():
        raise ValueError(f"Expected a folder with a folder for each class at {path} but there is none")
    try:
        samples = torchvision.datasets.ImageFolder(str(path))
    except (FileNotFoundError, RuntimeError) as error:
        reason = str(error).splitlines()[0]
        raise ValueError(f"Expected {path} to hold a folder of images for each class but {reason}") from None
    files = [Path(name).absolute() for name, _ in samples.samples]
    return {
        "labels": torch.tensor(samples.targets, dtype=torch.int64),
        "sample_ids": tuple(file.relative_to(path.absolute()).as_posix() for file in files),
        "class_names": tuple(samples.classes),
        "ordered": False,
        "flip": True,
        "read": lambda i: open_image(files[i]),
    }


def _tars(text: str, _train: bool, _download: bool) -> dict[str, Any]:
    pictures, labels = open_tars(text)
    return _of_files(pictures, labels, pictures.sample_ids)


def _tables(text: str, _train: bool, _download: bool) -> dict[str, Any]:
    pictures, labels = open_tables(text)
    return _of_files(pictures, labels, pictures.sample_ids)


def _hub(text: str, train: bool, download: bool) -> dict[str, Any]:
    pictures, labels = open_hub(text, "train" if train else "test", download=download)
    return _of_files(pictures, labels, map(pictures.name, range(len(labels.labels))))


def _of_files(read: Callable[[int], Pixels], labels: Labelled, sample_ids: Iterable[str]) -> dict[str, Any]:
    return {
        "labels": labels.labels,
        "sample_ids": tuple(sample_ids),
        "class_names": labels.names,
        "ordered": labels.ordered,
        "flip": True,
        "read": read,
    }


def _torchvision(name: str, flip: bool) -> Callable[[str, bool, bool], dict[str, Any]]:
    """A reader of one of torchvision's sets, which hold all their pixels in memory."""

    def opened(path: str, train: bool, download: bool) -> dict[str, Any]:
        split = "train" if train else "test"
        options: dict[str, Any] = {"split": split} if name == "SVHN" else {"train": train}
        try:
            dataset = getattr(torchvision.datasets, name)(path, download=download, **options)
        # What stands in the place of the files may be anything, and torchvision asserts rather than checks.
        except Exception as error:
            reason = (str(error).strip() or type(error).__name__).splitlines()[0]
            raise ValueError(
                f"Expected the {split} set of {name} under {path} but {reason.rstrip('.')}; "
                "allow the download (--download), or put the original archive's files there"
            ) from None
        labels = np.asarray(dataset.labels if name == "SVHN" else dataset.targets).astype(np.int64)
        pixels = np.asarray(dataset.data)
        pixels = pixels.transpose(0, 2, 3, 1) if name == "SVHN" else pixels
        pixels = pixels[..., None] if pixels.ndim == 3 else pixels
        return {
            "labels": torch.from_numpy(labels),
            "sample_ids": tuple(f"{split}/{i:05d}" for i in range(len(labels))),
            "class_names": tuple(getattr(dataset, "classes", [str(c) for c in range(10)])),
            "flip": flip,
            "read": lambda i: pixels[i],
        }

    return opened


KINDS: Mapping[str, Callable[[str, bool, bool], dict[str, Any]]] = {
    "digits": _digits,
    "imagefolder": _folder,
    "wds": _tars,
    "parquet": _tables,
    "hf": _hub,
    "cifar10": _torchvision("CIFAR10", True),
    "cifar100": _torchvision("CIFAR100", True),
    "svhn": _torchvision("SVHN", False),
    "fashionmnist": _torchvision("FashionMNIST", True),
}
