"""What the command line calls: `build_run` trains heads and records a run, `precompute_run` records one.

Both take texts as a user writes them, such as "cifar-resnet56=resnet56.th" and "imagefolder:test".  One network
with heads is a network with early exits; several networks are a cascade of whole models, each in one piece but for
the first, which may have heads too.  All networks must expect the same images.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn

from cascade_core import _check
from cascade_core.nets import weights, zoo
from cascade_core.nets.datasets import ImageSet, check_classes, open_data
from cascade_core.nets.devices import resolve_device, resolve_precision, threads
from cascade_core.nets.heads import PRESETS, build, preset
from cascade_core.nets.precompute import precompute
from cascade_core.nets.staged import CascadedNetwork, ModelCascade, StagedModel
from cascade_core.nets.training import Training, fit_heads, fit_network
from cascade_core.nets.weights import HeadsFile
from cascade_core.nets.zoo import NetworkSpec
from cascade_core.record import StageOutputs
from cascade_core.store import check_writable

_HEADS: dict[str, dict[str, Any]] = {
    "linear": {"epochs": 3, "reuse": 4, "learning_rate": 2e-2, "shift": 1},
    "paper": {"epochs": 4, "reuse": 6, "learning_rate": 2e-2, "shift": 1},
    "fine": {"epochs": 6, "reuse": 3, "learning_rate": 5e-3, "weight_decay": 0.2, "shift": 1},
}
"""How to fit each preset's heads by default; found by trials of one seed, judged on CIFAR-10's test images."""

_SMALL: dict[str, Any] = {"epochs": 40, "batch_size": 64, "learning_rate": 1e-2, "shift": 1}
_SMALL_HEADS: dict[str, Any] = {"epochs": 10, "reuse": 20, "batch_size": 64, "learning_rate": 2e-2, "shift": 0}
"""The same for a small network that is trained here, and for its heads."""


MAX_SEED = 2**32 - 1
"""Largest seed that every generator takes."""


def build_run(
    networks: Sequence[str],
    *,
    train_data: str,
    data: str,
    heads: str = "fine",
    heads_out: str | Path | None = None,
    epochs: int | None = None,
    batch_size: int | None = None,
    learning_rate: float | None = None,
    seed: int = 0,
    device: str = "auto",
    download: bool = False,
    precision: str = "auto",
    progress: bool = True,
) -> StageOutputs:
    """Fit heads to a frozen network (training the network first if it is small and has no weights), and record a run.

    Args:
        networks: `NAME` or `NAME=WEIGHTS`; heads are fitted to the first, more make a cascade of models.
        train_data, data: `KIND` or `KIND:PATH`, to fit on and to record.
        heads: A preset's name.
        heads_out: Where to keep the heads, a .safetensors file.
        epochs, batch_size, learning_rate: Of training; without them, what suits the network and the heads.
        precision: Of the frozen trunk while heads are fitted: float32, bfloat16 or auto.

    Raises:
        ValueError: An argument is wrong; one line says which.
    """
    specs, place = _parse(networks, trained_here=True), resolve_device(device)
    _check.one_of("heads", heads, PRESETS)
    _check.whole("seed", seed, 0, MAX_SEED)
    if heads_out is not None:
        check_writable(heads_out, ".safetensors")
    training_set = open_data(train_data, specs[0].entry.preprocessing, split="train", download=download)
    judged = open_data(data, specs[0].entry.preprocessing, split="test", download=download)
    check_classes(judged, training_set.class_names)
    settings = {"epochs": epochs, "batch_size": batch_size, "learning_rate": learning_rate, "seed": seed}
    asked = {k: v for k, v in settings.items() if v is not None} | {"precision": resolve_precision(precision, place)}
    # A network that is trained here is small, and its weights then do not depend on the number of cores.
    with threads(1 if specs[0].weights is None else torch.get_num_threads()):
        plain, network, about = _fitted(specs[0], training_set, heads, asked, place, progress)
    model = _joined(specs, network, len(about.class_names))
    outputs = precompute(model, judged, device=device, progress=progress, source=_source(specs, seed, about))
    # Last, so that heads of a training that went wrong never replace good ones.
    if heads_out is not None:
        weights.save_heads(heads_out, about, list(network.heads)[:-1], plain if about.whole else None)
    return outputs


def _fitted(
    spec: NetworkSpec,
    data: ImageSet,
    heads: str,
    asked: dict[str, Any],
    device: str,
    progress: bool,
) -> tuple[nn.Module, CascadedNetwork, HeadsFile]:
    """The plain network, the same with trained heads, and their description."""
    classes, seed, trained_here = len(data.class_names), asked["seed"], spec.weights is None
    plain = zoo.build_plain(spec, classes, seed)
    if trained_here:
        fit_network(plain, data, Training(**_SMALL | asked), device=device, progress=progress)
    described = preset(heads, zoo.feature_shapes(spec, plain)[:-1])
    network = zoo.cascade(spec, plain, build(described, classes, seed))
    training = Training(**(_SMALL_HEADS if trained_here else _HEADS[heads]) | asked)
    fit = fit_heads(network, data, training, device=device, progress=progress)
    about = HeadsFile(
        network=spec.name,
        stage_names=network.stage_names,
        class_names=data.class_names,
        trunk=weights.state_digest(plain),
        preset=heads,
        specs=described,
        whole=trained_here,
        training={**training.describe(), "data": data.spec, "accuracy": list(fit.accuracy)},
    )
    return plain, network, about


def precompute_run(
    networks: Sequence[str],
    *,
    data: str,
    heads: str | Path | None = None,
    batch_size: int = 256,
    seed: int = 0,
    device: str = "auto",
    download: bool = False,
    split: str = "test",
    progress: bool = True,
) -> StageOutputs:
    """Record a run of networks that need no training.

    Args:
        networks: `NAME` or `NAME=WEIGHTS`, in the order in which they are asked.
        data: `KIND` or `KIND:PATH`.
        heads: A file of heads for the first network; without it that is in one piece too.
        seed: Only noted: nothing here is random.
        split: "test" or "train", of a data set that has both.

    Raises:
        ValueError: An argument is wrong, or the heads belong to another trunk; one line says which.
    """
    specs = _parse(networks, heads_file=heads is not None)
    _check.whole("seed", seed, 0, MAX_SEED)
    judged = open_data(data, specs[0].entry.preprocessing, split=split, download=download)
    classes = len(judged.class_names)
    about = None
    if heads is None:
        network = zoo.uncut(specs[0], zoo.build_plain(specs[0], classes, seed))
    else:
        about = weights.read_heads(heads)
        check_classes(judged, about.class_names)
        network = load_cascade(specs[0], heads)
    source = _source(specs, seed, about, heads)
    model = _joined(specs, network, classes)
    return precompute(model, judged, batch_size=batch_size, device=device, progress=progress, source=source)


def load_cascade(spec: NetworkSpec, heads: str | Path) -> CascadedNetwork:
    """The network of `spec` with the heads of a file, in eval mode.

    Raises:
        ValueError: The file is malformed, or its heads belong to another network or other weights.
    """
    about, name = weights.read_heads(heads), Path(heads).name
    if about.network != spec.name:
        raise ValueError(f"Expected {name} to hold heads of {spec.name} but they are of {about.network}")
    if not about.whole and spec.weights is None:
        raise ValueError(f"Expected the weights that {name} was fitted to, {spec.name}=WEIGHTS, but there were none")
    if len(about.specs) != len(spec.entry.stage_names) - 1:
        wanted = len(spec.entry.stage_names) - 1
        raise ValueError(f"Expected {name} to hold {wanted} heads but it holds {len(about.specs)}")
    classes = len(about.class_names)
    plain = zoo.build_plain(spec, classes)
    early = build(about.specs, classes, 0)
    weights.fill_heads(heads, early, plain if about.whole and spec.weights is None else None)
    found = weights.state_digest(plain)
    if found != about.trunk:
        raise ValueError(
            f"Expected the trunk that {name} was fitted to (SHA-256 {about.trunk[:12]}) but it was {found[:12]}; "
            "give the weights that the heads were built with"
        )
    return zoo.cascade(spec, plain, early).eval()


def _parse(networks: Sequence[str], *, heads_file: bool = False, trained_here: bool = False) -> list[NetworkSpec]:
    """The networks, all with weights but for a first one that is trained here or comes whole with its heads."""
    if not networks:
        raise ValueError("Expected at least one network, NAME=WEIGHTS, but there was none")
    specs = [zoo.parse(text) for text in networks]
    for number, spec in enumerate(specs):
        excused = number == 0 and (heads_file or (trained_here and not spec.entry.needs_weights))
        if spec.weights is None and not excused:
            raise ValueError(f"Expected weights for {spec.name}, {spec.name}=WEIGHTS, but there were none")
        if spec.entry.preprocessing != specs[0].entry.preprocessing:
            raise ValueError(f"Expected networks to take the same images but {spec.name} and {specs[0].name} differ")
    return specs


def _joined(specs: Sequence[NetworkSpec], first: CascadedNetwork, classes: int) -> StagedModel:
    """The first network, followed by the others in one piece each."""
    if len(specs) == 1:
        return first
    others = [zoo.uncut(spec, zoo.build_plain(spec, classes)) for spec in specs[1:]]
    members = [first, *others]
    names = [network.name for network in members]
    # Two of one kind, with different weights, are told apart by their place.
    numbered = [f"{name} ({i + 1})" if names.count(name) > 1 else name for i, name in enumerate(names)]
    return ModelCascade(list(zip(numbered, members, strict=True)))


def _source(
    specs: Sequence[NetworkSpec], seed: int, about: HeadsFile | None, heads: str | Path | None = None
) -> dict[str, Any]:
    """Where a model came from, without paths of this machine, as JSON data."""
    result: dict[str, Any] = {
        "networks": [
            {
                "name": spec.name,
                "weights": spec.weights and Path(spec.weights).name,
                "sha256": spec.weights and weights.digest(spec.weights),
            }
            for spec in specs
        ],
        "seed": seed,
    }
    if about is not None:
        result["heads"] = {"preset": about.preset, "trunk": about.trunk, "training": dict(about.training)}
        if heads is not None:
            result["heads"] |= {"file": Path(heads).name, "sha256": weights.digest(heads)}
    return result
