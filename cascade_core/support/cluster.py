"""A cluster of Ray: reached and left, and pieces of work spread over it.  Ray is imported where it is needed."""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

from cascade_core.support import checks
from cascade_core.support.extras import require

Piece = TypeVar("Piece")
Result = TypeVar("Result")

REACHED = 10.0
"""Most seconds until a cluster answers."""

AHEAD = 2
"""Pieces that are given out for each core, so that none waits for the next."""


def address_of(text: str) -> str | None:
    """The address in ``ray`` (None) or ``ray:ADDRESS``.

    Raises:
        ValueError: It is of another kind.
        MissingExtra: Ray is not installed.
    """
    kind, _, address = text.partition(":")
    checks.one_of("--on (ray or ray:ADDRESS)", kind, ("ray",))
    require("ray")
    return address or None


@contextmanager
def joined(address: str | None) -> Iterator[None]:
    """Within the block this process is connected to a cluster.

    Args:
        address: As `ray.init` takes it; None = that of RAY_ADDRESS, else one is started here.

    Raises:
        OSError: It cannot be reached.
    """
    import ray

    # What a cluster that is started here would otherwise report to its makers.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    where = address or os.environ.get("RAY_ADDRESS", "")
    try:
        _reach(where)
        ray.init(address, include_dashboard=False, log_to_driver=False, logging_level=logging.ERROR)
    except (OSError, RuntimeError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise OSError(f"Expected a cluster of Ray at {where or 'this machine'} but {reason}") from None
    try:
        yield
    finally:
        ray.shutdown()


def _reach(address: str) -> None:
    """Raise OSError where nobody listens at HOST:PORT, which Ray itself finds out in minutes."""
    host, _, port = address.rpartition("/")[2].rpartition(":")
    if host and port.isdecimal():
        socket.create_connection((host, int(port)), REACHED).close()


def spread(work: Callable[[Piece], Result], pieces: Sequence[Piece]) -> Iterator[Result]:
    """What `work` gives of each piece, in the order in which they are done; a lost worker's piece is done again.

    Raises:
        Exception: What `work` raised.
        OSError: Workers were lost again and again.
    """
    import ray
    from ray.exceptions import RayError, RayTaskError

    task: Any = ray.remote(_done).options(num_cpus=1, scheduling_strategy="SPREAD")
    sent, waiting, under_way = ray.put(work), list(reversed(pieces)), list[Any]()
    while waiting or under_way:
        there: Any = ray.cluster_resources
        room = AHEAD * max(1, int(there().get("CPU", 1)))
        while waiting and len(under_way) < room:
            under_way.append(task.remote(sent, waiting.pop()))
        (ready,), under_way = ray.wait(under_way)
        try:
            yield ray.get(ready)
        except RayTaskError as error:
            raise error.cause from None
        except RayError as error:
            raise OSError(f"Expected workers to live but {' '.join(str(error).split())[:200]}") from None


def _done(work: Callable[[Piece], Result], piece: Piece) -> Result:
    return work(piece)
