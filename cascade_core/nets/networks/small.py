"""A small network with exits of its own, to stand in front of a larger one: inverted bottlenecks on few, small maps.

A stem halves the images until they are at most `MOST_SIDE` pixels high.  Three pieces of `depth` blocks follow, of
`width`, 2 `width` and 3 `width` channels, with half the height and width from the second on, and an exit behind each.
A block widens by a 1x1 convolution, filters each channel by itself (3x3), weighs the channels by what the whole map
holds (squeeze and excitation, Hu et al., arXiv 1709.01507), and narrows again (Sandler et al., arXiv 1801.04381).

What a network is follows from five whole numbers, so that it is rebuilt from a file without running anything in it.
How one is trained is in `training.distilling`, its files are in `front`.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace

import torch
from torch import Tensor, nn

from cascade_core.nets.macs import stage_costs
from cascade_core.nets.staged import CascadedNetwork
from cascade_core.simulation.stages import Stage
from cascade_core.support import checks

MOST_SIDE = 16
"""Most pixels of a map's height behind the stem."""

STEP = 4
"""Widths are multiples of this."""

WIDEST, DEEPEST, LARGEST, MOST_CLASSES = 512, 16, 1024, 1 << 16
"""Most channels of the first piece, blocks of a piece, pixels of an image's height, and classes."""

EXPANSION, SQUEEZE = 3, 4
"""How many times wider a block is inside, and how many times fewer numbers weigh its channels."""

STAGE_NAMES = ("exit 1", "exit 2", "end")


@dataclass(frozen=True, kw_only=True)
class SmallSpec:
    """What a small network is.

    Attributes:
        channels: Of its images, 3 or 1.
        size: Their height and width in pixels.
        classes: How many it answers with.
        width: Channels of its first piece, a multiple of `STEP`.
        depth: Blocks of each piece.

    Raises:
        ValueError: A number is out of range.
    """

    channels: int
    size: int
    classes: int
    width: int
    depth: int = 2

    def __post_init__(self) -> None:
        checks.whole("channels", self.channels, 1, 3)
        checks.whole("size", self.size, 4, LARGEST)
        checks.whole("classes", self.classes, 2, MOST_CLASSES)
        checks.whole("width", self.width, STEP, WIDEST)
        checks.whole("depth", self.depth, 1, DEEPEST)

    def describe(self) -> dict[str, int]:
        """The fields, as JSON data."""
        return asdict(self)

    def costs(self) -> tuple[Stage, ...]:
        """Its exits, and what they cost."""
        return stage_costs(self.build().eval(), torch.zeros(1, self.channels, self.size, self.size))

    def macs(self) -> int:
        """Multiply-accumulates of an image that goes through all of it, with every exit."""
        return sum(stage.trunk_macs + stage.head_macs for stage in self.costs())

    def build(self) -> CascadedNetwork:
        """The network with fresh weights."""
        widths = [self.width, 2 * self.width, 3 * self.width]
        pieces, before = [], self.width
        for number, width in enumerate(widths):
            first = _Block(before, width, 2 if number else 1)
            blocks = [first, *(_Block(width, width, 1) for _ in range(self.depth - 1))]
            pieces.append(nn.Sequential(*(_stem(self) if number == 0 else ()), *blocks))
            before = width
        return CascadedNetwork("front", STAGE_NAMES, pieces, [_head(width, self.classes) for width in widths])


def largest(spec: SmallSpec, macs: float) -> SmallSpec:
    """The widest network like `spec` that takes at most `macs` multiply-accumulates.

    Raises:
        ValueError: The narrowest takes more.
    """
    least = replace(spec, width=STEP)
    if (takes := least.macs()) > macs:
        raise ValueError(f"the smallest takes {takes:,}, more than {macs:,.0f}")
    low, high = 1, 2
    # Narrow ones are counted quickly.
    while high < WIDEST // STEP and replace(spec, width=high * STEP).macs() <= macs:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if replace(spec, width=middle * STEP).macs() <= macs else (low, middle)
    return replace(spec, width=low * STEP)


def _stem(spec: SmallSpec) -> list[nn.Module]:
    """Convolutions that halve the images until they are small."""
    layers, side, inputs = [], spec.size, spec.channels
    while side > MOST_SIDE or not layers:
        stride = 2 if side > MOST_SIDE else 1
        layers += _convolution(inputs, spec.width, 3, stride)
        side, inputs = -(-side // stride), spec.width
    return layers


def _convolution(inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1) -> list[nn.Module]:
    layer = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False)
    return [layer, nn.BatchNorm2d(outputs), nn.ReLU()]


def _head(width: int, classes: int) -> nn.Sequential:
    return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(width, classes))


class _Block(nn.Module):
    """An inverted bottleneck, with a shortcut where the shape stays: (batch, inputs, h, w) to (batch, outputs, ...)."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        inside = EXPANSION * inputs
        self.wide = nn.Sequential(*_convolution(inputs, inside, 1), *_convolution(inside, inside, 3, stride, inside))
        self.weigh = _Weigh(inside)
        self.narrow = nn.Sequential(*_convolution(inside, outputs, 1)[:-1])
        self.keeps = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        """The block's result."""
        out: Tensor = self.narrow(self.weigh(self.wide(x)))
        return out + x if self.keeps else out


class _Weigh(nn.Module):
    """Channels weighed by numbers in (0, 1) that depend on their means."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        middle = max(STEP, channels // (SQUEEZE * EXPANSION))
        self.weights = nn.Sequential(
            nn.Linear(channels, middle), nn.ReLU(), nn.Linear(middle, channels), nn.Hardsigmoid()
        )

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels, h, w) of the same shape."""
        weighed: Tensor = x * self.weights(x.mean((2, 3)))[:, :, None, None]
        return weighed
