"""Classifiers of Hugging Face, `hf:FOLDER` or `hf:NAME`, where transformers is installed: of images and of texts.

A folder is one that `save_pretrained` wrote, or a repository that was fetched: a configuration, weights, and the
preparation of images or a tokenizer.  A name is looked up among what `hf download` has fetched to this machine; nothing
is fetched here, and no code of a repository is run.  Which of the two it is, its configuration says.

A network of images is a plain module, whose logits are taken and which is cut like any other; one of texts is cut
behind its encoder layers by `encoders`.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from torch import nn

from cascade_core.nets.faults import told
from cascade_core.nets.images.pixels import IMAGENET_MEAN, IMAGENET_STD, Preprocessing
from cascade_core.nets.networks.encoders import TextNetwork
from cascade_core.nets.networks.tokenizers import tokens_of
from cascade_core.nets.networks.zoo import Network
from cascade_core.nets.texts.tokens import Tokens
from cascade_core.support.files import is_regular
from cascade_core.support.json_files import read_json

PREFIX = "hf:"

IMAGES = "preprocessor_config.json"

OF_TEXTS, OF_IMAGES = "ForSequenceClassification", "ForImageClassification"
"""How transformers calls classifiers of texts and of images."""

WEIGHTS = ("model.safetensors", "pytorch_model.bin")
"""Files of weights, the first that is there being used; with `.index.json` behind, a list of several."""

RESAMPLE = {2: "bilinear", 3: "bicubic"}
"""Pillow's numbers, which the files have."""

MOST_BYTES = 1 << 20


def huggingface_network(name: str, weights: str | None, wishes: Mapping[str, Any]) -> Network:
    """`hf:FOLDER` or `hf:NAME`.

    Args:
        weights: A file, else those of the folder.

    Raises:
        ValueError: transformers is not installed, there is no such folder, or it holds no classifier.
    """
    short = name.removeprefix(PREFIX)
    transformers, folder = _transformers("transformers"), _folder(short)
    with told(f"Expected {short} to hold a classifier of images or texts"):
        config = transformers.AutoConfig.from_pretrained(folder, local_files_only=True)
    of_texts = _is_of_texts(config, short)
    preprocessing: Preprocessing | Tokens = (
        tokens_of(transformers, folder, config) if of_texts else _preprocessing(folder, config)
    )
    return Network(
        # Where a folder lies is this machine's own affair.
        name=PREFIX + (folder.name if Path(short).is_dir() else short),
        title=folder.resolve().name if Path(short).is_dir() else short.rpartition("/")[2],
        build=_builder(transformers, folder, config, short, weights, of_texts=of_texts),
        preprocessing=preprocessing.changed(wishes),
        weights=None if weights is None else Path(weights),
        brings_weights=weights is None,
        own_weights=_own_weights(folder) if weights is None else (),
    )


def _is_of_texts(config: Any, short: str) -> bool:
    """Whether a classifier is one of texts, as its configuration says.

    Raises:
        ValueError: It is neither, or one of texts whose answers are no classes that exclude one another.
    """
    classifies = next(iter(getattr(config, "architectures", None) or ()), OF_IMAGES)
    if OF_IMAGES in classifies:
        return False
    if not classifies.endswith(OF_TEXTS):
        raise ValueError(
            f"Expected {short} to hold a classifier of images or texts but it is a {classifies}; "
            "what is no classifier yet has to be trained as one before"
        )
    kind = getattr(config, "problem_type", None)
    if config.num_labels < 2 or kind in ("regression", "multi_label_classification"):
        came = "several labels a text" if kind == "multi_label_classification" else "a number"
        raise ValueError(f"Expected {short} to give each text one of several classes but it gives {came}")
    return True


def _builder(
    transformers: Any, folder: Path, config: Any, short: str, weights: str | None, *, of_texts: bool
) -> Callable[[int | None], nn.Module]:
    """What builds the network, with its weights unless a file of others is given."""
    auto = getattr(transformers, f"AutoModel{OF_TEXTS if of_texts else OF_IMAGES}")

    def build(classes: int | None) -> nn.Module:
        with told(f"Expected {short} to hold a classifier of {'texts' if of_texts else 'images'}"):
            if weights is None:
                made: nn.Module = auto.from_pretrained(folder, config=config, local_files_only=True, dtype="float32")
            else:
                config.update({} if classes is None else {"num_labels": classes})
                made = auto.from_config(config)
            return TextNetwork(made) if of_texts else made

    return build


def _own_weights(folder: Path) -> tuple[Path, ...]:
    """The files of weights in a folder: one, or an index and what it lists, in order of their names."""
    for name in WEIGHTS:
        if is_regular(folder / name):
            return (folder / name,)
        index = folder / f"{name}.index.json"
        if is_regular(index):
            part = re.compile(re.escape(name).replace(r"\.", r"-\d+-of-\d+\.", 1))
            return (index, *sorted(file for file in folder.iterdir() if part.fullmatch(file.name)))
    return ()


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
        said = read_json(folder / IMAGES, MOST_BYTES)
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
