"""A small network with three exits, to stand in front of a larger one: inverted bottlenecks on small maps.

A stem looks at the image, halved until it is at most `MOST_SIDE` pixels high.  Three pieces follow.  Each halves the
map by a 3x3 convolution, unless it is small already, and goes on with inverted bottlenecks: a 1x1 convolution widens,
a 3x3 one filters each channel by itself, a 1x1 one narrows again, beside a shortcut (Sandler et al., arXiv 1801.04381).
An exit behind each piece widens the map, by a strided 3x3 convolution where it is large, and takes the mean of each
channel to a linear layer.

What a network is follows from four whole numbers, so that it is rebuilt from a file without running anything in it.
The proportions were found on CIFAR-10 by trials on training images that were held out: a width of 8 is a stem of 16
channels, pieces of 24, 48 and 96, and 11.5 million multiply-accumulates on 32x32 images.  Squeeze and excitation, and
plain residual blocks of the same time, did worse.  How one is trained is in `training.distilling`, its files are in
`front`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from cascade_core.nets.macs import stage_costs
from cascade_core.nets.staged import CascadedNetwork
from cascade_core.simulation.stages import Stage
from cascade_core.support import checks

MOST_SIDE, LEAST_SIDE, LARGE_SIDE = 32, 2, 8
"""Pixels of a map's height: most behind the stem, those that are not halved, and those above which an exit strides."""

WIDEST, LARGEST, MOST_CLASSES = 128, 1024, 1 << 16
"""Most times the proportions, pixels of an image's height, and classes."""

STEM, PIECES, DEPTHS, HEADS = 2, (3, 6, 12), (2, 3, 2), (8, 24, 40)
"""Channels of the stem, of the pieces and of their exits, in widths; bottlenecks of the pieces."""

EXPANSION = 3
"""How many times wider a bottleneck is inside."""

STAGE_NAMES = ("exit 1", "exit 2", "exit 3")


@dataclass(frozen=True, kw_only=True)
class SmallSpec:
    """What a small network is.

    Attributes:
        channels: Of its images, 3 or 1.
        size: Their height and width in pixels.
        classes: How many it answers with.
        width: How many times `STEM`, `PIECES` and `HEADS` its channels are.

    Raises:
        ValueError: A number is out of range.
    """

    channels: int
    size: int
    classes: int
    width: int

    def __post_init__(self) -> None:
        checks.whole("channels", self.channels, 1, 3)
        checks.whole("size", self.size, 4, LARGEST)
        checks.whole("classes", self.classes, 2, MOST_CLASSES)
        checks.whole("width", self.width, 1, WIDEST)

    def costs(self) -> tuple[Stage, ...]:
        """Its exits, and what they cost."""
        return stage_costs(self.build().eval(), torch.zeros(1, self.channels, self.size, self.size))

    def macs(self) -> int:
        """Multiply-accumulates of an image that goes through all of it, with every exit."""
        return sum(stage.trunk_macs + stage.head_macs for stage in self.costs())

    def build(self) -> CascadedNetwork:
        """The network with fresh weights."""
        stem, side = _stem(self)
        pieces, heads, before = [], [], STEM * self.width
        for times, depth, wide in zip(PIECES, DEPTHS, HEADS, strict=True):
            channels, stride = times * self.width, 2 if side > LEAST_SIDE else 1
            layers = _convolution(before, channels, 3, stride)
            pieces.append(nn.Sequential(*stem, *layers, *(_Bottleneck(channels) for _ in range(depth))))
            stem, before, side = [], channels, -(-side // stride)
            heads.append(_head(channels, wide * self.width, self.classes, large=side > LARGE_SIDE))
        return CascadedNetwork("front", STAGE_NAMES, pieces, heads)


def largest(spec: SmallSpec, macs: float) -> SmallSpec:
    """The widest network like `spec` that takes at most `macs` multiply-accumulates.

    Raises:
        ValueError: The narrowest takes more.
    """
    if (takes := replace(spec, width=1).macs()) > macs:
        raise ValueError(f"the smallest takes {takes:,}, more than {macs:,.0f}")
    low, high = 1, 2
    # Narrow ones are counted quickly.
    while high < WIDEST and replace(spec, width=high).macs() <= macs:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if replace(spec, width=middle).macs() <= macs else (low, middle)
    return replace(spec, width=low)


def _stem(spec: SmallSpec) -> tuple[list[nn.Module], int]:
    """Convolutions that halve large images, at least one, and the height that is left."""
    layers: list[nn.Module] = []
    side, inputs = spec.size, spec.channels
    while side > MOST_SIDE or not layers:
        stride = 2 if side > MOST_SIDE else 1
        layers += _convolution(inputs, STEM * spec.width, 3, stride)
        side, inputs = -(-side // stride), STEM * spec.width
    return layers, side


def _convolution(inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1) -> list[nn.Module]:
    layer = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False)
    return [layer, nn.BatchNorm2d(outputs), nn.ReLU()]


def _head(channels: int, wide: int, classes: int, *, large: bool) -> nn.Sequential:
    layers = _convolution(channels, wide, 3, 2) if large else _convolution(channels, wide, 1)
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(wide, classes))


class _Bottleneck(nn.Module):
    """An inverted bottleneck with a shortcut: (batch, channels, h, w) to the same shape."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        inside = EXPANSION * channels
        wide, own = _convolution(channels, inside, 1), _convolution(inside, inside, 3, groups=inside)
        self.body = nn.Sequential(*wide, *own, *_convolution(inside, channels, 1)[:-1])

    def forward(self, x: Tensor) -> Tensor:
        """The sum of both."""
        result: Tensor = x + self.body(x)
        return result
