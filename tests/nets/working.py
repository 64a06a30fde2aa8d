"""A small network, slowed down, and made-up images: work for processes that are killed or share it.

``python -m tests.nets.working PATH SECONDS [ADDRESS]`` records it, as torchrun starts it, or on a cluster of Ray's.
"""

from __future__ import annotations

import os
import socket
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from cascade_core.nets.devices import threads
from cascade_core.nets.images.datasets import ImageSet
from cascade_core.nets.images.pixels import Pixels, Preprocessing
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


def images(samples: int = SAMPLES, broken: int = -1, journal: Path | None = None) -> ImageSet:
    """Made-up grey images of 6x6 pixels; reading number `broken` fails.

    Args:
        journal: Gets a line for each image that is read: by which process, and its number.
    """

    def read(i: int) -> Pixels:
        if journal is not None:
            with journal.open("a") as lines:
                lines.write(f"{os.getpid()} {i}\n")
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


def of_a_group(size: int) -> list[dict[str, str]]:
    """The variables that torchrun would set for each of `size` processes."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        meeting = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free.getsockname()[1]), "WORLD_SIZE": str(size)}
    return [{"RANK": str(rank), "LOCAL_RANK": str(rank), **meeting} for rank in range(size)]


def work(path: str, seconds: float, environment: Mapping[str, str] | None = None) -> None:
    """What a process does; when it is stopped, or others end, it says so in a file beside the result."""
    os.environ.update(environment or {})
    torch.set_num_threads(1)
    try:
        precompute_to(
            path, network(seconds), images(), batch_size=BATCH, chunk_size=CHUNK, device="cpu", progress=False
        )
    except Stopped as stop:
        Path(path).with_name("stopped.txt").write_text(str(stop), encoding="utf-8")
        sys.exit(130)
    except OSError as error:
        Path(path).with_name("failed.txt").write_text(str(error), encoding="utf-8")
        sys.exit(2)


def on_ray(path: Path, address: str, model: CascadedNetwork, data: ImageSet) -> Path:
    """Record on the cluster at an address, with a core for each worker."""
    from cascade_core.nets.recording.on_ray import Cluster

    options: dict[str, Any] = {"batch_size": BATCH, "chunk_size": CHUNK, "device": "cpu", "progress": False}
    with threads(1):
        return precompute_to(path, model, data, workers=Cluster(address=address), **options)


if __name__ == "__main__":
    if len(sys.argv) > 3:
        whole = Path(sys.argv[1])
        on_ray(whole, sys.argv[3], network(float(sys.argv[2])), images(journal=whole.with_name("journal")))
    else:
        work(sys.argv[1], float(sys.argv[2]))
