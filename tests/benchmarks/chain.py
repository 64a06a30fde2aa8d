"""A network that nothing was tuned for: eight plain convolutions in a row, 26 million MACs for a picture of 32 x 32.

    python -m tests.benchmarks.chain imagefolder:cifar/train chain.pt

trains it, seven passes in half an hour on one processor;

    python -m tests.benchmarks.head_families --network tests.benchmarks.chain:Chain=chain.pt --image-size 32 ...

compares what exits save on it.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from cascade_core.nets import Preprocessing, open_data

WIDTHS = (3, 24, 48, 48, 96, 96, 96, 128, 128)
STRIDES = (1, 2, 1, 2, 1, 1, 2, 1)
EPOCHS, BATCH, LEARNING_RATE, SHIFT = 7, 128, 0.2, 3


class Chain(nn.Module):
    """Convolutions, the mean over all places, and one linear layer."""

    def __init__(self, num_classes: int = 10) -> None:
        super().__init__()
        self.layers = nn.Sequential(*map(_block, WIDTHS, WIDTHS[1:], STRIDES))
        self.last = nn.Linear(WIDTHS[-1], num_classes)

    def forward(self, images: Tensor) -> Tensor:
        """(batch, classes) logits of images (batch, 3, 32, 32)."""
        logits: Tensor = self.last(self.layers(images).mean(dim=(2, 3)))
        return logits


def _block(before: int, after: int, stride: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(before, after, 3, stride, padding=1, bias=False), nn.BatchNorm2d(after), nn.ReLU())


def moved(images: Tensor) -> Tensor:
    """A batch (n, 3, h, w) mirrored or not, and shifted by up to `SHIFT` pixels, all alike."""
    down, right = torch.randint(-SHIFT, SHIFT + 1, (2,)).tolist()
    return torch.roll(images.flip(3) if torch.rand(()) < 0.5 else images, (down, right), (2, 3))


def train(images: Tensor, labels: Tensor) -> Chain:
    """Fit a chain by SGD under a one-cycle schedule."""
    network = Chain(int(labels.max()) + 1)
    optimiser = torch.optim.SGD(network.parameters(), LEARNING_RATE, momentum=0.9, weight_decay=5e-4, nesterov=True)
    steps = EPOCHS * (len(images) // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, LEARNING_RATE, total_steps=steps)
    for _ in range(EPOCHS):
        for batch in torch.randperm(len(images))[: len(images) // BATCH * BATCH].split(BATCH):
            optimiser.zero_grad()
            functional.cross_entropy(network(moved(images[batch])), labels[batch]).backward()
            optimiser.step()
            schedule.step()
    return network


def main(arguments: Sequence[str] | None = None) -> None:
    """Train it and write its weights."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("data", help="training pictures, as `build` takes them")
    parser.add_argument("weights", help="the file to write")
    given = parser.parse_args(arguments)
    data = open_data(given.data, Preprocessing(size=32), split="train")
    torch.manual_seed(0)
    images, labels = zip(*(data[number] for number in range(len(data))), strict=True)
    network = train(torch.stack(images), torch.tensor(labels))
    torch.save(network.state_dict(), given.weights)


if __name__ == "__main__":
    main()
