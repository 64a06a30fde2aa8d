"""What recording costs beside a bare forward loop, and that its memory does not grow with the samples.

Run with ``pytest -m benchmark tests/benchmarks``.  The loop and the recording take turns, each first in half of
them, and the median of their ratios counts; memory is the peak of fresh processes.
"""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
import torch

from cascade_core.nets.devices import lay_out
from cascade_core.nets.images.datasets import ImageSet
from cascade_core.nets.images.pixels import Preprocessing
from cascade_core.nets.networks.resnet import resnet
from cascade_core.nets.recording.precompute import precompute_to
from cascade_core.nets.samples import batches
from cascade_core.nets.staged import CascadedNetwork

pytestmark = pytest.mark.benchmark

ROOT = Path(__file__).resolve().parents[2]
SAMPLES, TURNS = 10_240, 4
SMALL, LARGE = 2_000, 8_000

Show = Callable[[str, Sequence[tuple[str, str]]], None]


def network() -> CascadedNetwork:
    """A ResNet-20 in one piece, 40.6 M MACs an image."""
    return CascadedNetwork("ResNet-20", ("whole",), [resnet(20, 10)], [torch.nn.Identity()]).eval()


def images(samples: int) -> ImageSet:
    """Noise of 32x32 pixels, made when it is read."""
    return ImageSet(
        spec="noise",
        split="test",
        labels=torch.arange(samples) % 10,
        sample_ids=tuple(f"{i:06d}" for i in range(samples)),
        class_names=tuple("0123456789"),
        preprocessing=Preprocessing(channels=3, size=32, mean=(0.5,) * 3, std=(0.25,) * 3),
        flip=True,
        read=lambda i: np.random.default_rng(i).integers(0, 256, (32, 32, 3), dtype=np.uint8),
    )


def bare(model: CascadedNetwork, data: ImageSet) -> float:
    """Seconds of a forward loop that keeps nothing."""
    lay_out(model, torch.channels_last)
    start = time.perf_counter()
    with torch.inference_mode():
        for pixels, _ in batches(data, 256):
            model(pixels.to(memory_format=torch.channels_last))
    return time.perf_counter() - start


def recorded(model: CascadedNetwork, data: ImageSet, path: Path) -> float:
    """Seconds of the whole recording, counting of MACs and writing of the file included."""
    start = time.perf_counter()
    precompute_to(path, model, data, device="cpu", progress=False)
    return time.perf_counter() - start


def test_at_least_95_percent_of_a_bare_forward_loop(tmp_path: Path, show: Show) -> None:
    model, data = network(), images(SAMPLES)
    bare(model, data)
    loops, wholes = [], []
    for turn in range(TURNS):
        if turn % 2:
            loops.append(bare(model, data))
        wholes.append(recorded(model, data, tmp_path / f"{turn}.parquet"))
        if not turn % 2:
            loops.append(bare(model, data))
    share = statistics.median(loop / whole for loop, whole in zip(loops, wholes, strict=True))
    show(
        f"ResNet-20 on {SAMPLES:,} images of 32x32, {torch.get_num_threads()} threads",
        [
            ("bare forward loop, images a second", f"{SAMPLES / statistics.median(loops):,.0f}"),
            ("precompute_to, images a second", f"{SAMPLES / statistics.median(wholes):,.0f}"),
            ("share", f"{share:.1%}"),
        ],
    )
    assert share >= 0.95


def peak(samples: int, path: Path) -> float:
    """MiB that a fresh process needed at most."""
    command = [sys.executable, "-m", "tests.benchmarks.test_precompute_speed", str(samples), str(path)]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return float(result.stdout)


def test_memory_does_not_grow_with_the_samples(tmp_path: Path, show: Show) -> None:
    small, large = (peak(n, tmp_path / f"{n}.parquet") for n in (SMALL, LARGE))
    show(
        "Peak memory of precompute_to, 1,000 classes at two stages, MiB",
        [(f"{SMALL:,} samples", f"{small:.0f}"), (f"{LARGE:,} samples", f"{large:.0f}")],
    )
    # The softmaxes of what is more are 46 MiB, its pixels 18.
    assert large - small < 16


def record_many(samples: int, path: str) -> float:
    """Record many classes with little computation; the peak of this process in MiB."""
    model = CascadedNetwork(
        "wide",
        ("early", "late"),
        [torch.nn.AvgPool2d(4), torch.nn.AvgPool2d(2)],
        [torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(size, 1_000)) for size in (192, 48)],
    )
    data = images(samples)
    data.class_names = tuple(f"class {i}" for i in range(1_000))
    precompute_to(path, model, data, device="cpu", progress=False)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    print(record_many(int(sys.argv[1]), sys.argv[2]))
