"""A small network, slowed down, and made-up images: work for processes that are killed or share it.

``python -m tests.nets.working PATH SECONDS`` records it, as torchrun starts it.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from cascade_core.nets.images.datasets import ImageSet
from cascade_core.nets.images.pixels import Pixels, Preprocessing
from cascade_core.nets.recording import chunks
from cascade_core.nets.recording.precompute import precompute_to
from cascade_core.nets.staged import CascadedNetwork
from cascade_core.support.stopping import Stopped

SAMPLES, BATCH, CHUNK = 203, 8, 16
CHUNKS = 13
"""203 samples are 12 chunks of 16 and one of 11."""

CLASSES = 5
PIXELS = np.random.default_rng(0).integers(0, 256, (SAMPLES, 6, 6, 1), dtype=np.uint8)


class Pause(nn.Module):
    """Passes its input on after some seconds, and counts the samples that it saw."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.seconds = seconds
        self.samples = 0

    def forward(self, x: Tensor) -> Tensor:
        time.sleep(self.seconds)
        self.samples += len(x)
        return x


def network(seconds: float = 0.0, classes: int = CLASSES, seed: int = 0) -> CascadedNetwork:
    """Two stages; the first piece pauses, and is `trunk[0][0]`."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        first = nn.Sequential(Pause(seconds), nn.Conv2d(1, 8, 3), nn.ReLU())
        second = nn.Sequential(nn.Conv2d(8, 16, 3), nn.ReLU())
        heads = [nn.Sequential(nn.Flatten(), nn.Linear(n, classes)) for n in (8 * 16, 16 * 4)]
    return CascadedNetwork("net", ("early", "late"), [first, second], heads)


def images(samples: int = SAMPLES, broken: int = -1) -> ImageSet:
    """Made-up grey images of 6x6 pixels; reading number `broken` fails."""

    def read(i: int) -> Pixels:
        if i == broken:
            raise ValueError(f"Expected an image in cat/{i:04d}.png but it cannot be read: it is broken")
        return PIXELS[i]

    return ImageSet(
        spec="made:up",
        split="test",
        labels=torch.arange(samples) % CLASSES,
        sample_ids=tuple(f"cat/{i:04d}.png" for i in range(samples)),
        class_names=tuple("abcde"),
        preprocessing=Preprocessing(channels=1, size=6, mean=(0.5,), std=(0.3,)),
        flip=False,
        read=read,
    )


def work(path: str, seconds: float, environment: Mapping[str, str] | None = None, patience: float = 60.0) -> None:
    """What a process does; when it is stopped, it says so in a file beside the result."""
    os.environ.update(environment or {})
    torch.set_num_threads(1)
    chunks.PATIENCE = patience
    try:
        precompute_to(
            path, network(seconds), images(), batch_size=BATCH, chunk_size=CHUNK, device="cpu", progress=False
        )
    except Stopped as stop:
        Path(path).with_name("stopped.txt").write_text(str(stop), encoding="utf-8")
        sys.exit(130)


if __name__ == "__main__":
    work(sys.argv[1], float(sys.argv[2]))
