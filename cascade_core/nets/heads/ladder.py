"""A ladder: a small network that climbs beside the frozen trunk, and whose rungs are the exits.

A head that stands alone sees one place of the trunk, and whatever it works out is lost when the sample goes on.  A
rung takes what the trunk computed at its exit, brings it to the ladder's few pixels, adds what the rung below handed
on, and works on the sum with residual blocks; its exit answers from the result, and the next rung goes on from it.
So a later exit costs one rung and reuses the features of all those before it.  The trunk never sees the ladder, and
answers at its end exactly as it did.  (Side networks beside a frozen trunk: Sung, Cho & Bansal, "LST: Ladder
Side-Tuning", arXiv 2206.06522.)

A rung is run for every sample that reaches its stage, whether its exit is used or not, for the rungs above need it:
its MACs belong to the stage's trunk.  `ladder_parameters` chooses the sizes; see `heads` for how they are kept.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import functional

MapShape = tuple[int, int, int]
"""Channels, height and width of a feature map."""

BLOCK_SHARE = 1 / 26
"""MACs of a rung's residual block, of the network's: about those of one block of a deep residual network."""

MOST_CHANNELS = 512


class Block(nn.Module):
    """Two full 3x3 convolutions and a shortcut around them."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.body = nn.Sequential(*convolution(channels, channels, 1), nn.ReLU(), *convolution(channels, channels, 1))

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels, h, w) to the same."""
        return functional.relu(x + self.body(x))


class Rung(nn.Module):
    """What a ladder computes at one exit.

    Args:
        shape: Of the trunk's feature map there.
        channels, height, width: Of the ladder's own map.
        halvings: Strided convolutions on the way from the one to the other.
        before: Residual blocks in front of the last halving, at twice the ladder's size.
        blocks: Residual blocks at the ladder's size.
        front: What makes the trunk's result such a map.
    """

    def __init__(
        self,
        shape: MapShape,
        *,
        channels: int,
        height: int,
        width: int,
        halvings: int,
        before: int,
        blocks: int,
        front: Sequence[nn.Module] = (),
    ) -> None:
        super().__init__()
        inputs, layers = shape[0], list(front)
        for remaining in range(halvings - 1, 0, -1):
            between = min(2 * inputs, channels)
            layers += [*lean_convolution(inputs, between, 2), nn.ReLU()]
            layers += [Block(between) for _ in range(before if remaining == 1 else 0)]
            inputs = between
        layers += lean_convolution(inputs, channels, 2 if halvings else 1)
        # Maps whose sizes are no multiples of one another are brought to the ladder's by pooling.
        self.adapt = nn.Sequential(*layers, nn.AdaptiveAvgPool2d((height, width)))
        self.blocks = nn.Sequential(*(Block(channels) for _ in range(blocks)))

    def forward(self, x: Tensor, below: Tensor | None = None) -> Tensor:
        """The ladder's map (batch, channels, height, width), from the trunk's and that of the rung below."""
        own = self.adapt(x)
        result: Tensor = self.blocks(functional.relu(own if below is None else own + below))
        return result


def convolution(inputs: int, outputs: int, stride: int) -> list[nn.Module]:
    """A full 3x3 convolution and its norm."""
    return [nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1, bias=False), nn.BatchNorm2d(outputs)]


def separable(inputs: int, outputs: int, stride: int) -> list[nn.Module]:
    """A 3x3 convolution of each channel by itself, then a 1x1 one of all channels, each with its norm."""
    return [
        nn.Conv2d(inputs, inputs, 3, stride=stride, padding=1, groups=inputs, bias=False),
        nn.BatchNorm2d(inputs),
        nn.Conv2d(inputs, outputs, 1, bias=False),
        nn.BatchNorm2d(outputs),
    ]


def lean_convolution(inputs: int, outputs: int, stride: int) -> list[nn.Module]:
    """A full convolution from few channels, and a separable one from many, where a full one is too dear."""
    return convolution(inputs, outputs, stride) if 2 * inputs <= outputs else separable(inputs, outputs, stride)


def ladder_parameters(shapes: Sequence[MapShape], macs: int) -> list[dict[str, int]]:
    """Sizes of the rungs at exits where the trunk computes `shapes`, for a network of `macs` MACs.

    The ladder's map has a quarter of the first exit's height and width, or the last exit's own if that is less, and
    as many channels as make a block cost `BLOCK_SHARE` of the network.
    """
    height, width = (max(1, min(shapes[0][axis] // 4, shapes[-1][axis])) for axis in (1, 2))
    # A block is two convolutions of channels * 9 * channels * height * width.
    channels = math.sqrt(BLOCK_SHARE * macs / (18 * height * width))
    size = {"channels": min(max(16, round(channels / 16) * 16), MOST_CHANNELS), "height": height, "width": width}
    return [
        size
        | {
            "halvings": max(0, round(math.log2(min(shape[1] / height, shape[2] / width)))),
            "before": 1 if i == 0 else 0,
            "blocks": 1,
        }
        for i, shape in enumerate(shapes)
    ]
