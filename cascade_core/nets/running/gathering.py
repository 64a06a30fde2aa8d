"""Survivors of several batches computed together: more samples a second, for a bounded wait.

Small batches take longer for each sample, and those that go on to the late stages of a cascade are few.  Here they wait
before a stage until there are as many as it is worth computing for, or until as many further batches as one of them
may wait for have come.  Answers are given batch by batch, in the order in which batches came, and are those of
a `Runner` up to rounding.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from cascade_core.nets.running.between import Remaining, joined
from cascade_core.nets.running.engines import Engine, Softmaxes
from cascade_core.nets.running.runner import Answers, Runner, note_answers
from cascade_core.simulation.exits import ExitRule
from cascade_core.support import checks


@dataclass(kw_only=True, eq=False)
class _Open:
    """A batch that came, and how many of its samples have no answer yet."""

    first: int
    answers: Answers
    missing: int


@dataclass(kw_only=True, eq=False)
class _Gathering:
    """Batches on their way through the stages."""

    engine: Engine
    rule: ExitRule
    worth: int
    wait: int
    waiting: list[list[Remaining]]
    open: deque[_Open] = field(default_factory=deque)
    samples: int = 0
    batches: int = 0

    def take(self, images: Tensor) -> None:
        """A batch comes in, and what has gathered is computed."""
        count, last = len(images), self.engine.stages - 1
        numbers = np.arange(self.samples, self.samples + count)
        self.open.append(_Open(first=self.samples, answers=Answers.of(count, last), missing=count))
        self.samples += count
        self.batches += 1
        if not self.rule.active[:last].any():
            self._note([*[None] * last, self.engine.plain(images)], last, numbers)
        elif count:
            self.waiting[0].append(Remaining.of(images, numbers, self.engine, self.batches))
            self.go_on()

    def go_on(self, *, finish: bool = False) -> None:
        """Compute every stage before which enough samples wait, or one has waited for long; with `finish` all."""
        for stage, waiting in enumerate(self.waiting):
            if not waiting:
                continue
            count, came = sum(len(one.numbers) for one in waiting), min(one.came for one in waiting)
            if stage > 0 and count < self.worth and self.batches - came < self.wait and not finish:
                continue
            together = joined(waiting, self.engine)
            waiting.clear()
            left = together.after(stage, self.engine, self.rule, self._note)
            if len(left.numbers):
                self.waiting[stage + 1].append(left)

    def _note(self, passed: Sequence[Softmaxes | None], stage: int, numbers: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Note the answers of those that exit here, each in its batch, and return which these are."""
        result = Answers.of(len(numbers), stage)
        exits = note_answers(passed, stage, np.arange(len(numbers)), self.rule, result)
        for batch in self.open:
            inside = (numbers >= batch.first) & (numbers < batch.first + len(batch.answers.stages))
            batch.answers.passed[numbers[inside] - batch.first, stage] = result.passed[inside, stage]
            mine = exits & inside
            places = numbers[mine] - batch.first
            for name in ("predictions", "confidence", "stages"):
                getattr(batch.answers, name)[places] = getattr(result, name)[mine]
            batch.missing -= len(places)
        return exits

    def ready(self) -> Iterator[Answers]:
        """The batches that all of those before them, and they themselves, have answers for."""
        while self.open and self.open[0].missing == 0:
            yield self.open.popleft().answers


def gathered(runner: Runner, batches: Iterable[Tensor], *, worth: int = 16, wait: int = 8) -> Iterator[Answers]:
    """Answers to each of many batches, in order; see this file's beginning.

    Args:
        runner: With the choice that holds for all of the batches.
        worth: Samples that a stage is computed for at once, if they come in time.
        wait: Most batches that come in between a sample's own and its answer; 0 = none waits.

    Raises:
        ValueError: A number is out of range.
    """
    checks.whole("worth", worth, 1, 1 << 20)
    checks.whole("wait", wait, 0, 1 << 20)
    stages = runner.engine.stages
    at_work = _Gathering(
        engine=runner.engine, rule=runner.rule, worth=worth, wait=wait, waiting=[[] for _ in range(stages)]
    )
    for images in batches:
        with runner.engine.without_gradients():
            at_work.take(images)
        yield from at_work.ready()
    with runner.engine.without_gradients():
        at_work.go_on(finish=True)
    yield from at_work.ready()
