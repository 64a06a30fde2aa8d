"""What sessions held is given back: 25 visitors bring two files each and leave, and the server is as large as before.

Visitors come one after another, without a browser (`visitor`), each with files of its own of some ten megabytes.
Before is when a first one has brought a file and left as long ago; the resident size is then taken every five seconds
until `REST` seconds after the last has left, and nobody comes meanwhile.

`CASCADE_SOAK=short` is a quick try: four visitors.  Streamlit keeps a session for two minutes in case its visitor comes
back, so `REST` is longer than that.
"""

from __future__ import annotations

import asyncio
import io
import os
import shutil
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from tests.benchmarks.test_soak import resident
from tests.benchmarks.visitor import visiting
from tests.samples import sample_run
from tests.serving import ROOT, Server, served

SHORT = os.environ.get("CASCADE_SOAK") == "short"
VISITORS, FILES, REST = (4 if SHORT else 25), 2, (150.0 if SHORT else 300.0)
SAMPLES, CLASSES = 20_000, 40
MOST = 1.15
"""Times as large as before."""


def archive(seed: int) -> bytes:
    """Softmaxes as NumPy keeps them, unlike those of any other seed."""
    run, stream = sample_run(n=SAMPLES, k=CLASSES, seed=seed), io.BytesIO()
    np.savez(stream, probs=run.probs.astype(np.float32), labels=run.labels)
    return stream.getvalue()


async def visit(url: str, seeds: Sequence[int]) -> None:
    """Bring a file for each seed, and leave."""
    async with visiting(url) as visitor:
        answers = [await visitor.ask()]
        for seed in seeds:
            answers.append(await visitor.upload(url, f"mine{seed}.npz", archive(seed)))
    assert all(answer.finished and not answer.exceptions for answer in answers), answers
    # What is shown is what was brought: half of its samples leave somewhere.
    assert sum(answers[-1].leaving) == SAMPLES / 2


def rested(server: Server, seconds: float) -> list[tuple[float, float]]:
    """(seconds, MB) of a server that nobody visits."""
    start, sizes = time.monotonic(), []
    while (now := time.monotonic() - start) < seconds:
        sizes.append((now, resident(server.pid)))
        time.sleep(5)
    return [*sizes, (now, resident(server.pid))]


@pytest.mark.benchmark
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="reads the server's memory from /proc")
def test_what_sessions_held_is_given_back(
    tmp_path: Path, show: Callable[[str, Sequence[tuple[str, str]]], None]
) -> None:
    (tmp_path / "cache").mkdir()
    shutil.copy(ROOT / "cache" / "digits.parquet", tmp_path / "cache")
    with served(tmp_path / "log.txt", tmp_path / "cache") as server:
        asyncio.run(visit(server.url, [0]))
        _, before = rested(server, min(REST, 150.0))[-1]
        rows = [("before", f"{before:.0f} MB")]
        for number in range(VISITORS):
            asyncio.run(visit(server.url, range(1 + FILES * number, 1 + FILES * (number + 1))))
            if number % 4 == 3:
                rows.append((f"{number + 1} visitors have left", f"{resident(server.pid):.0f} MB"))
        after = rested(server, REST)
        rows += [(f"{at:.0f} s later", f"{mb:.0f} MB") for at, mb in after[::6]]
    rows.append((f"{after[-1][0]:.0f} s later", f"{after[-1][1]:.0f} MB, {after[-1][1] / before:.2f} times"))
    show(f"{VISITORS} visitors, {VISITORS * FILES} files of {len(archive(0)) / 1e6:.0f} MB", rows)
    assert after[-1][1] <= MOST * before
