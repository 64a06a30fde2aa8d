"""A small network with exits trained by distillation: it learns what a given network answers, at all exits at once.

The given network is first asked about some views of each image (`teaching`); then every epoch takes one view of each
at random.  The loss is the mean over the exits of the divergence from the given network's softmax, both softened
(Hinton, Vinyals & Dean, arXiv 1503.02531), and of a little cross-entropy with the labels, on images that are no
mixtures.  SGD with momentum follows a cosine after a short rise; what is kept is the running mean of the weights over
the last `WINDOW` epochs or so.  A part of the images is held out: it chooses nothing, and tells how right each exit is.

A training that was stopped goes on after the last view or epoch that was whole, and comes to the same weights as one
that was not.  With a limit of time there are as many views and epochs as fit in it, counted anew after every epoch.
"""

from __future__ import annotations

import hashlib
import json
import math
import time
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from cascade_core.nets.devices import lay_out, placed, resolve_precision
from cascade_core.nets.heads.weights import state_digest
from cascade_core.nets.images.datasets import ImageSet
from cascade_core.nets.progress import Bar
from cascade_core.nets.samples import batches, hold_out
from cascade_core.nets.staged import CascadedNetwork, StagedModel
from cascade_core.nets.training.checkpoint import read_parts, read_state, write_part, write_state
from cascade_core.nets.training.learner import divergence
from cascade_core.nets.training.recipe import Distilling
from cascade_core.nets.training.settings import Training, batches_of_pass, epoch_bar
from cascade_core.nets.training.teaching import Teacher, Views, room
from cascade_core.support.wording import span

WINDOW = 1.7
"""Epochs that weights are averaged over."""

MOMENTUM, RISE = 0.9, 0.05
"""SGD's momentum, and the share of the training in which the rate rises."""

TAUGHT = 0.2
"""Most of a limited time that goes into the given network's answers, but for the first view."""

LEAST = 10
"""Fewest images that are learned from."""

FORM = 2
"""Of what a checkpoint holds: the answers in parts of their own."""


@dataclass(frozen=True, kw_only=True)
class Distilled:
    """What training came to.

    Attributes:
        accuracy: Of each exit on the images held out, in [0, 1].
        held_out: How many these are.
        views, epochs: That were made.
    """

    accuracy: tuple[float, ...]
    held_out: int
    views: int
    epochs: int


def distil(
    network: CascadedNetwork,
    teacher: StagedModel,
    data: ImageSet,
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
        ValueError: There are too few images, or the checkpoint is another training's.
    """
    # Or the same seed would give other weights on a GPU.
    with torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True):
        course = _Course(network, data, how, _identity(network, teacher, data, how), device, progress)
        if checkpoint is not None:
            course.resume(checkpoint)
        course.ask(teacher, checkpoint)
        while course.epoch < course.planned:
            course.run_epoch()
            if checkpoint is not None:
                course.save(checkpoint)
        return course.finish(network)


class _Course:
    """The training of a small network: where it stands, and how it goes on from there."""

    def __init__(
        self, network: CascadedNetwork, data: ImageSet, how: Distilling, identity: str, device: str, progress: bool
    ) -> None:
        self.how, self.training, self.identity = how, how.training, identity
        self.device, self.progress = device, progress
        self.train, self.held = _divided(data, how.training)
        self.views = Views(self.train, min(how.views, room(self.train)), self.training.shift, self.training.seed)
        self.answers: list[Tensor] = []
        self.seconds: list[float] = []
        self.precision = resolve_precision(self.training.precision, device)
        # A processor's small convolutions gain nothing from bfloat16 in training.
        half = device != "cpu" and self.precision == "bfloat16"
        self.autocast = torch.autocast(torch.device(device).type, torch.bfloat16, enabled=half)
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
        self.epoch, self.planned, self.learned, self.learning = 0, self.training.epochs, 0, 0.0
        self.accuracy: tuple[float, ...] = ()

    def ask(self, teacher: StagedModel, checkpoint: Path | None) -> None:
        """The given network's answers to the views that are not answered yet."""
        asked = Teacher(teacher, self.device, self.precision)
        while (view := len(self.answers)) < self._wanted():
            begun, made = time.monotonic(), list[Tensor]()
            title = f"view {view + 1}/{self._wanted()}"
            unit = f" {self.train.unit}"
            with Bar(total=len(self.train), desc=title, unit=unit, shown=self.progress, mininterval=1) as bar:
                for some in asked.answers(self.views, view):
                    made.append(some)
                    bar.update(len(some))
            self._take(torch.cat(made), time.monotonic() - begun)
            if checkpoint is not None:
                part = {"answers": self.answers[view], "seconds": self.seconds[view]}
                write_part(checkpoint, view, self.identity, part)

    def _take(self, answers: Tensor, seconds: float) -> None:
        self.answers.append(answers)
        self.seconds.append(seconds)

    def _wanted(self) -> int:
        """How many views are to be answered, as far as is known."""
        if self.epoch:
            return self.learned
        most = len(self.views.mixed)
        if self.how.minutes is None or not self.answers:
            return most
        fit = TAUGHT * 60 * self.how.minutes * len(self.answers) / max(1e-9, sum(self.seconds))
        return max(1, min(most, math.floor(fit)))

    def run_epoch(self) -> None:
        """The epoch at hand, to its end."""
        begun = time.monotonic()
        with epoch_bar(self.train, replace(self.training, epochs=self.planned), self.epoch, self.progress) as bar:
            order, view = self._drawn()
            for step in range(self.steps):
                index = order[step * self.training.batch_size :][: self.training.batch_size]
                self._set_rate((self.epoch + step / self.steps) / self.planned)
                self._step(index, view[index])
                bar.update(len(index))
            self.accuracy = self._judge()
            self.epoch += 1
            self.learning += time.monotonic() - begun
            self._plan()
            bar.set_postfix_str(self._tell())

    def _drawn(self) -> tuple[Tensor, Tensor]:
        """The order of the images in the epoch at hand, and the view of each, (n,) both."""
        # A generator for each epoch, so that going on after one needs nothing but its number.
        generator = torch.Generator().manual_seed((self.training.seed << 20) + self.epoch + 1)
        n = len(self.train)
        return torch.randperm(n, generator=generator), torch.randint(len(self.answers), (n,), generator=generator)

    def _set_rate(self, done: float) -> None:
        """The rate when a share `done` of the training is: rising first, then falling as a cosine to nothing."""
        rate = self.training.learning_rate * min(1.0, done / RISE) * (1 + math.cos(math.pi * done)) / 2
        for group in self.optimiser.param_groups:
            group["lr"] = rate

    def _step(self, index: Tensor, view: Tensor) -> None:
        images = placed(self.views.batch(index, view), self.device)
        answers = torch.stack([self.answers[v][i] for v, i in zip(view.tolist(), index.tolist(), strict=True)])
        labels, plain = self.train.labels[index].to(self.device), (~self.views.mixed[view]).to(self.device)
        with self.autocast:
            logits = self.network(images)
        taught = answers.to(self.device).float()
        loss = torch.stack([self._loss(own.float(), taught, labels, plain) for own in logits]).mean()
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        self.optimiser.step()
        self.average.update_parameters(self.network)

    def _loss(self, own: Tensor, taught: Tensor, labels: Tensor, plain: Tensor) -> Tensor:
        """Of one exit; labels count where an image is no mixture."""
        share = self.training.distil
        by_label = (functional.cross_entropy(own, labels, reduction="none") * plain).mean()
        return (1 - share) * by_label + share * divergence(own, taught, self.training.temperature)

    @torch.no_grad()
    def _judge(self) -> tuple[float, ...]:
        """Accuracy of each exit of the averaged network on the images held out."""
        self.average.eval()
        right = torch.zeros(len(self.network.stage_names))
        for images, labels in batches(self.held, self.training.batch_size, keep=True):
            answers = self.average(placed(images, self.device)).argmax(-1)
            right += (answers == labels.to(self.device)).sum(1).cpu()
        return tuple((right / len(self.held)).tolist())

    def _plan(self) -> None:
        """How many epochs fit in the time, if they take as long as those before."""
        if self.how.minutes is None or self.epoch == 0:
            return
        left = max(0.0, 60 * self.how.minutes - sum(self.seconds) - self.learning)
        self.planned = min(self.training.epochs, self.epoch + math.floor(left * self.epoch / max(1e-9, self.learning)))

    def _tell(self) -> str:
        """How right the exits are, and how long it still takes."""
        exits = zip(self.network.stage_names, self.accuracy, strict=True)
        shown = ", ".join(f"{name} {right:.1%}" for name, right in exits)
        left = (self.planned - self.epoch) * self.learning / self.epoch
        return f"{shown} of {len(self.held):,} held out; {span(left)} left"

    def finish(self, network: CascadedNetwork) -> Distilled:
        """Put the averaged weights into the network."""
        network.load_state_dict(self.average.module.state_dict())
        network.to("cpu").eval()
        lay_out(network, torch.contiguous_format)
        return Distilled(accuracy=self.accuracy, held_out=len(self.held), views=len(self.answers), epochs=self.epoch)

    def save(self, path: Path) -> None:
        """Write the checkpoint, atomically."""
        state = {
            "network": self.network.state_dict(),
            "average": self.average.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "accuracy": list(self.accuracy),
            "progress": [self.epoch, len(self.answers), self.learning],
        }
        write_state(path, self.identity, state)

    def resume(self, path: Path) -> None:
        """Go on from a checkpoint, if there is one.

        Raises:
            ValueError: It is damaged, or another training's.
        """
        for part in read_parts(path, self.identity, "cpu"):
            self._take(part["answers"], part["seconds"])
        state = read_state(path, self.identity, self.device)
        if state is None:
            return
        self.network.load_state_dict(state["network"])
        self.average.load_state_dict(state["average"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.accuracy = tuple(state["accuracy"])
        self.epoch, self.learned, self.learning = state["progress"]
        self._plan()


def _divided(data: ImageSet, training: Training) -> tuple[ImageSet, ImageSet]:
    """The images to learn from, and those held out."""
    train, held = hold_out(data, training.held_out, training.seed)
    if held is None or len(train) < LEAST:
        raise ValueError(
            f"Expected {data.spec} to hold {LEAST} {data.unit} and more beside the {training.held_out:.0%} held out "
            f"but it holds {len(data)}"
        )
    return train, held


def _identity(network: nn.Module, teacher: nn.Module, data: ImageSet, how: Distilling) -> str:
    """A digest of all that decides the outcome, but for the time that it may take."""
    about = {**how.describe(), "minutes": None}
    samples = [*data.sample_ids, *data.labels.tolist()]
    text = json.dumps([FORM, state_digest(network), state_digest(teacher), about, samples])
    return hashlib.sha256(text.encode()).hexdigest()
