"""Fitting heads to a frozen trunk (backtrack training), and a small plain network from nothing.

`fit_heads` follows arXiv 1805.10982: the plain network is given and stays as it is, bit for bit, which is checked;
the early heads are trained on what its trunk makes of the images.  One pass of the trunk serves all heads, and
the last trunk piece is not run.  The trunk is nearly all of the work, so each pass is used several times: the
pooled features of up to `CHUNK_BYTES` are gathered, the heads take `reuse` rounds of steps over them, and they are
dropped.  The sum of the heads' cross-entropies is minimised by AdamW under a one-cycle schedule; heads share no
weights, so each is trained as if alone.

While it is trained, the input of a head's first linear layer is standardised by every feature's mean and deviation;
without that they learn far more slowly.  Afterwards the standardisation is folded into that layer, so
that a head is exactly what its description says.

Equal seeds give equal weights on one machine with one number of threads; another machine rounds differently.
"""

from __future__ import annotations

import copy
import math
import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from tqdm import tqdm

from cascade_core.nets.datasets import ImageSet, batches
from cascade_core.nets.devices import lay_out, resolve_precision
from cascade_core.nets.staged import CascadedNetwork
from cascade_core.nets.standardise import first_linear, fold, standardise
from cascade_core.nets.weights import state_digest

CHUNK_BYTES = 512 << 20
"""Most bytes of pooled features that are kept at a time."""


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
        seed: Of the order of the samples and of their augmentation.
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
    seed: int = 0
    precision: str = "auto"

    def __post_init__(self) -> None:
        for what, least in (("epochs", 1), ("reuse", 1), ("batch_size", 2), ("shift", 0)):
            if getattr(self, what) < least:
                raise ValueError(f"Expected {what} to be at least {least} but it was {getattr(self, what)}")
        if not (self.learning_rate > 0 and math.isfinite(self.learning_rate)):
            raise ValueError(f"Expected learning_rate to be a number > 0 but it was {self.learning_rate}")

    def describe(self) -> dict[str, Any]:
        """The fields, as JSON data."""
        return asdict(self)


@dataclass(frozen=True, kw_only=True)
class Fit:
    """What training came to, over its last epoch.

    Attributes:
        loss, accuracy: One for each head trained, on the augmented training samples; accuracy in [0, 1].
        seconds: Of the whole training.
    """

    loss: tuple[float, ...]
    accuracy: tuple[float, ...]
    seconds: float


def fit_heads(
    network: CascadedNetwork, data: ImageSet, training: Training, *, device: str = "cpu", progress: bool = True
) -> Fit:
    """Train all heads of `network` but the last; nothing else in it changes.

    Raises:
        ValueError: There is no early head, or one is no sequence with a linear layer.
        RuntimeError: The trunk or the last head changed; the heads are then of no use.
    """
    before, start = _frozen_digests(network.eval()), time.monotonic()
    heads = _early_heads(network, device)
    features = _Features(network, heads, device, resolve_precision(training.precision, device))
    tails = [nn.Sequential(*list(head)[first_linear(head) :]) for head in heads]
    generator = torch.Generator().manual_seed(training.seed)
    learner: _Learner | None = None
    for epoch in range(training.epochs):
        with _bar(data, training, epoch, progress) as bar:
            for made, labels in _chunks(features, data, training, generator, bar):
                if learner is None:
                    tails = [
                        nn.Sequential(standardise(x), *tail.children()) for x, tail in zip(made, tails, strict=True)
                    ]
                    learner = _Learner(tails, training, training.reuse * _batches(data, training))
                for _ in range(training.reuse):
                    for index in torch.randperm(len(labels), generator=generator).split(training.batch_size):
                        learner.step([x[index.to(device)] for x in made], labels[index].to(device))
                    bar.set_postfix_str(learner.tell(network.stage_names))
    assert learner is not None  # there is at least one epoch, and a set is never empty
    for own, tail in zip(network.heads, tails, strict=False):
        assert isinstance(own, nn.Sequential)  # `_early_heads` saw to it
        fold(tail.cpu(), own)
    if _frozen_digests(network.eval()) != before:
        raise RuntimeError(f"Expected the trunk and last head of {network.name} to stay as they were but they changed")
    return learner.result(time.monotonic() - start)


def fit_network(
    plain: nn.Module, data: ImageSet, training: Training, *, device: str = "cpu", progress: bool = True
) -> Fit:
    """Train a whole small plain network from the weights that it has; it is left in eval mode."""
    start, generator = time.monotonic(), torch.Generator().manual_seed(training.seed)
    learner = _Learner([plain.to(device)], training, _batches(data, training))
    for epoch in range(training.epochs):
        with _bar(data, training, epoch, progress) as bar:
            for images, labels in batches(data, training.batch_size, generator=generator, shift=training.shift):
                learner.step([images.to(device)], labels.to(device))
                bar.update(len(labels))
                bar.set_postfix_str(learner.tell(("network",)), refresh=False)
    plain.to("cpu").eval()
    return learner.result(time.monotonic() - start)


class _Learner:
    """Classifiers, their optimiser and its schedule, and how they do over the latest samples."""

    def __init__(self, classifiers: Sequence[nn.Module], training: Training, steps: int) -> None:
        self.classifiers = [classifier.train() for classifier in classifiers]
        parameters = [p for classifier in classifiers for p in classifier.parameters()]
        self.optimiser = torch.optim.AdamW(parameters, lr=training.learning_rate, weight_decay=training.weight_decay)
        self.schedule = torch.optim.lr_scheduler.OneCycleLR(
            self.optimiser, max_lr=training.learning_rate, total_steps=max(2, steps * training.epochs)
        )
        self.seen: deque[tuple[int, Tensor, Tensor]] = deque(maxlen=steps)

    def step(self, inputs: Sequence[Tensor], target: Tensor) -> None:
        """Change every classifier by one step on its own input."""
        logits = [classify(x) for classify, x in zip(self.classifiers, inputs, strict=True)]
        losses = torch.stack([functional.cross_entropy(answer, target) for answer in logits])
        self.optimiser.zero_grad(set_to_none=True)
        losses.sum().backward()
        self.optimiser.step()
        self.schedule.step()
        right = torch.stack([(answer.argmax(1) == target).sum() for answer in logits])
        self.seen.append((len(target), losses.detach() * len(target), right))

    def averages(self) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """Loss and accuracy of each classifier over the last epoch's worth of steps."""
        count = sum(n for n, _, _ in self.seen)
        loss = torch.stack([total for _, total, _ in self.seen]).sum(0) / count
        right = torch.stack([total for _, _, total in self.seen]).sum(0) / count
        return tuple(loss.tolist()), tuple(right.tolist())

    def tell(self, names: Sequence[str]) -> str:
        """`averages`, for a progress bar."""
        each = zip(names, *self.averages(), strict=False)
        return ", ".join(f"{name}: loss {loss:.3f}, accuracy {right:.1%}" for name, loss, right in each)

    def result(self, seconds: float) -> Fit:
        """`averages`, for the record."""
        loss, accuracy = self.averages()
        return Fit(loss=loss, accuracy=accuracy, seconds=seconds)


class _Features:
    """What each early head's first linear layer reads, float32 (batch, d), from normalised images."""

    def __init__(self, network: CascadedNetwork, heads: Sequence[nn.Sequential], device: str, precision: str) -> None:
        self.device, self.dtype = device, torch.bfloat16 if precision == "bfloat16" else torch.float32
        # Copies, laid out as convolutions are fastest; the network's own pieces are not touched.
        pieces = [copy.deepcopy(piece).eval().requires_grad_(False) for piece in list(network.trunk)[:-1]]
        self.trunk = [piece.to(device=device, dtype=self.dtype) for piece in pieces]
        for piece in self.trunk:
            lay_out(piece, torch.channels_last)
        self.pools = [head[: first_linear(head)] for head in heads]

    @torch.no_grad()
    def __call__(self, images: Tensor) -> list[Tensor]:
        state: tuple[Tensor, ...] = (images.to(self.device, self.dtype, memory_format=torch.channels_last),)
        features = []
        for piece, pool in zip(self.trunk, self.pools, strict=True):
            result = piece(*state)
            state = result if isinstance(result, tuple) else (result,)
            features.append(pool(state[0].float()))
        return features


def _chunks(
    features: _Features, data: ImageSet, training: Training, generator: torch.Generator, bar: Any
) -> Iterator[tuple[list[Tensor], Tensor]]:
    """Features and labels of one pass over the training samples, up to `CHUNK_BYTES` at a time."""
    made: list[list[Tensor]] = []
    labels: list[Tensor] = []
    for images, target in batches(data, training.batch_size, generator=generator, shift=training.shift):
        made.append(features(images))
        labels.append(target)
        bar.update(len(target))
        if (len(made) + 1) * sum(x.nbytes for x in made[0]) > CHUNK_BYTES:
            yield [torch.cat(x) for x in zip(*made, strict=True)], torch.cat(labels)
            made, labels = [], []
    if made:
        yield [torch.cat(x) for x in zip(*made, strict=True)], torch.cat(labels)


def _batches(data: ImageSet, training: Training) -> int:
    """Batches of one pass: full ones, or the only one."""
    return max(1, len(data) // training.batch_size)


def _bar(data: ImageSet, training: Training, epoch: int, progress: bool) -> Any:
    total = min(len(data), _batches(data, training) * training.batch_size)
    title = f"epoch {epoch + 1}/{training.epochs}"
    return tqdm(total=total, desc=title, unit=" images", disable=not progress, mininterval=1)


def _early_heads(network: CascadedNetwork, device: str) -> list[nn.Sequential]:
    """Copies of all heads but the last."""
    if len(network.heads) < 2:
        raise ValueError(f"Expected {network.name} to have a stage before its last, to fit a head to, but it has none")
    heads = []
    for name, head in zip(network.stage_names[:-1], network.heads, strict=False):
        if not isinstance(head, nn.Sequential) or not any(isinstance(layer, nn.Linear) for layer in head):
            raise ValueError(f"Expected the head of {name} to be a sequence with a linear layer but it was {head}")
        heads.append(copy.deepcopy(head).to(device))
    return heads


def _frozen_digests(network: CascadedNetwork) -> list[str]:
    return [state_digest(part) for part in (*network.trunk, network.heads[-1])]
