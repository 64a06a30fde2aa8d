"""What a network by name is, and the project's own: the CIFAR ResNets, and a small example.

The CIFAR ResNets are cut after the first two of their three modules unless the user says otherwise, as in
arXiv 1805.10982, and need weights; `small-cnn` is small enough to be trained here in seconds.  Networks of others are
made in `outside`, and `named` looks all of them up.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor, nn

from cascade_core.nets.cutting.splitting import USUAL_EXITS
from cascade_core.nets.images.pixels import Preprocessing
from cascade_core.nets.networks.resnet import resnet
from cascade_core.nets.texts.tokens import Tokens


@dataclass(frozen=True, kw_only=True)
class Network:
    """A network that a user named: how to build it, and the images that it expects.

    Attributes:
        name: As it was typed, such as "cifar-resnet56", "resnet50" or "mine:factory".
        title: Name for people.
        build: Number of classes, or None for as many as it has by itself, to a network with fresh weights.
        preprocessing: The images or texts that it expects.
        exits: Where to cut it unless the user says otherwise, as `splitting.choose_points` takes it.
        stage_names: Of the stages that `exits` gives; without them, stages are called after their exits.
        weights: Its weights file, if it has one.
        url: Where its weights may be fetched from, if they are somebody's published ones; without a file of them, the
            network fetches them itself.
        heads: A file of heads for it, if it has one.
        brings_weights: Whether it comes with its weights, as a network of the user's own may.
        own_weights: Those that it comes with: a file, or where there are several their index and they.
        outputs: Which of its answers to take, where it returns several, as `returned.find_answers` takes it.
        trained_here: Whether it is small enough to be trained here when there are no weights.
        class_names: Of its K classes in their order, where its file says them.
    """

    name: str
    title: str
    build: Callable[[int | None], nn.Module]
    preprocessing: Preprocessing | Tokens
    exits: str = USUAL_EXITS
    stage_names: tuple[str, ...] = ()
    weights: Path | None = None
    url: str = ""
    heads: Path | None = None
    brings_weights: bool = False
    own_weights: tuple[Path, ...] = ()
    outputs: str | None = None
    trained_here: bool = False
    class_names: tuple[str, ...] = ()

    @property
    def images(self) -> Preprocessing:
        """The images that it expects.

        Raises:
            ValueError: It takes texts.
        """
        if isinstance(self.preprocessing, Tokens):
            raise ValueError(f"Expected a network of images but {self.name} takes texts")
        return self.preprocessing


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


_CLASSES = 10
"""As many as the data sets have that these networks were made for."""


def _cifar(depth: int) -> Network:
    return Network(
        name=f"cifar-resnet{depth}",
        title=f"ResNet-{depth}",
        build=lambda classes: resnet(depth, _CLASSES if classes is None else classes),
        preprocessing=Preprocessing(size=32),
        exits="layer1,layer2",
        stage_names=("module 1", "module 2", "module 3"),
    )


_SMALL = Network(
    name="small-cnn",
    title="Small CNN",
    build=lambda classes: SmallCNN(_CLASSES if classes is None else classes),
    preprocessing=Preprocessing(channels=1, size=8, mean=(0.305,), std=(0.376,)),
    exits="stage1,stage2",
    stage_names=("stage 1", "stage 2", "stage 3"),
    trained_here=True,
)

ZOO: dict[str, Network] = {
    network.name: network for network in (*(_cifar(depth) for depth in (20, 32, 44, 56, 110)), _SMALL)
}
