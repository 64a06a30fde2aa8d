"""Image classifiers of Hugging Face, `hf:FOLDER` or `hf:NAME`, where transformers is installed.

A folder is one that `save_pretrained` wrote, or a repository that was fetched: a configuration, weights, and the
preparation of images.  A name is looked up among what `hf download` has fetched to this machine; nothing is fetched
here, and no code of a repository is run.  The network is a plain module, whose logits are taken and which is cut like
any other, so that its exits lie behind encoder layers.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from torch import nn

from cascade_core.nets.faults import told
from cascade_core.nets.images.pixels import IMAGENET_MEAN, IMAGENET_STD, Preprocessing
from cascade_core.nets.networks.zoo import Network
from cascade_core.support.files import is_regular, read_bytes, strict_json

PREFIX = "hf:"

IMAGES = "preprocessor_config.json"

RESAMPLE = {2: "bilinear", 3: "bicubic"}
"""Pillow's numbers, which the files have."""

MOST_BYTES = 1 << 20


def huggingface_network(name: str, weights: str | None, wishes: Mapping[str, Any]) -> Network:
    """`hf:FOLDER` or `hf:NAME`.

    Args:
        weights: A file, else those of the folder.

    Raises:
        ValueError: transformers is not installed, there is no such folder, or it holds no image classifier.
    """
    short = name.removeprefix(PREFIX)
    transformers, folder = _transformers("transformers"), _folder(short)
    with told(f"Expected {short} to hold a classifier of images"):
        config = transformers.AutoConfig.from_pretrained(folder, local_files_only=True)
        auto = transformers.AutoModelForImageClassification

    def build(classes: int | None) -> nn.Module:
        with told(f"Expected {short} to hold a classifier of images"):
            if weights is not None:
                own = {} if classes is None else {"num_labels": classes}
                config.update(own)
                bare: nn.Module = auto.from_config(config)
                return bare
            options = {"local_files_only": True, "dtype": "float32"}
            made: nn.Module = auto.from_pretrained(folder, config=config, **options)
            return made

    return Network(
        # Where a folder lies is this machine's own affair.
        name=PREFIX + (folder.name if Path(short).is_dir() else short),
        title=folder.resolve().name if Path(short).is_dir() else short.rpartition("/")[2],
        build=build,
        preprocessing=_preprocessing(folder, config).changed(wishes),
        weights=None if weights is None else Path(weights),
        brings_weights=weights is None,
    )


def _transformers(package: str) -> ModuleType:
    try:
        return importlib.import_module(package)
    except ImportError as error:
        raise ValueError(
            f"Expected transformers to be installed, for networks hf:FOLDER, but {error}; "
            "pip install 'cascade-core[transformers]'"
        ) from None


def _folder(short: str) -> Path:
    """The folder of a network, named by itself or by its repository."""
    if (Path(short) / "config.json").is_file():
        return Path(short)
    if Path(short).is_dir():
        raise ValueError(f"Expected {short} to be a folder that save_pretrained wrote but it holds no config.json")
    try:
        return Path(_transformers("huggingface_hub").snapshot_download(short, local_files_only=True))
    # What is absent, malformed as a name, or damaged is one to the user: it is not here.
    except Exception:
        raise ValueError(
            f"Expected a folder, or a repository that was fetched to this machine, at {short!r} but there is none; "
            f"hf download {short} fetches one"
        ) from None


def _preprocessing(folder: Path, config: Any) -> Preprocessing:
    """How the network's authors prepare images, else what its configuration says of them."""
    channels = getattr(config, "num_channels", 3)
    said: Mapping[str, Any] = {}
    if is_regular(folder / IMAGES):
        said = strict_json(read_bytes(folder / IMAGES, MOST_BYTES))
    scaled = _side(said.get("size")) or _side(getattr(config, "image_size", None)) or 224
    size = _side(said.get("crop_size")) if said.get("do_center_crop") else None
    normal = said.get("do_normalize", True)
    mean = said.get("image_mean") or IMAGENET_MEAN[:channels] if normal else (0.0,) * channels
    std = said.get("image_std") or IMAGENET_STD[:channels] if normal else (1.0,) * channels
    return Preprocessing(
        channels=channels,
        size=size or scaled,
        resize=max(scaled, size or scaled),
        interpolation=RESAMPLE.get(said.get("resample", 2), "bicubic"),
        mean=tuple(mean),
        std=tuple(std),
    )


def _side(size: Any) -> int | None:
    """The shorter side that a size means: a number, `shortest_edge`, or the smaller of height and width."""
    if isinstance(size, Mapping):
        sides = [size[key] for key in ("shortest_edge", "height", "width") if isinstance(size.get(key), int)]
        return min(sides) if sides else None
    return int(size) if isinstance(size, int) and not isinstance(size, bool) else None
