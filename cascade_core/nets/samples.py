"""Labelled samples of any kind, and what a network is given of them: what images and texts have in common.

An `Inputs` says how samples are prepared for one network, and makes an example of that; a `SampleSet` gives them
prepared, a batch at a time.  `images` and `texts` have one of each.
"""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol, Self, TypeVar

import torch
from torch import Tensor

from cascade_core.nets.classes import some


class Inputs(Protocol):
    """How samples are prepared for a network."""

    def example(self, batch: int) -> Tensor:
        """(batch, ...) of what the network takes, made up."""

    def describe(self) -> dict[str, Any]:
        """What a run or heads file says of it, as JSON data."""

    def changed(self, wishes: Mapping[str, Any]) -> Self:
        """The same but for the fields in `wishes`.

        Raises:
            ValueError: One is out of range, or of another kind of samples.
        """


@dataclass(kw_only=True)
class SampleSet(ABC):
    """N labelled samples, prepared for one network.

    Attributes:
        spec: The data's name as typed, without the machine's path, such as "imagefolder:test".
        split: "train" or "test".
        labels: (N,) int64 class numbers.
        sample_ids: N texts.
        class_names: K texts.
    """

    spec: str
    split: str
    labels: Tensor
    sample_ids: tuple[str, ...]
    class_names: tuple[str, ...]

    unit: ClassVar[str]
    """Plural noun for samples."""

    def __len__(self) -> int:
        return len(self.sample_ids)

    def __getitem__(self, i: int) -> tuple[Tensor, int]:
        """What the network is given of sample i, and its label."""
        return self.batch(torch.tensor([i]))[0], int(self.labels[i])

    @abstractmethod
    def batch(
        self, index: Tensor, *, keep: bool = False, generator: torch.Generator | None = None, shift: int = 0
    ) -> Tensor:
        """(batch, ...) of what the network is given of samples `index` (batch,).

        Args:
            keep: Whether what was read may be kept for further passes.
            generator: With one, samples are augmented.
            shift: Of images: pixels of the largest random shift.
        """

    @abstractmethod
    def take(self, index: Tensor) -> Self:
        """The set of the samples at `index` (n,) int64, in that order."""

    @abstractmethod
    def describe(self) -> dict[str, Any]:
        """What a run file says of the set and its preparation, as JSON data."""


Samples = TypeVar("Samples", bound=SampleSet)


def batches(
    data: SampleSet,
    batch_size: int,
    *,
    generator: torch.Generator | None = None,
    shift: int = 0,
    skip: int = 0,
    state: Tensor | None = None,
    keep: bool = False,
) -> Iterator[tuple[Tensor, Tensor]]:
    """Prepared samples (batch, ...) and labels (batch,), all of the set once.

    Args:
        generator: With one, the order is random and samples are augmented; a last batch that is not full is left out,
            unless it is the only one.  Without one, the order is the set's.
        shift: Augmentation: pixels of the largest random shift.
        skip: Batches to leave out at the beginning, when a pass goes on that was stopped.
        state: What the generator's state was behind them.
        keep: Whether what was read is kept for further passes, as it always is with a generator.
    """
    n = len(data)
    order = torch.arange(n) if generator is None else torch.randperm(n, generator=generator)
    if generator is not None and n > batch_size:
        order = order[: n - n % batch_size]
    if generator is not None and state is not None:
        generator.set_state(state)
    for index in order.split(batch_size)[skip:]:
        # A single pass must not fill the memory; over a training set there are many.
        made = data.batch(index, keep=keep or generator is not None, generator=generator, shift=shift)
        yield made, data.labels[index]


def hold_out(data: Samples, share: float, seed: int) -> tuple[Samples, Samples | None]:
    """The samples to learn from, and a share of them that only judges; None where that is no sample."""
    count = round(share * len(data))
    if count == 0:
        return data, None
    # A generator of its own, so that what is held out does not depend on what is drawn for training.
    order = torch.randperm(len(data), generator=torch.Generator().manual_seed(seed))
    return data.take(order[count:].sort().values), data.take(order[:count].sort().values)


def samples_digest(data: SampleSet) -> str:
    """SHA-256 of the samples' names and labels."""
    text = "\n".join(f"{name} {label}" for name, label in zip(data.sample_ids, data.labels.tolist(), strict=True))
    return hashlib.sha256(text.encode()).hexdigest()


def check_answers(data: SampleSet, classes: int) -> None:
    """Raise ValueError unless a network that answers with `classes` classes has as many as the set."""
    if classes != len(data.class_names):
        raise ValueError(
            f"Expected the network to answer with the {len(data.class_names)} classes of {data.spec} "
            f"but it answers with {classes}; do network and data belong together?"
        )


def check_classes(data: SampleSet, class_names: tuple[str, ...]) -> None:
    """Raise ValueError unless the set's classes are `class_names`, in that order."""
    if data.class_names != class_names:
        raise ValueError(
            f"Expected {data.spec} to have the {len(class_names)} classes {some(class_names)} "
            f"but it has {len(data.class_names)}: {some(data.class_names)}"
        )
