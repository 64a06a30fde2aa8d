"""Networks from what a user types: `NAME[=WEIGHTS][+HEADS]` to a `Network`, and that to a model with stages.

NAME is one of the zoo's, one of torchvision's classifiers, `front` for a small network that the verb `front` trained,
`timm:NAME`, `hf:FOLDER`, or `package.module:factory` from the user's code.  WEIGHTS is a file, or the name of published
weights; HEADS is a .safetensors file that `build` wrote.
With heads a network has early exits, at the places that the file names; without, it is one piece, and need not be
traceable.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import torch
from torch import Tensor, nn

from cascade_core.nets.answers import as_logits, to_logits
from cascade_core.nets.cutting.attach import assemble, cut
from cascade_core.nets.cutting.own_exits import own_exits
from cascade_core.nets.cutting.tracing import for_one
from cascade_core.nets.heads.families import build as build_heads
from cascade_core.nets.heads.weights import fill_heads, load_weights, read_heads, state_digest
from cascade_core.nets.networks.front import NAME as FRONT
from cascade_core.nets.networks.front import front_network
from cascade_core.nets.networks.huggingface import PREFIX, huggingface_network
from cascade_core.nets.networks.outside import (
    Wishes,
    factory_network,
    timm_network,
    torchvision_names,
    torchvision_network,
)
from cascade_core.nets.networks.zoo import ZOO, Network
from cascade_core.nets.returned import WHOLE, Taken, look
from cascade_core.nets.staged import CascadedNetwork, ModelCascade, StagedModel

NO_WISHES: Wishes = MappingProxyType({})

EXAMPLES = 7
"""Images that a network is tried on: more than one, so that the batch is seen, and seldom a number of exits."""


def find(text: str, wishes: Wishes = NO_WISHES, *, outputs: str | None = None) -> Network:
    """The network that `NAME[=WEIGHTS][+HEADS]` names; weights are not read.

    Args:
        wishes: Fields of `Preprocessing` that replace the network's own.
        outputs: Which of its answers to take, where it returns several: "all", "first", "last" or a name.

    Raises:
        ValueError: There is no such network, or the text is malformed.
    """
    name, weights, heads = _parts(text)
    return replace(_by_name(name, weights, wishes), heads=heads, outputs=outputs)


def _parts(text: str) -> tuple[str, str | None, Path | None]:
    """Name, weights and heads."""
    rest, plus, heads = text.rpartition("+")
    # A plus sign may also be part of the path of the weights.
    if plus and not heads.endswith(".safetensors"):
        if not Path(text.partition("=")[2]).is_file():
            raise ValueError(f"Expected a .safetensors file of heads after the + of {text!r} but it was {heads!r}")
        plus = ""
    name, separator, weights = (rest if plus else text).partition("=")
    if separator and not weights:
        raise ValueError(f"Expected weights after the = of {text!r} but there were none, such as {name}=a.safetensors")
    return name, weights or None, Path(heads) if plus else None


def _by_name(name: str, weights: str | None, wishes: Wishes) -> Network:
    if name in ZOO:
        own = ZOO[name]
        return replace(own, preprocessing=own.preprocessing.changed(wishes), weights=Path(weights) if weights else None)
    if name == FRONT:
        return front_network(weights, wishes)
    if name.startswith("timm:"):
        return timm_network(name, weights, wishes)
    if name.startswith(PREFIX):
        return huggingface_network(name, weights, wishes)
    if ":" in name:
        return factory_network(name, weights, wishes)
    others = torchvision_names()
    if name in others:
        return torchvision_network(name, weights, wishes)
    near = " or ".join(difflib.get_close_matches(name, [*ZOO, FRONT, *others], n=3))
    raise ValueError(
        f"Expected a network ({', '.join(ZOO)}, one of torchvision's such as resnet50, {FRONT}=FILE, timm:NAME, "
        f"hf:FOLDER or package.module:factory) but it was {name!r}{f'; did you mean {near}?' if near else ''}"
    )


def recorded_network(name: str, weights: Path | None, heads: Path | None, images: Wishes) -> Network:
    """The network that a run names: of the zoo, of torchvision or a front, as nothing is run because a file names it.

    Args:
        images: All fields of the `Preprocessing` that it was recorded with.

    Raises:
        ValueError: It is none of these.
    """
    if name not in (*ZOO, FRONT, *torchvision_names()):
        raise ValueError(f"Expected a network that this package or torchvision knows but the run names {name[:60]!r}")
    return replace(_by_name(name, None if weights is None else str(weights), images), heads=heads)


def example(network: Network, batch: int = 1) -> Tensor:
    """Made-up samples as the network takes them, (batch, ...)."""
    return network.preprocessing.example(batch)


def build_plain(network: Network, classes: int | None, seed: int = 0, *, download: bool = False) -> nn.Module:
    """The network in eval mode, with its weights if it has any, else fresh ones that depend on `seed`.

    Raises:
        ValueError: The weights are absent or do not fit.
    """
    if network.weights is not None and network.url and not network.weights.is_file():
        _fetch(network.url, network.weights, download)
    if network.weights is None and network.url and not download:
        raise ValueError(f"Expected leave to fetch the weights of {network.name}, once, from {network.url}: --download")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        plain = network.build(classes)
    if network.weights is not None:
        load_weights(plain, network.weights)
    return plain.eval()


def _fetch(url: str, file: Path, download: bool) -> None:
    """Published weights to where torch keeps them."""
    if not download:
        raise ValueError(
            f"Expected {file.name} in {file.parent} but it is not; fetch it with --download, or from {url}"
        )
    # The first digits of a file's SHA-256 are the end of its name.
    digits = re.search(r"-([0-9a-f]+)\.", file.name)
    file.parent.mkdir(parents=True, exist_ok=True)
    try:
        torch.hub.download_url_to_file(url, str(file), digits[1] if digits else None)
    except (OSError, RuntimeError) as error:
        raise ValueError(f"Expected to fetch {url} but {' '.join(str(error).split())}") from None


def whole(network: Network, plain: nn.Module, classes: int | None = None) -> StagedModel:
    """The network as it is: a model with stages of its own, else a cascade of one stage, or of one for each answer.

    Args:
        classes: How many, where that is known.

    Warns:
        UserWarning: It returns more than logits, or softmaxes.

    Raises:
        ValueError: It fails on an image, or returns no answer, or several of which none is wished for.
    """
    images, title = example(network, EXAMPLES), network.title
    if isinstance(plain, StagedModel):
        return as_logits(plain.eval(), images)
    places, answers = look(plain.eval(), title, images, classes, network.outputs)
    if len(places) > 1:
        return own_exits(plain, title, images, places)
    trunk = plain if places == (WHOLE,) else Taken(plain, places[0])
    trunk = for_one(trunk, title, images, answers[0])
    return CascadedNetwork(title, (title,), [trunk], [to_logits(answers[0], title)]).eval()


def load_model(network: Network, classes: int | None, *, seed: int = 0, download: bool = False) -> StagedModel:
    """The network with its weights, and with its heads if it has any; in eval mode.

    Args:
        classes: How many, where no heads file says it.

    Raises:
        ValueError: The heads file is malformed, or its heads belong to another network, weights or images.
    """
    if network.heads is None:
        return whole(network, build_plain(network, classes, seed, download=download), classes)
    about, file = read_heads(network.heads), network.heads.name
    if about.network != network.name:
        raise ValueError(f"Expected {file} to hold heads of {network.name} but they are of {about.network[:60]!r}")
    bare = network.weights is None and not network.brings_weights
    if bare and not about.whole:
        raise ValueError(f"Expected the weights that {file} was fitted to, {network.name}=WEIGHTS, but there were none")
    if about.images and about.images != network.preprocessing.describe():
        raise ValueError(
            f"Expected samples as {file} was fitted to, {_fields(about.images)}, but they are others; "
            "give the --image-size (and -resize, -mean, -std) or --text-length that the heads were built with"
        )
    plain = build_plain(network, len(about.class_names), seed, download=download)
    early = build_heads(about.specs, len(about.class_names), 0)
    fill_heads(network.heads, early, plain if about.whole and bare else None)
    digest = state_digest(plain)
    if digest != about.trunk:
        raise ValueError(
            f"Expected the trunk that {file} was fitted to (SHA-256 {about.trunk[:12]}) but it was {digest[:12]}; "
            "give the weights that the heads were built with"
        )
    names, known = ",".join(about.exits) or network.exits, len(about.class_names)
    pieces = cut(plain, example(network, EXAMPLES), names, classes=known, outputs=network.outputs)
    if pieces.shapes != tuple(spec.shape for spec in about.specs):
        raise ValueError(
            f"Expected {file} to hold heads for {', '.join(map(str, pieces.shapes))} but they are for "
            f"{', '.join(str(spec.shape) for spec in about.specs)}"
        )
    return assemble(network.title, pieces, early, about.stage_names)


def _fields(prepared: Wishes) -> str:
    return ", ".join(f"{key} {value}" for key, value in prepared.items())[:200]


def in_a_row(networks: Sequence[Network], models: Sequence[StagedModel]) -> StagedModel:
    """One model as it is, several as a cascade of models."""
    if len(models) == 1:
        return models[0]
    titles = [network.title for network in networks]
    # Equal names, such as one network with two sets of weights, get their position behind them.
    names = [f"{title} ({i + 1})" if titles.count(title) > 1 else title for i, title in enumerate(titles)]
    return ModelCascade(list(zip(names, models, strict=True)))
