"""A given network as a teacher of augmented samples, which it is asked about once.

The teacher is several times the work of the small network that learns from it, so its answers are kept and used again.
The augmented samples of a pass follow from the number of the pass's *view* alone: equal views are the same samples in
the same order, and epochs take `views` views in turn.  The teacher is a folded copy and rounds to bfloat16 where that
is fast, see `features`.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

import torch
from torch import Tensor, nn

from cascade_core.nets.samples import SampleSet, batches
from cascade_core.nets.staged import CascadedNetwork, StagedModel
from cascade_core.nets.training.features import Features

KEPT_BYTES = 1 << 31
"""Most bytes of answers that are kept."""

_VIEWS = 20
"""Bits of a generator's seed that tell views apart."""


class _Plain(nn.Module):
    """The plain network of a model with stages, as a module."""

    def __init__(self, model: StagedModel) -> None:
        super().__init__()
        self.model = model

    def forward(self, images: Tensor) -> Tensor:
        """(batch, K) logits."""
        return self.model.plain(images)


class Teacher:
    """Augmented samples with a network's answers to them, epoch after epoch.

    Args:
        model: Of which the plain network teaches.
        shift: Augmentation: pixels of the largest random shift.
        views: How many passes are augmented differently, unless answers to so many are over `KEPT_BYTES`.
        precision: Of the network, "float32" or "bfloat16".

    Attributes:
        seconds: That answering has taken.
    """

    def __init__(
        self,
        model: StagedModel,
        data: SampleSet,
        *,
        batch_size: int,
        shift: int,
        views: int,
        seed: int,
        device: str,
        precision: str,
    ) -> None:
        whole = CascadedNetwork("teacher", ("teacher",), [_Plain(model)], [nn.Identity()])
        self.features = Features(whole, (), device, precision, teach=True)
        self.data, self.batch_size, self.shift, self.seed = data, batch_size, shift, seed
        self.views = max(1, min(views, KEPT_BYTES // (2 * len(data) * len(data.class_names))))
        self.seconds, self.kept = 0.0, dict[int, list[Tensor]]()

    def takes(self, epoch: int) -> float:
        """Seconds that answering takes in an epoch, as long as it has taken so far."""
        return 0.0 if epoch % self.views in self.kept else self.seconds / max(1, len(self.kept))

    def epoch(self, number: int) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        """Samples (batch, ...), labels (batch,) and the teacher's logits (batch, K) of an epoch, from 0."""
        view = number % self.views
        known, answers = self.kept.get(view), list[Tensor]()
        generator = torch.Generator().manual_seed((self.seed << _VIEWS) + view)
        for place, (samples, labels) in enumerate(
            batches(self.data, self.batch_size, generator=generator, shift=self.shift)
        ):
            answer = self._answer(samples, labels) if known is None else known[place]
            answers.append(answer)
            yield samples, labels, answer.float()
        # Only a whole pass is kept.
        self.kept[view] = answers

    def _answer(self, samples: Tensor, labels: Tensor) -> Tensor:
        """(batch, K) float16 logits, on the processor."""
        start = time.monotonic()
        answer = self.features(samples, labels).teacher
        assert answer is not None  # it teaches
        # Kept in half the bytes; float16 holds logits up to 65,504.
        kept = answer.clamp(-6e4, 6e4).half().cpu()
        self.seconds += time.monotonic() - start
        return kept
