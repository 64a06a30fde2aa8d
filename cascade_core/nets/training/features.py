"""What a frozen trunk makes of images for its heads to learn from: one pass serves all heads, and is used again.

The trunk is nearly all of the work, so the features of up to `CHUNK_BYTES` are gathered, the heads may take several
rounds of steps over them, and they are dropped: memory does not grow with the set.  A head's layers before the first
with weights (its pooling) are applied here, so that only their result is kept.  The trunk is copied, its batch norms
are folded into its convolutions where it can be traced, and it takes `PIECE` images at a time, which keeps its
feature maps in a processor's cache; the network's own pieces are not touched.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from cascade_core.nets.devices import lay_out, placed
from cascade_core.nets.folding import folded
from cascade_core.nets.staged import CascadedNetwork
from cascade_core.nets.training.standardise import first_trained

CHUNK_BYTES = 512 << 20
"""Most bytes of features that are kept at a time."""

PIECE = 64
"""Images that the trunk takes at a time on a processor; found by trial, 1.5 times as fast there as 128."""


@dataclass(frozen=True, kw_only=True)
class Batch:
    """Samples as heads see them.

    Attributes:
        inputs: For each early head what its first layer with weights reads, float32, the batch first.
        labels: (batch,) int64.
        teacher: (batch, K) logits of the last stage, or None.
    """

    inputs: tuple[Tensor, ...]
    labels: Tensor
    teacher: Tensor | None

    def __len__(self) -> int:
        return len(self.labels)

    def nbytes(self) -> int:
        """Of the features."""
        return sum(x.nbytes for x in self.inputs)

    def take(self, index: Tensor) -> Batch:
        """The samples at `index` (n,) int64, in that order."""
        return Batch(
            inputs=tuple(x[index.to(x.device)] for x in self.inputs),
            labels=self.labels[index.to(self.labels.device)],
            teacher=None if self.teacher is None else self.teacher[index.to(self.teacher.device)],
        )


def joined(parts: Sequence[Batch]) -> Batch:
    """Batches one after another, as one."""
    teachers = [part.teacher for part in parts if part.teacher is not None]
    return Batch(
        inputs=tuple(torch.cat(x) for x in zip(*(part.inputs for part in parts), strict=True)),
        labels=torch.cat([part.labels for part in parts]),
        teacher=torch.cat(teachers) if teachers else None,
    )


class Features:
    """The frozen trunk of a network and the pooling of its early heads.

    Args:
        teach: Whether the last stage is computed too, for its logits; without that its trunk piece is not run.
        precision: Of the trunk, "float32" or "bfloat16".
    """

    def __init__(
        self, network: CascadedNetwork, heads: Sequence[nn.Sequential], device: str, precision: str, *, teach: bool
    ) -> None:
        self.device, self.dtype = device, torch.bfloat16 if precision == "bfloat16" else torch.float32
        early = list(network.trunk)[: None if teach else -1]
        self.trunk = [self._placed(piece) for piece in early]
        self.last = self._placed(network.heads[-1]) if teach else None
        self.pools = [head[: first_trained(head)] for head in heads]
        self.piece = PIECE if device == "cpu" else 1 << 20

    def _placed(self, module: nn.Module) -> nn.Module:
        """A frozen copy on the device, laid out as convolutions are fastest."""
        placed = folded(module.eval()).requires_grad_(False).to(device=self.device, dtype=self.dtype)
        lay_out(placed, torch.channels_last)
        return placed

    @torch.no_grad()
    def __call__(self, images: Tensor, labels: Tensor) -> Batch:
        """Features of samples as the network takes them, (batch, ...)."""
        labels = labels.to(self.device)
        pairs = zip(images.split(self.piece), labels.split(self.piece), strict=True)
        return joined([self._piece(some, target) for some, target in pairs])

    def _piece(self, images: Tensor, labels: Tensor) -> Batch:
        state: tuple[Tensor, ...] = (placed(images, self.device, self.dtype),)
        computed = []
        for piece in self.trunk:
            result = piece(*state)
            state = result if isinstance(result, tuple) else (result,)
            computed.append(state[0])
        inputs = tuple(pool(x.float()) for pool, x in zip(self.pools, computed, strict=False))
        return Batch(
            inputs=inputs, labels=labels, teacher=None if self.last is None else self.last(computed[-1]).float()
        )


def chunks(batches: Iterator[Batch]) -> Iterator[tuple[int, Batch]]:
    """Batches joined while they are up to `CHUNK_BYTES` together; with each, how many batches it holds."""
    made: list[Batch] = []
    for batch in batches:
        made.append(batch)
        if (len(made) + 1) * made[0].nbytes() > CHUNK_BYTES:
            yield len(made), joined(made)
            made = []
    if made:
        yield len(made), joined(made)
