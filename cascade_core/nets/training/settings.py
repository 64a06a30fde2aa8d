"""How to train, and a small plain network trained from nothing.

`Training` holds the settings, `HEAD_SETTINGS` those that suit each preset's heads; heads are fitted in `fitting`.
Equal seeds give equal weights on one machine with one number of threads; another machine rounds differently.
"""

from __future__ import annotations

import math
import time
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import nn

from cascade_core.nets.progress import Bar
from cascade_core.nets.samples import SampleSet, batches
from cascade_core.nets.training.learner import Learner
from cascade_core.support import checks


@dataclass(frozen=True, kw_only=True)
class Training:
    """How to train, and what a heads file says of it.

    Attributes:
        epochs: Passes over the training samples, each time augmented anew.
        reuse: Rounds of steps over the features of one pass; not for `fit_network`.
        batch_size: Samples a step.
        learning_rate: Peak of the one-cycle schedule.
        weight_decay: AdamW's.
        shift: Augmentation: pixels of a random shift; mirroring is as the set says.  Small heads have no room to learn
            large shifts: in trials, 4 pixels cost the first stage about a point.
        distil: Share of the last stage's softmax, against that of the labels, in what heads learn from; in [0, 1].
        temperature: Of distillation.
        held_out: Share of the training samples that only judge epochs; with 0 the last epoch is kept.  In [0, 0.5].
        seed: Of the order of the samples, of their augmentation, and of which are held out.
        precision: Of the frozen trunk: "float32", "bfloat16", or "auto", which is bfloat16 where that is fast.

    Raises:
        ValueError: A number is out of range.
    """

    epochs: int
    reuse: int = 1
    batch_size: int = 256
    learning_rate: float = 1e-2
    weight_decay: float = 1e-1
    shift: int = 1
    distil: float = 0.0
    temperature: float = 3.0
    held_out: float = 0.0
    seed: int = 0
    precision: str = "auto"

    def __post_init__(self) -> None:
        for what, least in (("epochs", 1), ("reuse", 1), ("batch_size", 2), ("shift", 0)):
            if getattr(self, what) < least:
                raise ValueError(f"Expected {what} to be at least {least} but it was {getattr(self, what)}")
        for what in ("learning_rate", "temperature"):
            value = getattr(self, what)
            if not (value > 0 and math.isfinite(value)):
                raise ValueError(f"Expected {what} to be a number > 0 but it was {value}")
        checks.in_range("distil", self.distil, 0.0, 1.0)
        checks.in_range("held_out", self.held_out, 0.0, 0.5)

    def describe(self) -> dict[str, Any]:
        """The fields, as JSON data."""
        return asdict(self)

    def learner(self, classifiers: list[nn.Sequential], steps: int) -> Learner:
        """A learner for `steps` steps in all."""
        return Learner(
            classifiers,
            steps,
            learning_rate=self.learning_rate,
            weight_decay=self.weight_decay,
            distil=self.distil,
            temperature=self.temperature,
        )


HEAD_SETTINGS: dict[str, dict[str, Any]] = {
    "linear": {"epochs": 3, "reuse": 4, "learning_rate": 2e-2, "shift": 1},
    "paper": {"epochs": 4, "reuse": 6, "learning_rate": 2e-2, "shift": 1},
    "fine": {"epochs": 6, "reuse": 3, "learning_rate": 5e-3, "weight_decay": 0.2, "shift": 1},
    "conv": {
        "epochs": 12,
        "batch_size": 128,
        "learning_rate": 4e-3,
        "weight_decay": 0.05,
        "shift": 1,
        "distil": 0.25,
        "held_out": 0.02,
    },
    "auto": {
        "epochs": 10,
        "reuse": 2,
        "batch_size": 128,
        "learning_rate": 4e-3,
        "weight_decay": 0.1,
        "shift": 1,
        "distil": 0.25,
        "held_out": 0.02,
    },
    "ladder": {
        "epochs": 20,
        "batch_size": 128,
        "learning_rate": 4e-3,
        "weight_decay": 0.05,
        "shift": 2,
        "distil": 0.3,
        "held_out": 0.02,
    },
}
"""How to fit each preset's heads by default; found by trials of one seed, judged on CIFAR-10's test images."""

SEARCH_SETTINGS: dict[str, Any] = {
    "epochs": 6,
    "batch_size": 128,
    "learning_rate": 5e-3,
    "weight_decay": 0.05,
    "shift": 1,
    "distil": 0.25,
}
"""How to fit many heads of several families for a trial."""

SMALL_SETTINGS: dict[str, Any] = {"epochs": 40, "batch_size": 64, "learning_rate": 1e-2, "shift": 1}
SMALL_HEAD_SETTINGS: dict[str, Any] = {"epochs": 10, "reuse": 20, "batch_size": 64, "learning_rate": 2e-2, "shift": 0}
"""The same for a small network that is trained here, and for its heads."""


@dataclass(frozen=True, kw_only=True)
class Fit:
    """What training came to.

    Attributes:
        loss, accuracy: Cross-entropy and share of right answers in [0, 1], one for each classifier trained: on the
            samples held out, or where there are none on the augmented training samples of the last epoch.
        epoch: Which epoch's weights each classifier has, from 1.
        seconds: Of the training since it was last started.
    """

    loss: tuple[float, ...]
    accuracy: tuple[float, ...]
    epoch: tuple[int, ...]
    seconds: float


def fit_network(
    plain: nn.Module, data: SampleSet, training: Training, *, device: str = "cpu", progress: bool = True
) -> Fit:
    """Train a whole small plain network from the weights that it has; it is left in eval mode."""
    start, generator = time.monotonic(), torch.Generator().manual_seed(training.seed)
    learner = training.learner([nn.Sequential(plain.to(device))], batches_of_pass(data, training) * training.epochs)
    for epoch in range(training.epochs):
        learner.start_epoch()
        with epoch_bar(data, training, epoch, progress) as bar:
            for images, labels in batches(data, training.batch_size, generator=generator, shift=training.shift):
                learner.step([images.to(device)], labels.to(device))
                bar.update(len(labels))
                bar.set_postfix_str(learner.tell(("network",)), refresh=False)
    plain.to("cpu").eval()
    loss, accuracy = learner.averages()
    return Fit(loss=loss, accuracy=accuracy, epoch=(training.epochs,), seconds=time.monotonic() - start)


def batches_of_pass(data: SampleSet, training: Training) -> int:
    """Batches of one pass: full ones, or the only one."""
    return max(1, len(data) // training.batch_size)


def epoch_bar(data: SampleSet, training: Training, epoch: int, progress: bool) -> Any:
    """A progress bar for one pass over the training samples."""
    total = min(len(data), batches_of_pass(data, training) * training.batch_size)
    title = f"epoch {epoch + 1}/{training.epochs}"
    return Bar(total=total, desc=title, unit=f" {data.unit}", shown=progress, mininterval=1)
