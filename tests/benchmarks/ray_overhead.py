"""Ray beside torchrun on the same recording: ``python -m tests.benchmarks.ray_overhead [SECONDS]``.

Two workers, whose network pauses so that either takes about so many seconds (300 unless told) without a processor: what
is measured is starting, dividing and collecting.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BATCHES = 14
"""Of the worker that has more to do: 7 of the 13 chunks, of 2 batches each."""


def seconds_of(command: list[str]) -> float:
    """How long a command takes."""
    start = time.perf_counter()
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - start


def main(seconds: float) -> None:
    """Print both times and their ratio."""
    pause = str(seconds / BATCHES)
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m"]
    with tempfile.TemporaryDirectory() as folder:
        divided = seconds_of([*launcher, "tests.nets.working", f"{folder}/torchrun", pause])
        spread = seconds_of([sys.executable, "-m", "tests.nets.working", f"{folder}/ray", pause, "local"])
    print(f"torchrun {divided:.1f} s, Ray {spread:.1f} s: {spread / divided - 1:+.1%}")


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 300.0)
