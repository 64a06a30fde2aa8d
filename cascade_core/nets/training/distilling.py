"""A small network with exits trained by distillation: it learns what a given network answers, at all exits at once.

The loss is the mean over the exits of cross-entropy with the labels and of the divergence from the given network's
softmax, both softened (Hinton, Vinyals & Dean, arXiv 1503.02531).  SGD with momentum follows a rate that rises over the
first epoch and falls as a cosine to nothing; what is kept is the running mean of the weights over the last
`WINDOW` epochs or so.  A part of the samples is held out: it chooses nothing, and tells how right each exit is.

A training that was stopped goes on after its last whole epoch, and comes to the same weights as one that was not.
With a limit of time the number of epochs is what fits in it, counted anew after every epoch.
"""

from __future__ import annotations

import hashlib
import json
import math
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from cascade_core.nets.devices import lay_out, placed, resolve_precision
from cascade_core.nets.heads.weights import state_digest
from cascade_core.nets.samples import SampleSet, batches, hold_out
from cascade_core.nets.staged import CascadedNetwork, StagedModel
from cascade_core.nets.training.checkpoint import read_state, write_state
from cascade_core.nets.training.learner import divergence
from cascade_core.nets.training.settings import Training, batches_of_pass, epoch_bar
from cascade_core.nets.training.teaching import Teacher
from cascade_core.support import checks
from cascade_core.support.wording import span

WINDOW = 2.0
"""Epochs that weights are averaged over."""

MOMENTUM = 0.9

FRONT_SETTINGS: dict[str, Any] = {
    "epochs": 120,
    "batch_size": 128,
    "learning_rate": 0.1,
    "weight_decay": 5e-4,
    "distil": 0.9,
    "temperature": 4.0,
    "held_out": 0.04,
}
"""How to train by default."""

LEAST = 10
"""Fewest samples that are learned from."""

MOST_MINUTES = 60 * 24 * 365


@dataclass(frozen=True, kw_only=True)
class Distilling:
    """How to train a small network.

    Attributes:
        training: Epochs, batches, rate, augmentation, distillation, and what is held out.
        views: How many passes are augmented differently, and asked of the given network.
        minutes: When to be done, by fewer epochs if need be; None = whenever.

    Raises:
        ValueError: A number is out of range.
    """

    training: Training
    views: int = 8
    minutes: float | None = None

    def __post_init__(self) -> None:
        checks.whole("views", self.views, 1, 1 << 20)
        if self.minutes is not None:
            checks.in_range("minutes", self.minutes, 0.0, MOST_MINUTES)
        if self.training.held_out <= 0:
            raise ValueError("Expected held_out to be above 0, to tell how right each exit is, but it was 0")

    def describe(self) -> dict[str, Any]:
        """The fields, as JSON data."""
        return {**self.training.describe(), "views": self.views, "minutes": self.minutes}


@dataclass(frozen=True, kw_only=True)
class Distilled:
    """What training came to.

    Attributes:
        accuracy: Of each exit on the samples held out, in [0, 1].
        held_out: How many these are.
        epochs: Passes that were made.
        seconds: Of the training, with those before it was stopped.
    """

    accuracy: tuple[float, ...]
    held_out: int
    epochs: int
    seconds: float


def distil(
    network: CascadedNetwork,
    teacher: StagedModel,
    data: SampleSet,
    how: Distilling,
    *,
    device: str = "cpu",
    progress: bool = True,
    checkpoint: Path | None = None,
) -> Distilled:
    """Train all of `network` from what `teacher` answers; it is left on the CPU in eval mode.

    Args:
        checkpoint: A file to keep the state in, and to go on from if it is there; it is not removed.

    Raises:
        ValueError: There are too few samples, or the checkpoint is another training's.
    """
    # Or the same seed would give other weights on a GPU.
    with torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True):
        course = _Course(network, teacher, data, how, device, progress)
        if checkpoint is not None:
            course.resume(checkpoint)
        while course.epoch < course.planned:
            course.run_epoch()
            if checkpoint is not None:
                course.save(checkpoint)
        return course.finish(network)


class _Course:
    """The training of a small network: where it stands, and how it goes on from there."""

    def __init__(
        self,
        network: CascadedNetwork,
        teacher: StagedModel,
        data: SampleSet,
        how: Distilling,
        device: str,
        progress: bool,
    ) -> None:
        self.how, self.training, self.device, self.progress = how, how.training, device, progress
        self.train, self.held = _divided(data, how.training)
        self.identity = _identity(network, teacher, data, how)
        precision = resolve_precision(self.training.precision, device)
        self.teacher = Teacher(
            teacher,
            self.train,
            batch_size=self.training.batch_size,
            shift=self.training.shift,
            views=min(how.views, self.training.epochs),
            seed=self.training.seed,
            device=device,
            precision=precision,
        )
        # A processor's small convolutions gain nothing from bfloat16 in training.
        self.autocast = torch.autocast(
            torch.device(device).type, torch.bfloat16, enabled=device != "cpu" and precision == "bfloat16"
        )
        self.network = network.to(device).train()
        lay_out(self.network, torch.channels_last)
        self.steps = batches_of_pass(self.train, self.training)
        decay = 1 - 1 / max(1.0, WINDOW * self.steps)
        self.average = AveragedModel(self.network, multi_avg_fn=get_ema_multi_avg_fn(decay), use_buffers=True)
        self.optimiser = torch.optim.SGD(
            self.network.parameters(),
            lr=self.training.learning_rate,
            momentum=MOMENTUM,
            nesterov=True,
            weight_decay=self.training.weight_decay,
        )
        self.epoch, self.planned, self.seconds, self.learned = 0, self.training.epochs, 0.0, 0.0
        self.accuracy: tuple[float, ...] = ()

    def run_epoch(self) -> None:
        """The epoch at hand, to its end."""
        begun, taught = time.monotonic(), self.teacher.seconds
        with epoch_bar(self.train, replace(self.training, epochs=self.planned), self.epoch, self.progress) as bar:
            for step, (samples, labels, answers) in enumerate(self.teacher.epoch(self.epoch)):
                self._set_rate(self.epoch + step / self.steps)
                self._step(placed(samples, self.device), labels.to(self.device), answers.to(self.device))
                bar.update(len(labels))
            self.accuracy = self._judge()
            self.epoch += 1
            took = time.monotonic() - begun
            self.seconds, self.learned = self.seconds + took, self.learned + took - (self.teacher.seconds - taught)
            self._plan()
            bar.set_postfix_str(self._tell())

    def _set_rate(self, done: float) -> None:
        """The rate after `done` epochs: rising in the first, then a cosine to nothing at the planned last."""
        share = min(1.0, (done - 1) / max(1.0, self.planned - 1))
        factor = (done + 1 / self.steps) if done < 1 else (1 + math.cos(math.pi * share)) / 2
        for group in self.optimiser.param_groups:
            group["lr"] = self.training.learning_rate * min(1.0, factor)

    def _step(self, samples: Tensor, labels: Tensor, answers: Tensor) -> None:
        with self.autocast:
            logits = self.network(samples)
        loss = torch.stack([self._loss(own.float(), labels, answers) for own in logits]).mean()
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        self.optimiser.step()
        self.average.update_parameters(self.network)

    def _loss(self, own: Tensor, labels: Tensor, answers: Tensor) -> Tensor:
        share = self.training.distil
        taught = divergence(own, answers, self.training.temperature)
        return (1 - share) * functional.cross_entropy(own, labels) + share * taught

    @torch.no_grad()
    def _judge(self) -> tuple[float, ...]:
        """Accuracy of each exit of the averaged network on the samples held out."""
        self.average.eval()
        right = torch.zeros(len(self.network.stage_names))
        for samples, labels in batches(self.held, self.training.batch_size, keep=True):
            answers = self.average(placed(samples, self.device)).argmax(-1)
            right += (answers == labels.to(self.device)).sum(1).cpu()
        return tuple((right / len(self.held)).tolist())

    def _plan(self) -> None:
        """How many epochs fit in the time, if they take as long as those before."""
        if self.how.minutes is None:
            return
        left, self.planned = 60 * self.how.minutes - self.seconds, self.epoch
        while self.planned < self.training.epochs and (left := left - self._takes(self.planned)) >= 0:
            self.planned += 1

    def _takes(self, epoch: int) -> float:
        """Seconds of an epoch to come."""
        return self.learned / max(1, self.epoch) + self.teacher.takes(epoch)

    def _tell(self) -> str:
        """How right the exits are, and how long it still takes."""
        exits = zip(self.network.stage_names, self.accuracy, strict=True)
        shown = ", ".join(f"{name} {right:.1%}" for name, right in exits)
        left = sum(map(self._takes, range(self.epoch, self.planned)))
        return f"{shown} of {len(self.held):,} held out; {span(left)} left"

    def finish(self, network: CascadedNetwork) -> Distilled:
        """Put the averaged weights into the network."""
        network.load_state_dict(self.average.module.state_dict())
        network.to("cpu").eval()
        lay_out(network, torch.contiguous_format)
        return Distilled(
            accuracy=self.accuracy, held_out=len(self.held), epochs=self.epoch, seconds=round(self.seconds, 1)
        )

    def save(self, path: Path) -> None:
        """Write the checkpoint, atomically."""
        state = {
            "network": self.network.state_dict(),
            "average": self.average.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "accuracy": list(self.accuracy),
            "progress": [self.epoch, self.seconds, self.learned],
        }
        write_state(path, self.identity, state)

    def resume(self, path: Path) -> None:
        """Go on from a checkpoint, if there is one.

        Raises:
            ValueError: It is damaged, or another training's.
        """
        state = read_state(path, self.identity, self.device)
        if state is None:
            return
        self.network.load_state_dict(state["network"])
        self.average.load_state_dict(state["average"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.accuracy = tuple(state["accuracy"])
        self.epoch, self.seconds, self.learned = state["progress"]
        self._plan()


def _divided(data: SampleSet, training: Training) -> tuple[SampleSet, SampleSet]:
    """The samples to learn from, and those held out."""
    train, held = hold_out(data, training.held_out, training.seed)
    if held is None or len(train) < LEAST:
        raise ValueError(
            f"Expected {data.spec} to hold {LEAST} {data.unit} and more beside the {training.held_out:.0%} held out "
            f"but it holds {len(data)}"
        )
    return train, held


def _identity(network: nn.Module, teacher: nn.Module, data: SampleSet, how: Distilling) -> str:
    """A digest of all that decides the outcome, but for the time that it may take."""
    about = {**how.describe(), "minutes": None}
    samples = [*data.sample_ids, *data.labels.tolist()]
    text = json.dumps([state_digest(network), state_digest(teacher), about, samples])
    return hashlib.sha256(text.encode()).hexdigest()
