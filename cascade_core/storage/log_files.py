"""Exit logs on disk, read on from where they were read last: files that grow, are rotated, or end in mid-line.

A file is known by its first line (and remarks above it), whatever it is called and wherever it was moved, so that none
is read twice and nothing that was rotated away is lost as long as it lies in the folder.  Of files that begin alike,
and are no copies of one another, the second is told.  Only whole lines are read; the rest of a line is waited for, as
is the end of a Parquet file (`parquet_logs`).  Memory does not grow with the files.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from cascade_core.storage import parquet_logs
from cascade_core.storage.exit_logs import Entries, parse
from cascade_core.storage.parquet import ends_as_parquet
from cascade_core.support.files import BadFile, Contents, file_size, is_regular, opened, readable

BLOCK = 4 << 20
"""Bytes that are read at once, which is also the most of a line."""

HEAD = 64 << 10
"""Most bytes by which a file is known."""

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
        hides: Names of files that are taken for it, since they begin alike, and say something else.
    """

    path: Path | Contents
    key: str
    began: float
    size: int
    parquet: bool = False
    hides: tuple[str, ...] = ()


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
        if file is None:
            continue
        first = found.setdefault(file.key, file)
        if first is not file and not _is_copy(first, file):
            found[file.key] = replace(first, hides=(*first.hides, file.path.name))
    return sorted(found.values(), key=lambda file: (file.began, file.path.name))


def _lines(path: Path | Contents, stages: Sequence[str]) -> LogFile | None:
    """A file of JSON lines; None as long as it has no whole line."""
    with opened(path, growing=True) as stream:
        known, size = _beginning(stream), file_size(path)
    if known is None:
        return None
    began = parse(known, stages)[0].began
    return LogFile(path=path, key=hashlib.sha256(known).hexdigest()[:16], began=began, size=size)


def _beginning(stream: BinaryIO) -> bytes | None:
    """The lines up to the first that is neither empty nor a remark; None as long as there is none."""
    known = b""
    while len(known) < HEAD:
        line = stream.readline(HEAD - len(known))
        known += line
        said = line.strip()
        if line.endswith(b"\n") and said and not said.startswith(b"#"):
            return known
        if not line.endswith(b"\n") and len(known) < HEAD:
            return None
    return known


def _is_copy(one: LogFile, other: LogFile) -> bool:
    """Whether one of two files is the other, or its beginning, as far as their first bytes say."""
    heads = []
    for file in (one, other):
        with readable(file.path), opened(file.path, growing=True) as stream:
            heads.append(stream.read(HEAD))
    return heads[0].startswith(heads[1]) or heads[1].startswith(heads[0])


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
            raise BadFile(
                f"expected at least the {offset:,} bytes that were read before but it was cut shorter: write a new log "
                "under another name, or begin anew without the state"
            )
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
