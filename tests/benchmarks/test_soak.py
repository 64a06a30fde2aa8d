"""Thirty people drag at once for three minutes: every release is answered, nothing fails, and memory stays level.

Everyone visits the page that is shipped, on the shipped runs, without a browser (`visitor`): waits one to six seconds,
lets the slider go somewhere, and now and then takes another policy or another seed instead.

The server's resident size is taken every five seconds.  It rises while the caches of `panels/runs.py` fill, which they
do within the first minute: there are more seeds and policies than they hold, and later entries displace earlier ones.
It swings by a tenth besides, as sweeps come and go.  So memory is level when the median of the last minute is at most
`LEVEL` times that of the second.

`CASCADE_SOAK=short` is a quick try: 6 people, 20 seconds, and nothing is said of memory.  `CASCADE_SOAK=long` takes a
quarter of an hour, and tells a slow leak from none.
"""

from __future__ import annotations

import asyncio
import os
import random
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from cascade_core.analysis.exploration import POSITIONS
from tests.benchmarks.visitor import Answer, Visitor, visiting
from tests.serving import Server, served

KIND = os.environ.get("CASCADE_SOAK", "")
SHORT = KIND == "short"
PEOPLE, SECONDS = {"short": (6, 20.0), "long": (30, 900.0)}.get(KIND, (30, 180.0))
LEVEL = 1.05
EVERY = 5.0
PAUSE = (1.0, 6.0)
OTHER = 0.1
"""Share of questions that are another policy or seed."""


@dataclass(kw_only=True)
class Log:
    """What all visitors saw: answers by the kind of question, and (seconds, MB) of the server's memory."""

    answers: dict[str, list[Answer]] = field(default_factory=lambda: {"open": [], "release": [], "change": []})
    asked: int = 0
    memory: list[tuple[float, float]] = field(default_factory=list)

    def keep(self, kind: str, answer: Answer) -> None:
        self.answers[kind].append(answer)


async def visit(url: str, number: int, until: float, log: Log) -> None:
    """One person, from opening the page to leaving it."""
    chance = random.Random(number)
    clock = asyncio.get_running_loop()
    await asyncio.sleep(chance.uniform(0, PAUSE[1]))
    async with visiting(url) as visitor:
        log.asked += 1
        log.keep("open", await visitor.ask())
        while True:
            await asyncio.sleep(chance.uniform(*PAUSE))
            if clock.time() > until:
                return
            log.asked += 1
            await act(visitor, chance, log)


async def act(visitor: Visitor, chance: random.Random, log: Log) -> None:
    """A release, or a change in the sidebar."""
    if chance.random() >= OTHER:
        log.keep("release", await visitor.release(chance.randrange(POSITIONS)))
    elif chance.random() < 0.5:
        log.keep("change", await visitor.choose(chance.choice(visitor.policies)))
    else:
        log.keep("change", await visitor.draw(chance.randrange(1000)))


def resident(pid: int) -> float:
    """Resident size of a process, in MB."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


async def soak(server: Server, log: Log) -> None:
    start = asyncio.get_running_loop().time()
    visits = [asyncio.create_task(visit(server.url, n, start + SECONDS, log)) for n in range(PEOPLE)]
    async with asyncio.timeout(2 * SECONDS + 60):
        while not all(task.done() for task in visits):
            log.memory.append((asyncio.get_running_loop().time() - start, resident(server.pid)))
            await asyncio.wait(visits, timeout=EVERY)
    await asyncio.gather(*visits)


def second_and_last_minute(memory: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """Median MB in the two."""
    starts = (60.0, SECONDS - 60.0)
    second, last = (statistics.median(mb for at, mb in memory if start <= at <= start + 60) for start in starts)
    return second, last


@pytest.mark.benchmark
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="reads the server's memory from /proc")
def test_thirty_people_for_three_minutes(
    tmp_path: Path, show: Callable[[str, Sequence[tuple[str, str]]], None]
) -> None:
    log = Log()
    with served(tmp_path / "log.txt") as server:
        asyncio.run(soak(server, log))
    everything = [answer for answers in log.answers.values() for answer in answers]
    rows = []
    for kind, answers in log.answers.items():
        times = [answer.seconds for answer in answers]
        rows.append((f"{kind}: answered", f"{len(times):,}"))
        if times:
            high = float(np.quantile(times, 0.95))
            rows.append((f"{kind}: median, 95 %", f"{statistics.median(times):.3f}, {high:.3f} s"))
    rows += [(f"memory at {at:.0f} s", f"{mb:.0f} MB") for at, mb in log.memory[:: max(1, len(log.memory) // 12)]]
    if not SHORT:
        second, last = second_and_last_minute(log.memory)
        rows.append(("median of the second minute, of the last", f"{second:.0f}, {last:.0f} MB"))
    show(f"{PEOPLE} people, {SECONDS:.0f} s", rows)
    assert [text for answer in everything for text in answer.exceptions] == []
    assert all(answer.finished for answer in everything)
    assert len(everything) == log.asked > PEOPLE
    assert all(answer.leaving == answer.expected for answer in everything)
    assert "Traceback" not in (tmp_path / "log.txt").read_text()
    if not SHORT:
        assert last <= LEVEL * second
