"""What may be asked next, answered while nobody waits: the same about the other runs, and of the run by other policies.

Choosing thresholds takes up to two seconds, and whoever opens the page tries other runs and policies soon.  One thread
of the server answers for them, one after the other, once the page has been quiet for a moment; what it finds is kept
where the page looks for it (`questions.explored`).  It never answers for runs that a session brought.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace

from cascade_core.panels import private, questions, sidebar
from cascade_core.panels.questions import Question
from cascade_core.panels.runs import Run, list_runs
from cascade_core.policies import SWEEPS
from cascade_core.simulation.meters import MACS

QUIET = 1.5
"""Seconds without a change of the page after which work begins, and between one answer and the next."""

LARGEST = 1 << 26
"""Bytes of softmaxes of the largest run that is answered for: more would keep the server busy for too long."""


class Ahead:
    """A thread that answers questions when nothing was asked for a while.

    Args:
        answer: What is done with each; an error of the run is passed over: who asks in earnest is told.
        quiet: Seconds.
    """

    def __init__(self, answer: Callable[[Question], object], quiet: float = QUIET) -> None:
        self._answer, self._quiet = answer, quiet
        self._changed = threading.Condition()
        self._waiting: list[Question] = []
        self._last = 0.0
        self._thread: threading.Thread | None = None

    def ask(self, wanted: Sequence[Question]) -> None:
        """Answer these instead of what was waiting."""
        with self._changed:
            self._waiting, self._last = list(wanted), time.monotonic()
            self._changed.notify()
            if self._thread is None and wanted:
                self._thread = threading.Thread(target=self._work, name=private.UNATTENDED, daemon=True)
                self._thread.start()

    def wait(self) -> None:
        """Begin nothing for a while: somebody is at work."""
        with self._changed:
            self._last = time.monotonic()

    def _work(self) -> None:
        while True:
            question = self._next()
            with suppress(ValueError, OSError):
                self._answer(question)
            self.wait()

    def _next(self) -> Question:
        with self._changed:
            while True:
                left = self._last + self._quiet - time.monotonic()
                if self._waiting and left <= 0:
                    return self._waiting.pop(0)
                self._changed.wait(left if self._waiting else None)


_AHEAD = Ahead(questions.explored)


def open() -> None:
    """Answer what the page asks first when it is opened without a link."""
    runs = list_runs()[0]
    if not runs:
        return
    selection = sidebar.opening(runs)
    if selection.question.run.softmax_bytes <= LARGEST:
        with suppress(ValueError, OSError):
            questions.payload(selection.question, selection.meter, selection.published)


def prepare(question: Question, runs: Sequence[Run]) -> None:
    """Answer the same question for the other runs of the cache folder soon, and then by other policies."""
    if private.session_id() is None or question.meter != MACS or question.top_k > 1:
        return
    known = [run for run in runs if not run.yours and run.softmax_bytes <= LARGEST]
    likely = [replace(question, run=run) for run in known if run.digest != question.run.digest]
    if question.run.digest in {run.digest for run in known}:
        likely += [replace(question, policy=name) for name in SWEEPS if name != question.policy]
    _AHEAD.ask(likely)


def wait() -> None:
    """Somebody is at work: begin nothing for a while."""
    _AHEAD.wait()
