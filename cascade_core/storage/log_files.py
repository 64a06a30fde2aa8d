"""Exit logs on disk, read on from where they were read last: files that grow, are rotated, or end in mid-line.

A file is known by its first line, whatever it is called and wherever it was moved, so that none is read twice and
nothing that was rotated away is lost as long as it lies in the folder.  Only whole lines are read; the rest of a line
is waited for, as is the end of a Parquet file (`parquet_logs`).  Memory does not grow with the files.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from cascade_core.storage import parquet_logs
from cascade_core.storage.exit_logs import Entries, parse
from cascade_core.storage.parquet import ends_as_parquet
from cascade_core.support.files import BadFile, Contents, file_size, is_regular, opened, readable

BLOCK = 4 << 20
"""Bytes that are read at once, which is also the most of a line."""

HEAD = 64 << 10
"""Most bytes of a first line; a file whose first is longer is no log."""

LOGS = "CASCADE_LOGS"
"""The environment's name for files and folders of logs that the page watches, separated as PATH is."""

ENDINGS = (".jsonl", ".ndjson", ".log", parquet_logs.ENDING)
"""How logs in a folder are called, rotated ones with a number or a date behind it; what is compressed is not read."""


@dataclass(frozen=True, kw_only=True)
class LogFile:
    """A log.

    Attributes:
        path: Where it lies, or what it holds, if it was uploaded.
        key: What it is known by.
        began: The time of its first line, in seconds since 1970; 0 where that has none.
        size: Bytes, when it was looked at; rows of Parquet, as everywhere here.
        parquet: Whether it is Parquet.
    """

    path: Path | Contents
    key: str
    began: float
    size: int
    parquet: bool = False


@dataclass(frozen=True, kw_only=True, eq=False)
class Block:
    """Some lines of a log: what they say, how many were not counted by why, and the offset behind them."""

    entries: Entries
    faults: Counter[str]
    offset: int


def log_files(paths: Iterable[Path | Contents], stages: Sequence[str]) -> list[LogFile]:
    """The logs among files and in folders, the oldest first; files without a whole line are left for later.

    Raises:
        BadFile: There is no such file or folder.
    """
    found: dict[str, LogFile] = {}
    for path in log_paths(paths):
        with readable(path):
            file = _parquet(path, stages) if path.suffix == parquet_logs.ENDING else _lines(path, stages)
        if file is not None:
            found.setdefault(file.key, file)
    return sorted(found.values(), key=lambda file: (file.began, file.path.name))


def _lines(path: Path | Contents, stages: Sequence[str]) -> LogFile | None:
    """A file of JSON lines; None as long as it has no whole line."""
    with opened(path, growing=True) as stream:
        head, size = stream.readline(HEAD), file_size(path)
    if not head.endswith(b"\n"):
        return None
    key, entries = hashlib.sha256(head).hexdigest()[:16], parse(head, stages)[0]
    return LogFile(path=path, key=key, began=entries.began, size=size)


def _parquet(path: Path | Contents, stages: Sequence[str]) -> LogFile | None:
    """A file of Parquet; None as long as its end is not there."""
    with opened(path, growing=True) as stream:
        if not ends_as_parquet(stream):
            return None
    key, began, rows = parquet_logs.about(path, stages)
    return LogFile(path=path, key=key, began=began, size=rows, parquet=True)


def log_paths(paths: Iterable[Path | Contents]) -> Iterator[Path | Contents]:
    """Files, and those in folders that are called as logs are.

    Raises:
        BadFile: There is no such file or folder.
    """
    for path in paths:
        if isinstance(path, Contents):
            yield path
        elif path.is_dir():
            yield from sorted(p for p in path.iterdir() if _is_log(p))
        elif is_regular(path):
            yield path
        else:
            raise BadFile(f"Cannot read {path}: there is no such file or folder")


def _is_log(path: Path) -> bool:
    endings = path.suffixes
    return is_regular(path) and any(end in ENDINGS for end in endings) and endings[-1] not in (".gz", ".zst", ".bz2")


def unread(file: LogFile, offset: int, stages: Sequence[str]) -> Iterator[Block]:
    """What a file says from an offset on, some megabytes at a time.

    Raises:
        BadFile: It cannot be read, or is shorter than the offset.
    """
    if file.parquet:
        with readable(file.path):
            for entries, faults, behind in parquet_logs.rows_behind(file.path, offset, stages):
                yield Block(entries=entries, faults=faults, offset=behind)
        return
    with readable(file.path), opened(file.path, growing=True) as stream:
        if stream.seek(0, 2) < offset:
            raise BadFile(f"expected at least the {offset:,} bytes that were read before but it was cut shorter")
        stream.seek(offset)
        for raw in blocks(stream):
            offset += len(raw)
            entries, faults = parse(raw, stages)
            yield Block(entries=entries, faults=faults, offset=offset)


def blocks(stream: BinaryIO, *, ends: bool = False) -> Iterator[bytes]:
    """Whole lines of a stream, some megabytes at a time; a line of more than `BLOCK` bytes comes in pieces.

    Args:
        ends: Whether nothing comes any more after the end, so that what is left there is a line too.
    """
    rest = b""
    while read := stream.read(BLOCK):
        end = read.rfind(b"\n") + 1
        if not end and len(rest) < BLOCK:
            rest += read
            continue
        yield rest + (read[:end] or read)
        rest = read[end:] if end else b""
    if ends and rest:
        yield rest
