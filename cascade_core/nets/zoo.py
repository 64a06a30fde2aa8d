"""Networks by name: how to build each, where to cut it, and the images that it expects.

`NAME` or `NAME=WEIGHTS` names a network, such as `cifar-resnet56=resnet56.th`.  The CIFAR ResNets are cut after
each of their three modules, as in arXiv 1805.10982; `whole` leaves a network in one piece, for cascades of whole
models.  `small-cnn` is small enough to be trained here in seconds; the others need weights.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from cascade_core import _check
from cascade_core.nets import weights
from cascade_core.nets.heads import Shape
from cascade_core.nets.resnet import ResNet, resnet
from cascade_core.nets.staged import CascadedNetwork


@dataclass(frozen=True, kw_only=True)
class Preprocessing:
    """The images that a network expects.

    Attributes:
        channels: 3 (red, green, blue) or 1 (grey).
        size: Height and width in pixels; other images are scaled (shorter side) and cropped in the middle.
        mean, std: One number a channel, of pixels scaled to [0, 1].
    """

    channels: int
    size: int
    mean: tuple[float, ...]
    std: tuple[float, ...]


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One network of the zoo.

    Attributes:
        title: Name for people.
        build: Number of classes to a plain network with fresh weights.
        cut: A plain network to its trunk pieces and its own head.
        stage_names: One for each trunk piece.
        needs_weights: Whether it is of no use without a weights file.
    """

    title: str
    build: Callable[[int], nn.Module]
    cut: Callable[[nn.Module], tuple[list[nn.Module], nn.Module]]
    stage_names: tuple[str, ...]
    preprocessing: Preprocessing
    needs_weights: bool = True


class SmallCNN(nn.Module):
    """Three small convolutional stages for 8x8 grey images: (batch, 1, 8, 8) to (batch, classes) logits."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.stage1 = _convolution(1, 8, 1)
        self.stage2 = _convolution(8, 16, 2)
        self.stage3 = nn.Sequential(_convolution(16, 32, 1), _convolution(32, 64, 2))
        self.head = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, classes))

    def forward(self, x: Tensor) -> Tensor:
        """Logits of normalised images."""
        logits: Tensor = self.head(self.stage3(self.stage2(self.stage1(x))))
        return logits


def _convolution(inputs: int, outputs: int, stride: int) -> nn.Sequential:
    layer = nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1, bias=False)
    return nn.Sequential(layer, nn.BatchNorm2d(outputs), nn.ReLU())


def _cut_resnet(plain: nn.Module) -> tuple[list[nn.Module], nn.Module]:
    assert isinstance(plain, ResNet)
    first = nn.Sequential(plain.conv1, plain.bn1, nn.ReLU(), plain.layer1)
    return [first, plain.layer2, plain.layer3], nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), plain.linear)


def _cut_small(plain: nn.Module) -> tuple[list[nn.Module], nn.Module]:
    assert isinstance(plain, SmallCNN)
    return [plain.stage1, plain.stage2, plain.stage3], plain.head


_CIFAR = Preprocessing(channels=3, size=32, mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225))
_DIGITS = Preprocessing(channels=1, size=8, mean=(0.305,), std=(0.376,))


def _cifar(depth: int) -> Entry:
    return Entry(
        title=f"ResNet-{depth}",
        build=lambda classes: resnet(depth, classes),
        cut=_cut_resnet,
        stage_names=("module 1", "module 2", "module 3"),
        preprocessing=_CIFAR,
    )


ZOO: dict[str, Entry] = {f"cifar-resnet{depth}": _cifar(depth) for depth in (20, 32, 44, 56, 110)} | {
    "small-cnn": Entry(
        title="Small CNN",
        build=SmallCNN,
        cut=_cut_small,
        stage_names=("stage 1", "stage 2", "stage 3"),
        preprocessing=_DIGITS,
        needs_weights=False,
    )
}


@dataclass(frozen=True, kw_only=True)
class NetworkSpec:
    """`NAME` or `NAME=WEIGHTS`, taken apart."""

    name: str
    weights: str | None

    @property
    def entry(self) -> Entry:
        """The network in the zoo."""
        return ZOO[self.name]


def parse(text: str) -> NetworkSpec:
    """Take `NAME` or `NAME=WEIGHTS` apart.

    Raises:
        ValueError: The zoo has no such network.
    """
    name, separator, path = text.partition("=")
    _check.one_of("network (NAME or NAME=WEIGHTS)", name, tuple(ZOO))
    if separator and not path:
        raise ValueError(f"Expected a weights file after {text!r} but there was none, such as {text}a.safetensors")
    return NetworkSpec(name=name, weights=path or None)


def build_plain(spec: NetworkSpec, classes: int, seed: int = 0) -> nn.Module:
    """The plain network in eval mode, with its weights if `spec` names any, else fresh ones that depend on `seed`.

    Raises:
        ValueError: The weights do not fit.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        plain = spec.entry.build(classes)
    if spec.weights is not None:
        weights.load_weights(plain, spec.weights)
    return plain.eval()


def uncut(spec: NetworkSpec, plain: nn.Module) -> CascadedNetwork:
    """The plain network as a cascade of one stage."""
    pieces, head = spec.entry.cut(plain)
    return CascadedNetwork(spec.entry.title, (spec.entry.title,), [nn.Sequential(*pieces)], [head])


def cascade(spec: NetworkSpec, plain: nn.Module, heads: Sequence[nn.Module]) -> CascadedNetwork:
    """The plain network, cut into stages with `heads` after all but the last; its weights are shared, not copied."""
    pieces, head = spec.entry.cut(plain)
    return CascadedNetwork(spec.entry.title, spec.entry.stage_names, pieces, [*heads, head])


def example(spec: NetworkSpec, batch: int = 1) -> Tensor:
    """Zeros of the shape that the network takes, (batch, channels, size, size)."""
    wanted = spec.entry.preprocessing
    return torch.zeros(batch, wanted.channels, wanted.size, wanted.size)


@torch.no_grad()
def feature_shapes(spec: NetworkSpec, plain: nn.Module) -> list[Shape]:
    """Channels, height and width of the feature map after each trunk piece."""
    pieces, _ = spec.entry.cut(plain)
    maps, shapes = example(spec), []
    for piece in pieces:
        maps = piece(maps)
        shapes.append((int(maps.shape[1]), int(maps.shape[2]), int(maps.shape[3])))
    return shapes
