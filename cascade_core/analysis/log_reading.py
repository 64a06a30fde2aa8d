"""A watch goes on where it was: what is new in logs is read, a block at a time, and nothing is read twice."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from cascade_core.analysis.watched import Watch
from cascade_core.storage.log_files import LogFile, unread


def read_on(watch: Watch, files: Iterable[LogFile]) -> Iterator[None]:
    """Have a watch take in what it has not read of logs; yields after each block, when it may be left and kept.

    Raises:
        BadFile: A log cannot be read, or was cut shorter than what was read of it.
    """
    for file in files:
        before = watch.read.get(file.key, 0)
        if before == file.size:
            continue
        for block in unread(file, before, watch.stages):
            watch.read[file.key] = block.offset
            watch.faults += block.faults
            watch.add(block.entries)
            yield
