"""What a given network answers to augmented images: each of a fixed number of views of every image, asked once.

The given network is several times the work of the small one that learns from it, so it is asked about `count` views of
each image before training, and its answers are kept.  A view is a crop of the padded image, mirrored or not; every
second view mixes it with another image of the same view.  Views follow from the seed and their number alone.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from cascade_core.nets.images.datasets import ImageSet
from cascade_core.nets.images.pixels import cropped
from cascade_core.nets.staged import CascadedNetwork, StagedModel
from cascade_core.nets.training.features import Features

KEPT_BYTES = 1 << 30
"""Most bytes of answers that are kept."""

MOST_MIXED = 0.5
"""Largest share that the other image has in a mixture."""

BATCH = 256
"""Images that are made ready at a time for the given network."""


class Views:
    """Views of images.

    Args:
        count: Of each image.
        shift: Pixels of the largest shift of a crop.

    Attributes:
        mixed: (count,) bool, whether the images of a view are mixtures.
    """

    def __init__(self, data: ImageSet, count: int, shift: int, seed: int) -> None:
        self.data, self.shift = data, shift
        generator, n = torch.Generator().manual_seed(seed), len(data)
        made = [_drawn(n, shift, data.flip, generator) for _ in range(count)]
        self.top, self.left, self.mirrored, self.other, self.share = map(torch.stack, zip(*made, strict=True))
        self.mixed = torch.arange(count) % 2 == 1
        self.share *= self.mixed[:, None]

    def batch(self, index: Tensor, view: Tensor) -> Tensor:
        """Normalised images (batch, channels, size, size) of samples `index` (batch,), each in its view (batch,)."""
        pixels, mixed = self._cropped(index, view), self.mixed[view]
        if mixed.any():
            share = self.share[view, index][mixed].view(-1, 1, 1, 1)
            other = self._cropped(self.other[view, index][mixed], view[mixed])
            pixels[mixed] = (pixels[mixed] * (1 - share) + other * share).round().to(torch.uint8)
        return self.data.normalise(pixels)

    def _cropped(self, index: Tensor, view: Tensor) -> Tensor:
        place = view, index
        return cropped(
            self.data.pixels(index), self.shift, self.top[place].long(), self.left[place].long(), self.mirrored[place]
        )


def _drawn(n: int, shift: int, flip: bool, generator: torch.Generator) -> tuple[Tensor, ...]:
    """Of n images in one view: crops, whether they are mirrored, with which others they are mixed, and how much."""
    top, left = torch.randint(0, 2 * shift + 1, (2, n), generator=generator, dtype=torch.int16)
    mirrored = (torch.rand(n, generator=generator) < 0.5) & flip
    other = torch.randperm(n, generator=generator)
    return top, left, mirrored, other, torch.rand(n, generator=generator) * MOST_MIXED


def room(data: ImageSet) -> int:
    """How many views there is room to keep answers to, at least one."""
    return max(1, KEPT_BYTES // (2 * len(data) * len(data.class_names)))


class Teacher:
    """The plain network of a model, as a folded copy that rounds to bfloat16 where that is fast.

    Args:
        precision: "float32" or "bfloat16".
    """

    def __init__(self, model: StagedModel, device: str, precision: str) -> None:
        whole = CascadedNetwork("teacher", ("teacher",), [_Plain(model)], [nn.Identity()])
        self.features = Features(whole, (), device, precision, teach=True)

    def answers(self, views: Views, view: int) -> Iterator[Tensor]:
        """(batch, K) float16 logits of all images in a view, in their order."""
        for index in torch.arange(len(views.data)).split(BATCH):
            images = views.batch(index, torch.full_like(index, view))
            answer = self.features(images, index).teacher
            assert answer is not None  # it teaches
            # Half the bytes; float16 holds logits up to 65,504.
            yield answer.clamp(-6e4, 6e4).half().cpu()


class _Plain(nn.Module):
    """The plain network of a model with stages, as a module."""

    def __init__(self, model: StagedModel) -> None:
        super().__init__()
        self.model = model

    def forward(self, images: Tensor) -> Tensor:
        """(batch, K) logits."""
        return self.model.plain(images)
