"""Networks of others by name: torchvision's classifiers, timm's where it is installed, and the user's own code.

Each is made a `Network`, with the preprocessing that its authors evaluate it with.  Weights are a file, or the name of
published ones: for torchvision a member of the network's enumeration, such as IMAGENET1K_V2 or DEFAULT, for timm
`pretrained`.  Nothing is fetched here.  What is imported and called is what the user typed, never what a file says.
"""

from __future__ import annotations

import importlib
import inspect
import math
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any, cast
from urllib.parse import urlparse

import torch
from torch import nn

from cascade_core.nets._torchvision import torchvision
from cascade_core.nets.images.pixels import INTERPOLATIONS, Preprocessing
from cascade_core.nets.networks.zoo import Network

Wishes = Mapping[str, Any]
"""Fields of `Preprocessing` that the user sets."""

IMAGENET = Preprocessing(size=224, resize=256)
"""How most classifiers of ImageNet are evaluated."""

IMAGENET_CLASSES = 1000


def torchvision_names() -> tuple[str, ...]:
    """Names of torchvision's classifiers."""
    return tuple(torchvision.models.list_models(module=torchvision.models))


def torchvision_network(name: str, weights: str | None, wishes: Wishes) -> Network:
    """One of torchvision's classifiers.

    Args:
        weights: A member of its enumeration, or a file; a published file's own preprocessing is known by its name.

    Raises:
        ValueError: `weights` is neither.
    """
    published = torchvision.models.get_model_weights(name)
    members = published.__members__
    file, url, member = None, "", members["DEFAULT"]
    if weights in members:
        member = members[weights]
        url, file = member.url, Path(torch.hub.get_dir()) / "checkpoints" / _file_name(member.url)
    elif weights is not None:
        file = Path(weights)
        if not file.is_file():
            raise ValueError(
                f"Expected weights of {name} to be a file or one of {', '.join(members)} but there is no {weights!r}"
            )
        member = next((each for each in published if _file_name(each.url) == file.name), member)
    preprocessing = _of_transform(member.transforms()).changed(wishes)
    options = _options(name, preprocessing.size, weights is not None)

    def build(classes: int | None) -> nn.Module:
        own = {} if classes is None else {"num_classes": classes}
        made: nn.Module = torchvision.models.get_model(name, weights=None, **own, **options)
        return made

    return Network(name=name, title=name, build=build, preprocessing=preprocessing, weights=file, url=url)


def _file_name(url: str) -> str:
    return Path(urlparse(url).path).name


def _of_transform(transform: Any) -> Preprocessing:
    """The preprocessing of torchvision's own transform for classification."""
    return Preprocessing(
        size=transform.crop_size[0],
        resize=transform.resize_size[0],
        interpolation=transform.interpolation.value,
        mean=tuple(transform.mean),
        std=tuple(transform.std),
    )


def _options(name: str, size: int, with_weights: bool) -> dict[str, Any]:
    """What torchvision's builders would work out from the weights, which are read here instead."""
    if name.startswith("vit_"):
        return {"image_size": size}
    if name.startswith("maxvit"):
        return {"input_size": (size, size)}
    if name in ("googlenet", "inception_v3"):
        # Their weights were trained elsewhere, on images of another normalisation.
        return {"transform_input": with_weights, "init_weights": False}
    return {}


def timm_network(name: str, weights: str | None, wishes: Wishes) -> Network:
    """`timm:NAME`.

    Args:
        weights: A file, or "pretrained" for timm's own.

    Raises:
        ValueError: timm is not installed, or has no such network.
    """
    timm, short = _timm(), name.removeprefix("timm:")
    pretrained = weights == "pretrained"
    if not timm.is_model(short):
        raise ValueError(f"Expected the name of one of timm's networks after timm: but it was {short!r}")

    def build(classes: int | None) -> nn.Module:
        # Pretrained ones keep their own classes: timm would give other numbers of them a fresh last layer.
        own = {} if classes is None or pretrained else {"num_classes": classes}
        made: nn.Module = timm.create_model(short, pretrained=pretrained, **own)
        return made

    config = timm.data.resolve_model_data_config(timm.create_model(short, pretrained=False))
    interpolation = config["interpolation"] if config["interpolation"] in INTERPOLATIONS else "bicubic"
    size = min(config["input_size"][1:])
    preprocessing = Preprocessing(
        channels=config["input_size"][0],
        size=size,
        resize=max(size, math.floor(size / config["crop_pct"])),
        interpolation=interpolation,
        mean=tuple(config["mean"]),
        std=tuple(config["std"]),
    )
    return Network(
        name=name,
        title=short,
        build=build,
        preprocessing=preprocessing.changed(wishes),
        weights=None if weights is None or pretrained else Path(weights),
        url="https://huggingface.co/timm" if pretrained else "",
        brings_weights=pretrained,
    )


def _timm() -> ModuleType:
    try:
        return importlib.import_module("timm")
    except ImportError as error:
        raise ValueError(
            f"Expected timm to be installed, for networks timm:NAME, but {error}; pip install timm"
        ) from None


def factory_network(name: str, weights: str | None, wishes: Wishes) -> Network:
    """`package.module:factory`, from the user's own code; the current folder is searched too.

    The factory is called with `num_classes` if it takes that, else with nothing, and returns a module.

    Raises:
        ValueError: There is no such module, or nothing to call of that name in it.
    """
    factory = _factory(name)
    parameters = inspect.signature(factory).parameters
    named = parameters.get("num_classes")
    takes = named is not None or any(p.kind is p.VAR_KEYWORD for p in parameters.values())
    # A factory that requires `num_classes` gets ImageNet's, unless another number is asked for.
    usual = IMAGENET_CLASSES if named is not None and named.default is named.empty else None

    def build(classes: int | None) -> nn.Module:
        number = usual if classes is None else classes
        made = factory(num_classes=number) if takes and number is not None else factory()
        if not isinstance(made, nn.Module):
            raise ValueError(f"Expected {name} to return a torch.nn.Module but it returned {type(made).__name__}")
        return made

    return Network(
        name=name,
        title=name.rpartition(":")[2],
        build=build,
        preprocessing=IMAGENET.changed(wishes),
        weights=None if weights is None else Path(weights),
        brings_weights=True,
    )


def _factory(name: str) -> Callable[..., object]:
    module, _, attribute = name.partition(":")
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    try:
        factory = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError, ValueError, TypeError) as error:
        reason = " ".join(str(error).split())
        raise ValueError(f"Expected {name} to name a function, package.module:factory, but {reason}") from None
    if not callable(factory):
        raise ValueError(f"Expected {name} to name a function but it is a {type(factory).__name__}")
    return cast(Callable[..., object], factory)
