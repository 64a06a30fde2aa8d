"""Heads: the small classifiers behind the early stages, as families and presets.

A family is a function from the shape of what a stage computes and a few numbers to a module that takes a batch
of it to logits (batch, K); its name and numbers are plain data, so that trained heads can be stored and rebuilt
without running anything from the file.  A shape leaves the batch out, and is one of three layouts (`layout`):
a feature map (channels, height, width), the same with channels last (height, width, channels), as Swin has it,
or tokens (tokens, features), as other transformers have them.

- `linear`: global average pooling and one linear layer, like a residual network's own last layer.
- `enhanced`: average-pool to a small map, flatten, a hidden layer with ReLU, K outputs (arXiv 1805.10982).
- `conv`: convolutions that halve the map until it is small, then two depthwise-separable ones, pooling and one
  linear layer.
- `light`: average-pool to a small map, a few depthwise-separable convolutions, pooling and one linear layer.
- `tokens`: the first token (a class token, where there is one) beside the mean of all, a hidden layer, K outputs.
- `rung`: a rung of a ladder beside the trunk (`ladder`), then a strided convolution, pooling and one linear layer.

Presets choose a family and its numbers for the shapes at hand:

- `linear`, and for tokens the same without a hidden layer.
- `paper`: the enhanced head of the paper, pooled to an eighth of the map's height and width, a hidden layer of 64.
  On 32x32 images a ResNet's modules give 4x4x16 = 256 features, 2x2x32 = 128.
- `fine`: the same with a quarter of the height and width, and a hidden layer of 256: 8x8x16 features and 4x4x32.
- `conv`: convolutional heads, each by itself.
- `ladder`: rungs that build on one another; the most accurate for their MACs, and the longest to train.

The last stage has no head of these: it keeps the plain network's own.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from cascade_core.nets.heads.ladder import Rung, convolution, ladder_parameters, separable
from cascade_core.support import checks

Shape = tuple[int, ...]
"""Sizes of what a stage computes for one sample, in one of the three layouts."""


def layout(shape: Shape) -> str:
    """Which of the three: "map", "channels last" or "tokens".

    Raises:
        ValueError: `shape` has neither two axes nor three.
    """
    if len(shape) == 2:
        return "tokens"
    if len(shape) != 3:
        raise ValueError(
            "Expected a feature map (channels, height, width) or tokens (tokens, features) to put a head on "
            f"but the shape there is {shape}; choose another exit"
        )
    # A map is square in all but exotic networks, and seldom as high as it has channels.
    return "channels last" if shape[0] == shape[1] != shape[2] else "map"


def map_shape(shape: Shape) -> tuple[int, int, int]:
    """Channels, height and width of a feature map in either layout."""
    return (shape[2], shape[0], shape[1]) if layout(shape) == "channels last" else (shape[0], shape[1], shape[2])


class ChannelsFirst(nn.Module):
    """(batch, height, width, channels) to (batch, channels, height, width)."""

    def forward(self, x: Tensor) -> Tensor:
        """A view."""
        return x.permute(0, 3, 1, 2)


class TokenPool(nn.Module):
    """(batch, tokens, d) to (batch, 2 d): the first token, then the mean of all."""

    def forward(self, x: Tensor) -> Tensor:
        """Pool."""
        return torch.cat([x[:, 0], x.mean(1)], dim=1)


def _maps(shape: Shape) -> list[nn.Module]:
    """What turns the layout of `shape` into a feature map."""
    return [ChannelsFirst()] if layout(shape) == "channels last" else []


def linear(shape: Shape, classes: int) -> nn.Sequential:
    """Global average pooling, then one linear layer."""
    channels = map_shape(shape)[0]
    return nn.Sequential(*_maps(shape), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, classes))


def enhanced(shape: Shape, classes: int, *, height: int, width: int, hidden: int) -> nn.Sequential:
    """Average-pool to `height` x `width`, flatten, a hidden layer with ReLU, then K outputs."""
    return nn.Sequential(
        *_maps(shape),
        nn.AdaptiveAvgPool2d((height, width)),
        nn.Flatten(),
        *_classifier(map_shape(shape)[0] * height * width, hidden, classes),
    )


def conv(shape: Shape, classes: int, *, halvings: int, dense: int, middle: int, width: int) -> nn.Sequential:
    """`halvings` strided convolutions, then depthwise-separable ones to `middle` and, strided, to `width` channels.

    Args:
        dense: Whether the first convolutions are full 3x3 ones that double the channels (1), which suits few channels,
            or depthwise-separable ones that keep them (0).
    """
    channels = map_shape(shape)[0]
    layers = _maps(shape)
    for _ in range(halvings):
        layers += _full(channels, 2 * channels) if dense else _separable(channels, channels, 2)
        channels = 2 * channels if dense else channels
    layers += [*_separable(channels, middle, 1), *_separable(middle, width, 2)]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(width, classes))


def light(shape: Shape, classes: int, *, height: int, width: int, channels: int, depth: int) -> nn.Sequential:
    """Average-pool to `height` x `width`, `depth` depthwise-separable convolutions to `channels`, then as `linear`."""
    layers = [*_maps(shape), nn.AdaptiveAvgPool2d((height, width))]
    for inputs in (map_shape(shape)[0], *[channels] * (depth - 1)):
        layers += _separable(inputs, channels, 1)
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, classes))


def tokens(shape: Shape, classes: int, *, hidden: int) -> nn.Sequential:
    """The first token beside the mean of all, a hidden layer with ReLU unless `hidden` is 0, then K outputs."""
    return nn.Sequential(TokenPool(), *_classifier(2 * shape[1], hidden, classes))


def _classifier(inputs: int, hidden: int, classes: int) -> list[nn.Module]:
    if not hidden:
        return [nn.Linear(inputs, classes)]
    return [nn.Linear(inputs, hidden), nn.ReLU(), nn.Linear(hidden, classes)]


def _full(inputs: int, outputs: int) -> list[nn.Module]:
    """A full 3x3 convolution that halves height and width."""
    return [*convolution(inputs, outputs, 2), nn.ReLU()]


def _separable(inputs: int, outputs: int, stride: int) -> list[nn.Module]:
    return [*separable(inputs, outputs, stride), nn.ReLU()]


def rung(shape: Shape, classes: int, *, channels: int, **size: int) -> nn.Sequential:
    """A rung of a ladder, which `staged.CascadedNetwork` connects to the others, and what answers from it."""
    answer = [*_separable(channels, 2 * channels, 2), nn.AdaptiveAvgPool2d(1), nn.Flatten()]
    first = Rung(map_shape(shape), channels=channels, front=_maps(shape), **size)
    return nn.Sequential(first, *answer, nn.Linear(2 * channels, classes))


FAMILIES: dict[str, Callable[..., nn.Sequential]] = {
    "linear": linear,
    "enhanced": enhanced,
    "conv": conv,
    "light": light,
    "tokens": tokens,
    "rung": rung,
}

_MOST = 1 << 16
"""Largest number a head's description may hold; a file that asks for more is refused before memory is taken."""


@dataclass(frozen=True, kw_only=True)
class HeadSpec:
    """How to build one head, as plain data.

    Attributes:
        family: A name in `FAMILIES`.
        shape: What it reads, without the batch.
        parameters: The family's numbers, such as `hidden`.

    Raises:
        ValueError: The family is unknown, the shape fits no layout or not the family's, or a number is not a whole
            one from 0 to 65,536.
    """

    family: str
    shape: Shape
    parameters: Mapping[str, int]

    def __post_init__(self) -> None:
        checks.one_of("a head's family", self.family, tuple(FAMILIES))
        for what, value in [*self.parameters.items(), *((f"shape {self.shape}", size) for size in self.shape)]:
            if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= _MOST:
                raise ValueError(f"Expected a head's {what} to be a whole number to {_MOST} but it was {value!r}")
        if (layout(self.shape) == "tokens") != (self.family == "tokens"):
            raise ValueError(f"Expected a head of family {self.family!r} to read another shape than {self.shape}")

    def build(self, classes: int) -> nn.Sequential:
        """The head with fresh weights, drawn from torch's global generator.

        Raises:
            ValueError: The family takes other parameters.
        """
        try:
            return FAMILIES[self.family](self.shape, classes, **self.parameters)
        except TypeError:
            raise ValueError(
                f"Expected parameters of a head of family {self.family!r} but they were {sorted(self.parameters)}"
            ) from None


def _linear_spec(shape: Shape) -> HeadSpec:
    if layout(shape) == "tokens":
        return HeadSpec(family="tokens", shape=shape, parameters={"hidden": 0})
    return HeadSpec(family="linear", shape=shape, parameters={})


def _enhanced_spec(divide: int, hidden: int) -> Callable[[Shape], HeadSpec]:
    """Specifications of heads on maps pooled to 1 / `divide` of their height and width."""

    def spec(shape: Shape) -> HeadSpec:
        if layout(shape) == "tokens":
            return HeadSpec(family="tokens", shape=shape, parameters={"hidden": hidden})
        _, height, width = map_shape(shape)
        pooled = {"height": max(1, height // divide), "width": max(1, width // divide)}
        return HeadSpec(family="enhanced", shape=shape, parameters=pooled | {"hidden": hidden})

    return spec


def _conv_spec(shape: Shape) -> HeadSpec:
    """Convolutions down to about 8 x 8 places, then three and four times as many channels, within bounds."""
    if layout(shape) == "tokens":
        return HeadSpec(family="tokens", shape=shape, parameters={"hidden": 512})
    channels, height, width = map_shape(shape)
    halvings = max(0, round(math.log2(min(height, width) / 8)))
    dense = channels <= 32
    channels *= 2**halvings if dense else 1
    wide = {"middle": min(3 * channels, 768), "width": min(4 * channels, 1024)}
    return HeadSpec(family="conv", shape=shape, parameters={"halvings": halvings, "dense": int(dense)} | wide)


Preset = Callable[[Sequence[Shape], int], tuple[HeadSpec, ...]]
"""From the shapes at the exits, and the network's MACs, to a specification for each."""


def _each(one: Callable[[Shape], HeadSpec]) -> Preset:
    """A preset whose heads know nothing of one another."""
    return lambda shapes, _: tuple(one(shape) for shape in shapes)


def _ladder_specs(shapes: Sequence[Shape], macs: int) -> tuple[HeadSpec, ...]:
    """Rungs at feature maps; tokens have nothing to convolve, and get heads as `conv` gives them."""
    if not shapes or any(layout(shape) == "tokens" for shape in shapes):
        return tuple(_conv_spec(shape) for shape in shapes)
    sizes = ladder_parameters([map_shape(shape) for shape in shapes], macs)
    each = zip(shapes, sizes, strict=True)
    return tuple(HeadSpec(family="rung", shape=shape, parameters=size) for shape, size in each)


_PRESETS: dict[str, Preset] = {
    "linear": _each(_linear_spec),
    "paper": _each(_enhanced_spec(8, 64)),
    "fine": _each(_enhanced_spec(4, 256)),
    "conv": _each(_conv_spec),
    "ladder": _ladder_specs,
}

PRESETS = tuple(_PRESETS)


def preset(name: str, shapes: Sequence[Shape], macs: int) -> tuple[HeadSpec, ...]:
    """Specifications of a preset's heads for stages that compute `shapes`, one each.

    Args:
        macs: Of the plain network on one sample; a ladder is as wide as they allow.

    Raises:
        ValueError: There is no such preset, or no head fits a shape.
    """
    checks.one_of("heads", name, PRESETS)
    return _PRESETS[name](shapes, macs)


def build(specs: tuple[HeadSpec, ...], classes: int, seed: int) -> list[nn.Sequential]:
    """Heads with fresh weights that depend on `seed` alone; torch's global generator is left as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return [spec.build(classes) for spec in specs]
