"""How much memory a file may take when it is unpacked: what it declares is held against this before it is read.

A large file may take what its size makes likely; a small one that claims to be large is refused at once, for it would
take a machine's memory, and minutes.  Beside values, samples and stages have a cost of their own, which is counted.
"""

from __future__ import annotations

from cascade_core.support.files import BadFile

LEAST = 128 << 20
"""Bytes that any file may take."""

TIMES = 20
"""How many times its own size a larger one may take; softmaxes and logits are seldom packed to a tenth."""

MOST = 2 << 30
"""Bytes that none takes, unless the user allows more."""

ROW = 48
"""Bytes that a sample at a stage takes beside its values: where it stands, its answer, its scores."""

SAMPLE = 160
"""Bytes that a sample takes beside: its id and its label."""

CLASS = 200
"""Bytes that a class takes beside: its name."""


class TooLarge(BadFile):
    """A file takes more than it may; more can be allowed."""


def room_for(size: int) -> int:
    """Bytes that a file of `size` bytes may take, unless the user says how many.

    >>> [room_for(size) >> 20 for size in (1_000, 50 << 20, 50 << 30)]
    [128, 1000, 2048]
    """
    return min(max(LEAST, TIMES * size), MOST)


def check_room(stages: int, samples: int, classes: int, max_bytes: int) -> None:
    """Raise TooLarge where a run would take more than `max_bytes`; it takes several times that while it is made."""
    needed = 4 * stages * samples * classes + ROW * stages * samples + SAMPLE * samples + CLASS * classes
    if needed > max_bytes:
        raise TooLarge(
            f"expected at most {max_bytes:,} bytes unpacked but {stages:,} stages, {samples:,} samples and {classes:,} "
            f"classes take {needed:,}"
        )
