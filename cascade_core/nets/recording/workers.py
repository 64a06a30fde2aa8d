"""Who computes the chunks of a recording: this process alone, with others that torchrun started, or those of Ray.

`Processes` divides them beforehand: process k of n computes chunks k, k + n, ...; they need a shared file system, and
tell one another over torch.distributed when they begin and end.  Process 0 alone writes the plan and the result.  A
process that dies ends the others too; the same command goes on after what is done.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import torch
from torch import distributed

from cascade_core.nets.devices import resolve_device, threads
from cascade_core.nets.progress import Bar
from cascade_core.nets.recording.chunks import Chunks
from cascade_core.nets.recording.task import Task
from cascade_core.support import checks
from cascade_core.support.group import Group

MAX_THREADS = 4096

LOOK = 0.2
"""Seconds between two looks at whether the others have come as far."""

UNEQUAL = timedelta(days=30)
"""Most time by which one process may be done before another; one that died is known at once."""


class Workers(ABC):
    """Who computes the chunks."""

    @abstractmethod
    @contextmanager
    def joined(self) -> Iterator[None]:
        """Within the block they can be reached.

        Raises:
            ValueError, OSError: They cannot.
        """

    @abstractmethod
    def device(self, name: str) -> str:
        """Where each of them computes; "auto" is the fastest that they have.

        Raises:
            ValueError: The device is unknown or absent.
        """

    @abstractmethod
    def record(self, chunks: Chunks, task: Task, noted: Mapping[str, Any], progress: bool) -> None:
        """Begin the work or go on with it, see it through, and have its result written.

        Args:
            noted: As `Chunks.begin` takes it; ``threads`` is among it.

        Raises:
            ValueError, OSError: The work is refused or fails; what is done stays.
            Stopped: It was interrupted.
        """


@dataclass(frozen=True)
class Processes(Workers):
    """This process, alone or in its group."""

    group: Group

    @contextmanager
    def joined(self) -> Iterator[None]:
        """Join the group, if there is one."""
        if self.group.size == 1:
            yield
            return
        with _among_others():
            distributed.init_process_group("gloo", timeout=UNEQUAL)
        try:
            yield
        finally:
            distributed.destroy_process_group()

    def device(self, name: str) -> str:
        """A device of this machine; "auto" divides its GPUs among its processes."""
        device = resolve_device(name)
        if name == "auto" and device == "cuda" and self.group.size > 1:
            return f"cuda:{self.group.local % torch.cuda.device_count()}"
        return device

    def record(self, chunks: Chunks, task: Task, noted: Mapping[str, Any], progress: bool) -> None:
        """Compute this process's share."""
        first = self.group.rank == 0
        if first:
            noted = chunks.begin(noted)
        self._wait_for_all()
        noted = noted if first else chunks.begun(noted)
        with (
            threads(threads_of(noted)),
            task.placed(),
            chunks.under_way(first=first),
            bar_of(chunks, task, shown=progress and first) as bar,
        ):
            for number in range(self.group.rank, chunks.count, self.group.size):
                if number in chunks.missing:
                    chunks.do(number, lambda samples: task.compute(samples, noted, bar.update))
                    self._show(bar, chunks)
            self._wait_for_all()
            if first:
                chunks.finish()

    def _show(self, bar: Bar, chunks: Chunks) -> None:
        """Show how far all are together."""
        if self.group.size > 1:
            chunks.look()
            bar.n = chunks.done
            bar.refresh()

    def _wait_for_all(self) -> None:
        """Until all processes of the group have come here.

        Raises:
            OSError: One has ended.
        """
        if self.group.size == 1:
            return
        with _among_others():
            arrived = distributed.barrier(async_op=True)
            # Waiting in small steps lets signals through.
            while not arrived.is_completed():
                time.sleep(LOOK)
            arrived.wait()


@contextmanager
def _among_others() -> Iterator[None]:
    """Say in one line what torch.distributed says in many."""
    try:
        yield
    except ValueError as error:
        raise ValueError(
            "Expected RANK, WORLD_SIZE, MASTER_ADDR and MASTER_PORT to be set together, as torchrun sets them, but "
            f"{str(error).rpartition(': ')[2]}"
        ) from None
    except RuntimeError:
        raise OSError(
            "Expected all processes of the group to go on but one has ended, or cannot be reached; "
            "start the same command again to continue"
        ) from None


def threads_of(noted: Mapping[str, Any]) -> int:
    """The number of threads that the work was begun with."""
    return checks.whole("threads in the plan", noted["threads"], 1, MAX_THREADS)


def bar_of(chunks: Chunks, task: Task, *, shown: bool) -> Bar:
    """A bar that counts samples."""
    return Bar(total=chunks.samples, initial=chunks.done, unit=task.data.unit, shown=shown, mininterval=1)
