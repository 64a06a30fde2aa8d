"""The chunks of a recording as tasks of Ray: one actor a device, on as many machines as the cluster has or may start.

Ray places the actors, notices which die, and starts machines for those that wait where it scales by itself.  Here a
chunk is given to whichever actor is ready next; an actor that was lost is replaced, wherever there is room, and its
chunk given out again.  Parts are written by the actors, into a folder that all machines see, so the driver may be
killed and the same command goes on.  Machines need this package and its networks' code installed in the same versions.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import ray
import torch
from ray.exceptions import RayActorError, RayTaskError

from cascade_core.nets.devices import resolve_device
from cascade_core.nets.progress import above_bars
from cascade_core.nets.recording.chunks import Chunks
from cascade_core.nets.recording.task import Task, versions
from cascade_core.nets.recording.workers import Workers, bar_of, threads_of
from cascade_core.support import checks
from cascade_core.support.cluster import joined

MOST_LOST = 10
"""Actors that may die of a chunk before it is taken to be the chunk's doing."""

MOST_ACTORS = 1 << 16

LOOK = 10.0
"""Most seconds between two looks at whether machines have joined."""


@dataclass(frozen=True, kw_only=True)
class Cluster(Workers):
    """A cluster of Ray's.

    Attributes:
        address: As `ray.init` takes it; None = that of RAY_ADDRESS, or this machine alone.
        gpus_per_worker: Of an actor, where they compute on GPUs; below 1 several share one.
        most: Most actors; more than the cluster has room for have it start machines, where it does so by itself.
            None = as many as there is room for.

    Raises:
        ValueError: A number is out of range.
    """

    address: str | None = None
    gpus_per_worker: float = 1.0
    most: int | None = None

    def __post_init__(self) -> None:
        if self.most is not None:
            checks.whole("workers", self.most, 1, MOST_ACTORS)
        checks.in_range("GPUs per worker", self.gpus_per_worker, 0.01, 64)

    @contextmanager
    def joined(self) -> Iterator[None]:
        """Connect to the cluster, or start one here."""
        with joined(self.address):
            yield

    def device(self, name: str) -> str:
        """A kind of device, of whose the actors' machines have; each sees its own alone."""
        there = "cuda" if ray.cluster_resources().get("GPU") else "cpu"
        if name == "auto":
            return there
        return name if name == there == "cuda" else resolve_device(name)

    def record(self, chunks: Chunks, task: Task, noted: Mapping[str, Any], progress: bool) -> None:
        """Have the actors compute what is missing."""
        noted = chunks.begin(noted)
        with chunks.under_way(), bar_of(chunks, task, shown=progress) as bar:
            pool = _Pool(self, ray.put(_Work(chunks=chunks, task=task, noted=noted)), self._needs(task, noted))
            for number in pool.compute(sorted(chunks.missing)):
                chunks.missing.discard(number)
                bar.update(len(chunks.samples_of(number)))
            chunks.finish()

    def _needs(self, task: Task, noted: Mapping[str, Any]) -> dict[str, float]:
        """What Ray keeps for an actor: its threads, or its share of GPUs and a core that feeds it."""
        if task.device == "cpu":
            return {"CPU": threads_of(noted)}
        return {"GPU": self.gpus_per_worker, "CPU": 1}


@dataclass(frozen=True, kw_only=True)
class _Work:
    """What an actor is sent, once."""

    chunks: Chunks
    task: Task
    noted: Mapping[str, Any]


Sent = list["ray.ObjectRef[_Work]"]
"""The work, to be fetched by whoever needs it: in a list, Ray hands on the reference."""


class _Actor:
    """Has a device of its own, and computes chunks on it one after another."""

    def __init__(self) -> None:
        self._work: _Work | None = None

    def ready(self, sent: Sent) -> _Work:
        """Fetch the work, unless it was fetched before, and keep the model on its device as long as the actor lives."""
        if self._work is None:
            work = ray.get(sent[0])
            if versions() != work.task.source["versions"]:
                raise ValueError(f"Expected {work.task.source['versions']} on all machines but one has {versions()}")
            torch.set_num_threads(threads_of(work.noted))
            work.task.place()
            self._work = work
        return self._work

    def load(self, sent: Sent) -> None:
        """Be ready, or raise what stands in the way."""
        self.ready(sent)

    def do(self, sent: Sent, number: int) -> None:
        """Compute a chunk, unless its part is there, and write it."""
        work = self.ready(sent)
        work.chunks.do(number, lambda samples: work.task.compute(samples, work.noted))


class _Pool:
    """As many actors as there is room for, and which of them is computing what."""

    def __init__(self, cluster: Cluster, work: ray.ObjectRef[_Work], needs: Mapping[str, float]) -> None:
        self._most, self._sent, self._needs = cluster.most, [work], needs
        options = {"num_cpus": needs["CPU"], "num_gpus": needs.get("GPU", 0)}
        self._class = ray.remote(_Actor).options(**options)
        self._busy: dict[ray.ObjectRef[None], tuple[Any, int | None]] = {}
        """The actor of each call that is under way, one an actor, and the chunk; None while it makes itself ready."""

    def compute(self, numbers: list[int]) -> Iterator[int]:
        """Yield each chunk's number when its part is written.

        Raises:
            Exception: What an actor's computation raised.
            OSError: A chunk was lost again and again.
        """
        waiting, lost = deque(numbers), Counter[int | None]()
        while waiting or any(number is not None for _, number in self._busy.values()):
            self._grow(len(waiting))
            for call in ray.wait([*self._busy], timeout=LOOK)[0]:
                actor, number = self._busy.pop(call)
                if not _returned(call):
                    lost[number] += 1
                    _tell_lost(number, lost[number])
                    waiting.extend([] if number is None else [number])
                    # It may be out of reach only, and still computing.
                    ray.kill(actor)
                    continue
                lost[number] = 0
                if number is not None:
                    yield number
                if waiting:
                    number = waiting.popleft()
                    self._busy[actor.do.remote(self._sent, number)] = actor, number
        # Actors end with their last reference.
        self._busy.clear()

    def _grow(self, waiting: int) -> None:
        """Have an actor wherever there is room for one, or as many as were asked for, while chunks wait for one."""
        aim = _room(self._needs) if self._most is None else self._most
        loading = sum(number is None for _, number in self._busy.values())
        for _ in range(min(aim - len(self._busy), waiting - loading)):
            actor: Any = self._class.remote()
            self._busy[actor.load.remote(self._sent)] = actor, None


def _returned(call: ray.ObjectRef[None]) -> bool:
    """Whether a call came to its end, and its actor did not; what it raised is raised."""
    try:
        ray.get(call)
    except RayTaskError as error:
        raise error.cause from None
    except RayActorError:
        return False
    return True


def _room(needs: Mapping[str, float]) -> int:
    """How many actors fit on the machines that there are; at least one, which waits for a machine that fits."""
    machines = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    return max(1, sum(int(min(has.get(name, 0) // need for name, need in needs.items())) for has in machines))


def _tell_lost(number: int | None, times: int) -> None:
    what = "that loaded the network" if number is None else f"that computed chunk {number}"
    if times > MOST_LOST:
        raise OSError(f"Expected workers {what} to live but {times} died, one after another; is their memory enough?")
    above_bars(f"a worker {what} was lost; another does it")
