"""Heads: the small classifiers behind the early stages, as families and presets.

A family is a function from a feature map's shape and a few numbers to a module that takes the feature map
(batch, channels, height, width) to logits (batch, K); its name and numbers are plain data, so that trained heads
can be stored and rebuilt without running anything from the file.  Presets are families with their numbers:

- `linear`: global average pooling and one linear layer, like a residual network's own last layer.
- `paper`: the enhanced head of arXiv 1805.10982: average-pool to an eighth of the map's height and width, flatten, a
  hidden layer of 64 with ReLU, K outputs.  On 32x32 images a ResNet's modules give 4x4x16 = 256 features, 2x2x32 = 128.
- `fine`: the same with a quarter of the height and width, and a hidden layer of 256: 8x8x16 features and 4x4x32.

The last stage has no head of these: it keeps the plain network's own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import nn

from cascade_core import _check

Shape = tuple[int, int, int]
"""Channels, height and width of one sample's feature map."""


def linear(shape: Shape, classes: int) -> nn.Sequential:
    """Global average pooling, then one linear layer."""
    return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(shape[0], classes))


def enhanced(shape: Shape, classes: int, *, height: int, width: int, hidden: int) -> nn.Sequential:
    """Average-pool to `height` x `width`, flatten, a hidden layer with ReLU, then K outputs."""
    return nn.Sequential(
        nn.AdaptiveAvgPool2d((height, width)),
        nn.Flatten(),
        nn.Linear(shape[0] * height * width, hidden),
        nn.ReLU(),
        nn.Linear(hidden, classes),
    )


FAMILIES: dict[str, Callable[..., nn.Sequential]] = {"linear": linear, "enhanced": enhanced}

_PRESETS: dict[str, tuple[str, int, dict[str, int]]] = {
    "linear": ("linear", 1, {}),
    "paper": ("enhanced", 8, {"hidden": 64}),
    "fine": ("enhanced", 4, {"hidden": 256}),
}
"""Family, the feature map's size over the pooled size (1 where a family pools in its own way), and further numbers."""

PRESETS = tuple(_PRESETS)

_MOST = 1 << 16
"""Largest number a head's description may hold; a file that asks for more is refused before memory is taken."""


@dataclass(frozen=True, kw_only=True)
class HeadSpec:
    """How to build one head, as plain data.

    Attributes:
        family: A name in `FAMILIES`.
        shape: Channels, height and width of the feature map that it reads.
        parameters: The family's numbers, such as `hidden`.

    Raises:
        ValueError: The family is unknown, or a number is not a whole one from 0 to 65,536.
    """

    family: str
    shape: Shape
    parameters: Mapping[str, int]

    def __post_init__(self) -> None:
        _check.one_of("a head's family", self.family, tuple(FAMILIES))
        for what, value in [*self.parameters.items(), *zip(("channels", "height", "width"), self.shape, strict=True)]:
            if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= _MOST:
                raise ValueError(f"Expected a head's {what} to be a whole number to {_MOST} but it was {value!r}")

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


def preset(name: str, shapes: list[Shape]) -> tuple[HeadSpec, ...]:
    """Specifications of a preset's heads for feature maps of `shapes`, one each.

    Raises:
        ValueError: There is no such preset.
    """
    family, divide, numbers = _PRESETS[_check.one_of("heads", name, PRESETS)]
    specs = []
    for shape in shapes:
        pooled = {"height": max(1, shape[1] // divide), "width": max(1, shape[2] // divide)} if divide > 1 else {}
        specs.append(HeadSpec(family=family, shape=shape, parameters=pooled | numbers))
    return tuple(specs)


def build(specs: tuple[HeadSpec, ...], classes: int, seed: int) -> list[nn.Sequential]:
    """Heads with fresh weights that depend on `seed` alone; torch's global generator is left as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return [spec.build(classes) for spec in specs]
