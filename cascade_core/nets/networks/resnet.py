"""CIFAR ResNet(6n+2): three modules of n residual blocks, with shortcuts that hold no weights.

After He et al., "Deep Residual Learning for Image Recognition" (2015), section 4.2: a 3x3 convolution to
16 channels, then modules of 16, 32 and 64 channels at 32, 16 and 8 pixels, global average pooling and one
linear layer.  Where the shape changes the shortcut is "option A": every second pixel is taken and the new
channels are zero.  Images are (batch, 3, height, width) float32, normalised as the weights expect (`zoo`).

The names of the parameters are those of Yerlan Idelbayev's published weights (`conv1`, `bn1`, `layer1.0.conv1`,
..., `linear`), so that such files load as they are.  Loading itself is done in `weights`, cutting in `splitting`.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

CHANNELS = (16, 32, 64)


class BasicBlock(nn.Module):
    """Two 3x3 convolutions and a shortcut without weights (option A)."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.stride = stride
        self.added = outputs - inputs

    def shortcut(self, x: Tensor) -> Tensor:
        """Every `stride`-th pixel of `x`, with zero channels added in equal parts before and after."""
        if self.stride == 1 and self.added == 0:
            return x
        before = self.added // 2
        return functional.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, before, self.added - before))

    def forward(self, x: Tensor) -> Tensor:
        """(batch, inputs, h, w) to (batch, outputs, h / stride, w / stride)."""
        out = functional.relu(self.bn1(self.conv1(x)))
        return functional.relu(self.bn2(self.conv2(out)) + self.shortcut(x))


class ResNet(nn.Module):
    """The whole network: (batch, 3, height, width) to (batch, classes) logits."""

    def __init__(self, blocks: int, classes: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, CHANNELS[0], 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(CHANNELS[0])
        self.layer1 = _module(CHANNELS[0], CHANNELS[0], blocks, 1)
        self.layer2 = _module(CHANNELS[0], CHANNELS[1], blocks, 2)
        self.layer3 = _module(CHANNELS[1], CHANNELS[2], blocks, 2)
        self.linear = nn.Linear(CHANNELS[2], classes)
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d | nn.Linear):
                nn.init.kaiming_normal_(layer.weight)

    def forward(self, x: Tensor) -> Tensor:
        """Logits of normalised images."""
        x = functional.relu(self.bn1(self.conv1(x)))
        x = self.layer3(self.layer2(self.layer1(x)))
        logits: Tensor = self.linear(torch.flatten(functional.adaptive_avg_pool2d(x, 1), 1))
        return logits


def _module(inputs: int, outputs: int, blocks: int, stride: int) -> nn.Sequential:
    first = BasicBlock(inputs, outputs, stride)
    return nn.Sequential(first, *(BasicBlock(outputs, outputs, 1) for _ in range(blocks - 1)))


def resnet(depth: int, classes: int) -> ResNet:
    """A ResNet of `depth` = 6n + 2 layers with fresh weights.

    Raises:
        ValueError: `depth` is not 6n + 2 for a whole n >= 1, or there are fewer than two classes.
    """
    if depth < 8 or (depth - 2) % 6:
        raise ValueError(f"Expected depth to be 6n + 2 for a whole n >= 1, such as 20 or 56, but it was {depth}")
    if classes < 2:
        raise ValueError(f"Expected classes to be at least 2 but it was {classes}")
    return ResNet((depth - 2) // 6, classes)
