"""Fitting heads to a frozen trunk: backtrack training.

`fit_heads` follows arXiv 1805.10982: the plain network is given and stays as it is, bit for bit, which is checked;
the early heads are trained on what its trunk makes of the images (`features`), all in one pass.  Beyond the paper,
they may also learn from the last stage's softmax (distillation), and each head may be kept as it was after the epoch
that did best on samples held out of training.

While it is trained, the input of a head that begins with a linear layer is standardised by every feature's mean and
deviation; without that it learns far more slowly.  Afterwards the standardisation is folded into that layer, so
that a head is exactly what its description says.

A training that was stopped goes on from its checkpoint, and comes to the same weights as one that was not.
"""

from __future__ import annotations

import copy
import hashlib
import json
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from cascade_core.nets.devices import resolve_precision
from cascade_core.nets.heads.weights import state_digest
from cascade_core.nets.samples import SampleSet, batches, hold_out
from cascade_core.nets.staged import CascadedNetwork
from cascade_core.nets.training import features
from cascade_core.nets.training.checkpoint import read_state, write_state
from cascade_core.nets.training.features import Batch, Features
from cascade_core.nets.training.learner import Learner
from cascade_core.nets.training.settings import Fit, Training, batches_of_pass, epoch_bar
from cascade_core.nets.training.standardise import fold, tail, tail_of_state

CHECKPOINT_SECONDS = 30.0
"""Least time between two checkpoints within an epoch."""


def fit_heads(
    network: CascadedNetwork,
    data: SampleSet,
    training: Training,
    *,
    device: str = "cpu",
    progress: bool = True,
    checkpoint: Path | None = None,
) -> Fit:
    """Train all heads of `network` but the last; nothing else in it changes.

    Args:
        checkpoint: A file to keep the state in, and to go on from if it is there; it is not removed.

    Raises:
        ValueError: There is no early head, one has no weights, or the checkpoint is another training's.
        RuntimeError: The trunk or the last head changed; the heads are then of no use.
    """
    before, start = _frozen_digests(network.eval()), time.monotonic()
    course = _Course(network, data, training, device, progress)
    if checkpoint is not None:
        course.resume(checkpoint)
    while course.epoch < training.epochs:
        course.run_epoch(checkpoint)
    course.finish()
    if _frozen_digests(network.eval()) != before:
        raise RuntimeError(f"Expected the trunk and last head of {network.name} to stay as they were but they changed")
    return course.result(time.monotonic() - start)


@dataclass
class _Best:
    """A head as it was after its best epoch."""

    loss: float
    accuracy: float
    epoch: int
    weights: dict[str, Tensor]


class _Course:
    """The training of a network's early heads: where it stands, and how it goes on from there."""

    def __init__(
        self, network: CascadedNetwork, data: SampleSet, training: Training, device: str, progress: bool
    ) -> None:
        self.network, self.training, self.progress = network, training, progress
        self.train, self.held = hold_out(data, training.held_out, training.seed)
        self.heads = [copy.deepcopy(head).to(device) for head in network.early_heads()]
        self.features = Features(
            network, self.heads, device, resolve_precision(training.precision, device), teach=training.distil > 0
        )
        self.steps = batches_of_pass(self.train, training) * training.reuse * training.epochs
        self.learner: Learner | None = None
        self.best: list[_Best] = []
        self.generator = torch.Generator().manual_seed(training.seed)
        # Where the epoch at hand began, in random numbers, and how many of its batches are done.
        self.epoch, self.batch, self.epoch_start = 0, 0, self.generator.get_state()
        self.saved = time.monotonic()

    def run_epoch(self, checkpoint: Path | None) -> None:
        """From the batch at hand to the end of the epoch."""
        with epoch_bar(self.train, self.training, self.epoch, self.progress) as bar:
            bar.update(self.batch * self.training.batch_size)
            for count, chunk in features.chunks(self._batches(bar)):
                self._learn(chunk)
                self.batch += count
                assert self.learner is not None  # there was a chunk
                bar.set_postfix_str(self.learner.tell(self.network.stage_names))
                if checkpoint is not None and time.monotonic() - self.saved > CHECKPOINT_SECONDS:
                    self.save(checkpoint)
        self._judge()
        self.epoch, self.batch, self.epoch_start = self.epoch + 1, 0, self.generator.get_state()
        if checkpoint is not None:
            self.save(checkpoint)

    def _batches(self, bar: Any) -> Iterator[Batch]:
        """The rest of the epoch's batches, augmented, as the trunk makes them features."""
        now = self.generator.get_state()
        self.generator.set_state(self.epoch_start)
        made = batches(
            self.train,
            self.training.batch_size,
            generator=self.generator,
            shift=self.training.shift,
            skip=self.batch,
            state=now if self.batch else None,
        )
        for images, labels in made:
            yield self.features(images, labels)
            bar.update(len(labels))

    def _learn(self, chunk: Batch) -> None:
        if self.learner is None:
            tails = [tail(head, x) for head, x in zip(self.heads, chunk.inputs, strict=True)]
            self.learner = self.training.learner(tails, self.steps)
        if self.batch == 0:
            self.learner.start_epoch()
        for _ in range(self.training.reuse):
            for index in torch.randperm(len(chunk), generator=self.generator).split(self.training.batch_size):
                some = chunk.take(index)
                self.learner.step(some.inputs, some.labels, some.teacher)

    def _judge(self) -> None:
        """Keep each head that did better on the samples held out than after any epoch before."""
        if self.held is None or self.learner is None:
            return
        loss, right = torch.zeros(len(self.heads)), torch.zeros(len(self.heads))
        for images, labels in batches(self.held, self.training.batch_size, keep=True):
            batch = self.features(images, labels)
            losses, rights = self.learner.judge(batch.inputs, batch.labels)
            loss, right = loss + losses, right + rights
        loss, right = loss / len(self.held), right / len(self.held)
        if self.network.rungs:
            # A rung works for all those above it: they are judged together, and kept of one epoch.
            loss = loss.mean().expand(len(self.heads))
        for i, classifier in enumerate(self.learner.classifiers):
            if i == len(self.best) or loss[i] < self.best[i].loss:
                weights = copy.deepcopy(classifier.state_dict())
                self.best[i : i + 1] = [_Best(float(loss[i]), float(right[i]), self.epoch + 1, weights)]

    def finish(self) -> None:
        """Put the heads, as trained or at their best, into the network."""
        assert self.learner is not None  # there is at least one epoch, and a set is never empty
        for classifier, best in zip(self.learner.classifiers, self.best, strict=False):
            classifier.load_state_dict(best.weights)
        for own, classifier in zip(self.network.early_heads(), self.learner.classifiers, strict=True):
            fold(classifier.cpu(), own)

    def result(self, seconds: float) -> Fit:
        """What it came to."""
        assert self.learner is not None
        loss, accuracy = self.learner.averages()
        epoch = (self.training.epochs,) * len(self.heads)
        if self.best:
            loss, accuracy = tuple(b.loss for b in self.best), tuple(b.accuracy for b in self.best)
            epoch = tuple(b.epoch for b in self.best)
        return Fit(loss=loss, accuracy=accuracy, epoch=epoch, seconds=seconds)

    def save(self, path: Path) -> None:
        """Write the checkpoint, atomically."""
        assert self.learner is not None
        state = {
            "learner": self.learner.state(),
            "best": [asdict(best) for best in self.best],
            "generator": self.generator.get_state(),
            "epoch_start": self.epoch_start,
            "epoch": self.epoch,
            "batch": self.batch,
        }
        write_state(path, self._identity(), state)
        self.saved = time.monotonic()

    def resume(self, path: Path) -> None:
        """Go on from a checkpoint, if there is one.

        Raises:
            ValueError: It is damaged, or another training's.
        """
        state = read_state(path, self._identity(), self.features.device)
        if state is None:
            return
        kept = state["learner"]
        tails = [tail_of_state(h, s) for h, s in zip(self.heads, kept["classifiers"], strict=True)]
        self.learner = self.training.learner(tails, self.steps)
        self.learner.restore(kept)
        self.best = [_Best(**best) for best in state["best"]]
        self.generator.set_state(state["generator"].cpu())
        self.epoch, self.batch, self.epoch_start = state["epoch"], state["batch"], state["epoch_start"].cpu()

    def _identity(self) -> str:
        """A digest of all that decides the outcome."""
        ids = [*self.train.sample_ids, *self.train.labels.tolist()]
        about = [_frozen_digests(self.network), self.training.describe(), str(self.network.early_heads()), ids]
        return hashlib.sha256(json.dumps(about).encode()).hexdigest()


def _frozen_digests(network: CascadedNetwork) -> list[str]:
    return [state_digest(part) for part in (*network.trunk, network.heads[-1])]
