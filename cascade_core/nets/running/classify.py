"""Image files to answers, by a cascade that leaves early; a file that cannot be read stops nothing but itself."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from cascade_core.nets.heads.weights import read_heads
from cascade_core.nets.images.pixels import Preprocessing, normalise, open_image, preprocess
from cascade_core.nets.macs import baseline_macs, stage_costs
from cascade_core.nets.networks.named import example, in_a_row, load_model
from cascade_core.nets.networks.zoo import Network
from cascade_core.nets.progress import Bar
from cascade_core.nets.recording.runs import check_networks
from cascade_core.nets.running.runner import Runner
from cascade_core.nets.staged import StagedModel
from cascade_core.simulation.stages import exit_costs
from cascade_core.storage.choice import Choice
from cascade_core.storage.pictures import ENDINGS
from cascade_core.support import checks
from cascade_core.support.files import is_regular

COST_TOLERANCE = 1e-3
"""Relative difference up to which two counts of MACs are taken as equal."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """The cascade's answer to one file.

    Attributes:
        prediction: Class number.
        confidence: Of the stage that answered.
        stage: Its number.
    """

    file: Path
    prediction: int
    confidence: float
    stage: int


@dataclass(frozen=True, kw_only=True)
class Failure:
    """A file that was not classified, and why, in one line."""

    file: Path
    reason: str


def image_files(paths: Sequence[Path]) -> list[Path]:
    """The files among `paths`, and the pictures in the folders among them, at any depth, in order of their names.

    Raises:
        ValueError: One is neither, or a folder holds no pictures.
    """
    files = []
    for path in paths:
        if path.is_dir():
            inside = sorted(p for p in path.rglob("*") if p.suffix.lower() in ENDINGS and is_regular(p))
            if not inside:
                raise ValueError(f"Expected pictures in the folder {path} but there are none")
            files += inside
        elif is_regular(path):
            files.append(path)
        else:
            raise ValueError(f"Expected a picture or a folder of them at {path} but there is none")
    return files


def classify_files(
    runner: Runner, files: Sequence[Path], preprocessing: Preprocessing, batch_size: int = 64
) -> Iterator[Answer | Failure]:
    """An answer for each file, or why there is none, in order; on a terminal a bar shows how far it is."""
    checks.whole("batch_size", batch_size, 1, 1 << 20)
    for start in Bar(range(0, len(files), batch_size), unit="batches", shown=None):
        some = files[start : start + batch_size]
        pixels: dict[Path, torch.Tensor] = {}
        failures: dict[Path, Failure] = {}
        for file in some:
            try:
                pixels[file] = preprocess(open_image(file), preprocessing)
            except ValueError as error:
                failures[file] = Failure(file=file, reason=str(error))
        answers = {}
        if pixels:
            result = runner(normalise(torch.stack(list(pixels.values())), preprocessing))
            rows = zip(result.predictions.tolist(), result.confidence.tolist(), result.stages.tolist(), strict=True)
            answers = {
                file: Answer(file=file, prediction=prediction, confidence=confidence, stage=stage)
                for file, (prediction, confidence, stage) in zip(pixels, rows, strict=True)
            }
        yield from (answers.get(file) or failures[file] for file in some)


def load_cascade(networks: Sequence[Network], classes: int | None, *, download: bool = False) -> StagedModel:
    """The networks in a row, with their weights and heads, as `precompute` would record them.

    Raises:
        ValueError: Weights are missing or do not fit; one line says which.
    """
    check_networks(networks)
    return in_a_row(networks, [load_model(network, classes, download=download) for network in networks])


def costs_differ(model: StagedModel, choice: Choice, network: Network) -> bool:
    """Whether some stage's exit costs in a choice differ from the model's by over `COST_TOLERANCE`."""
    image = example(network)
    with warnings.catch_warnings():
        # Operations that cannot be counted were warned of when the run was recorded.
        warnings.simplefilter("ignore")
        stages, plain = stage_costs(model, image), baseline_macs(model, image)
    costs = exit_costs(stages, choice.rule.active, plain)
    # Where nothing leaves early, all but the last are never met.
    met = slice(None) if choice.rule.exits_early else slice(-1, None)
    return not np.allclose(costs[met], choice.costs[met], rtol=COST_TOLERANCE)


def class_names(networks: Sequence[Network]) -> tuple[str, ...]:
    """Names of the classes, where a heads file says them."""
    for network in networks:
        if network.heads is not None:
            return read_heads(network.heads).class_names
    return ()
