"""Pictures and texts to answers, by a cascade that leaves early; a picture that cannot be read stops nothing else."""

from __future__ import annotations

import time
import warnings
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cascade_core.nets.heads.weights import read_heads
from cascade_core.nets.images.pixels import Preprocessing, normalise, open_image, preprocess
from cascade_core.nets.macs import baseline_macs, stage_costs
from cascade_core.nets.networks.named import example, in_a_row, load_model
from cascade_core.nets.networks.zoo import Network
from cascade_core.nets.progress import Bar
from cascade_core.nets.recording.runs import check_networks
from cascade_core.nets.running.auditing import audit
from cascade_core.nets.running.gathering import gathered
from cascade_core.nets.running.runner import Answers, Runner
from cascade_core.nets.staged import StagedModel
from cascade_core.nets.texts.datasets import numbered
from cascade_core.nets.texts.tables import read_texts
from cascade_core.nets.texts.tokens import Tokens
from cascade_core.simulation.stages import exit_costs
from cascade_core.storage.choice import Choice
from cascade_core.storage.pictures import ENDINGS
from cascade_core.support import checks
from cascade_core.support.files import is_regular

COST_TOLERANCE = 1e-3
"""Relative difference up to which two counts of MACs are taken as equal."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """The cascade's answer to one sample.

    Attributes:
        file: The picture's, or that of the text.
        row: Of the text in its file, as `texts.tables` counts; None of a picture.
        prediction: Class number.
        confidence: Of the stage that answered.
        stage: Its number.
        passed: How sure each stage was, up to where it left; of an audited sample all; NaN of those not asked.
        audit: Of an audited sample what each stage would have answered, and what the plain network says.
        seconds: From when its batch was read until it was answered.
    """

    file: Path
    row: int | None = None
    prediction: int
    confidence: float
    stage: int
    passed: tuple[float, ...] = field(default=(), compare=False)
    audit: tuple[list[int], int] | None = field(default=None, compare=False)
    seconds: float = field(default=0.0, compare=False)


@dataclass(frozen=True, kw_only=True)
class Failure:
    """A file that was not classified, and why, in one line."""

    file: Path
    reason: str


@dataclass(frozen=True, kw_only=True)
class _Sample:
    """A sample to classify, and what makes it what the network takes."""

    file: Path
    row: int | None = None
    read: Callable[[], Tensor]


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
    runner: Runner,
    files: Sequence[Path],
    preprocessing: Preprocessing | Tokens,
    batch_size: int = 64,
    wait: int = 0,
    audited: float = 0.0,
) -> Iterator[Answer | Failure]:
    """An answer for each picture, or each text of tables of texts, or why there is none, in order.

    On a terminal a bar shows how far it is.

    Args:
        wait: Most batches that come in between a sample's own and its answer: survivors of several batches are gathered
            until they are a whole one (see `gathered`).
        audited: Share of the samples, drawn at random, that all stages answer after they were answered.
    """
    checks.in_range("audited", audited, 0.0, 1.0)
    checks.whole("batch_size", batch_size, 1, 1 << 20)
    if isinstance(preprocessing, Tokens):
        samples = [sample for file in files for sample in _texts(file, preprocessing)]
    else:
        samples = [_Sample(file=file, read=partial(_picture, file, preprocessing)) for file in files]
    read: deque[_Read] = deque()
    random = np.random.default_rng()

    def batches() -> Iterator[Tensor]:
        for start in Bar(range(0, len(samples), batch_size), unit="batches", shown=None):
            read.append(_Read.of(samples[start : start + batch_size]))
            if some := read[-1].images:
                yield torch.stack(some)

    for answers in gathered(runner, batches(), worth=batch_size, wait=wait):
        while not read[0].images:
            yield from read.popleft().told(None)
        yield from read.popleft().told(answers, partial(_audits, runner, audited, random))
    for unread in read:
        yield from unread.told(None)


def _picture(file: Path, preprocessing: Preprocessing) -> Tensor:
    return normalise(preprocess(open_image(file), preprocessing)[None], preprocessing)[0]


def _texts(file: Path, tokens: Tokens) -> Iterator[_Sample]:
    """The texts of a file.

    Raises:
        ValueError: It cannot be read; what would be classified is not known then.
    """
    held = read_texts(file)
    for row, numbers in enumerate(numbered(held.texts, tokens, file.name), held.first):
        yield _Sample(file=file, row=row, read=partial(_padded, numbers, tokens))


def _padded(numbers: Sequence[int], tokens: Tokens) -> Tensor:
    return tokens.padded([numbers])[0]


_Audits: TypeAlias = dict[int, tuple[NDArray[np.float32], tuple[list[int], int]]]
_Told: TypeAlias = Iterator[Answer | Failure]


@dataclass(frozen=True, kw_only=True, eq=False)
class _Read:
    """A batch that was read.

    Attributes:
        samples: All of them.
        images: Of each that could be read.
        failures: Of each that could not, by its place.
        when: Seconds, by the clock that answers are timed with.
    """

    samples: Sequence[_Sample]
    images: list[Tensor]
    failures: dict[int, Failure]
    when: float

    @classmethod
    def of(cls, samples: Sequence[_Sample]) -> _Read:
        """Read a batch."""
        images, failures = [], {}
        for place, sample in enumerate(samples):
            try:
                images.append(sample.read())
            except ValueError as error:
                failures[place] = Failure(file=sample.file, reason=str(error))
        return cls(samples=samples, images=images, failures=failures, when=time.perf_counter())

    def told(self, answers: Answers | None, audits: Callable[[Sequence[Tensor]], _Audits] = lambda _: {}) -> _Told:
        """The batch's answers and failures, in order; None where none could be read."""
        rows: Iterator[tuple[int, int, float, int]] = iter(())
        seconds = time.perf_counter() - self.when
        checked: _Audits = {}
        if answers is not None:
            columns = (answers.predictions.tolist(), answers.confidence.tolist(), answers.stages.tolist())
            rows = zip(range(len(self.images)), *columns, strict=True)
            checked = audits(self.images)
        for place, sample in enumerate(self.samples):
            if place in self.failures:
                yield self.failures[place]
                continue
            number, prediction, confidence, stage = next(rows)
            assert answers is not None
            passed, all_answers = checked.get(number, (answers.passed[number, : stage + 1], None))
            yield Answer(
                file=sample.file,
                row=sample.row,
                prediction=prediction,
                confidence=confidence,
                stage=stage,
                seconds=seconds,
                passed=tuple(passed.tolist()),
                audit=all_answers,
            )


def _audits(runner: Runner, share: float, random: np.random.Generator, images: Sequence[Tensor]) -> _Audits:
    """What all stages say of some of a batch's images, drawn at random, by their numbers."""
    drawn = np.flatnonzero(random.random(len(images)) < share).tolist()
    if not drawn:
        return {}
    found = audit(runner, torch.stack([images[number] for number in drawn]))
    return {
        number: (found.confidence[place], (found.answers[place].tolist(), int(found.plain[place])))
        for place, number in enumerate(drawn)
    }


def load_cascade(networks: Sequence[Network], classes: int | None, *, download: bool = False) -> StagedModel:
    """The networks in a row, with their weights and heads, as `precompute` would record them.

    Raises:
        ValueError: Weights are missing or do not fit; one line says which.
    """
    check_networks(networks)
    return in_a_row(networks, [load_model(network, classes, download=download) for network in networks])


def costs_differ(model: StagedModel, choice: Choice, network: Network) -> bool:
    """Whether some stage's exit costs in a choice differ from the model's by over `COST_TOLERANCE`.

    Raises:
        ValueError: The choice is for other stages.
    """
    choice.rule.check_stages(model.stage_names)
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
    """Names of the classes, where a heads file says them, a front's file, or a network of texts."""
    for network in networks:
        if network.heads is not None:
            return read_heads(network.heads).class_names
        if network.class_names:
            return network.class_names
    inputs = networks[0].preprocessing
    return inputs.class_names if isinstance(inputs, Tokens) else ()
