"""Parquet files of any origin, opened: what a file is and how long its footer says to be is looked at before Arrow.

Arrow is handed an open stream and never a name, so that what was looked at is what is read.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import BinaryIO

import pyarrow.parquet as pq

from cascade_core.support.files import BadFile, Source, opened

MAX_FOOTER = 64 << 20
"""Most bytes of a footer: hundreds of thousands of columns, or as many groups of rows."""

_MAGIC = b"PAR1"

_OTHER = "it is another kind, or cut short"
_JSON, _TEXT = "it is JSON, such as a choice or a log", "it is text; `cascade-core import` makes a run of a table"


@contextmanager
def opened_parquet(source: Source, *, dictionaries: Sequence[str] = ()) -> Iterator[pq.ParquetFile]:
    """Yield a file of which the footer has been read.

    Args:
        dictionaries: Columns of texts that stay as they are stored, each text once.

    Raises:
        BadFile: It is no Parquet file, or no regular one.
        OSError: There is none, or it may not be read.
    """
    with opened(source) as stream:
        check_parquet(stream)
        yield pq.ParquetFile(stream, page_checksum_verification=True, read_dictionary=list(dictionaries))


def check_parquet(stream: BinaryIO) -> None:
    """Raise BadFile unless a file begins and ends as Parquet does, with a footer that fits; it stands at its start."""
    begins, size, whole = stream.read(4), stream.seek(0, io.SEEK_END), ends_as_parquet(stream)
    stream.seek(max(0, size - 8))
    footer = int.from_bytes(stream.read(4), "little")
    if begins != _MAGIC or not whole or footer > size - 12:
        text = _JSON if begins[:1] in (b"{", b"[") else _TEXT
        letters = b"".join(begins.split())
        is_text = letters.isascii() and letters.decode().isprintable() and letters not in (b"", _MAGIC)
        kind = text if is_text else _OTHER
        raise BadFile(f"expected a Parquet file but it does not begin and end as one: {kind}")
    if footer > MAX_FOOTER:
        raise BadFile(f"expected a footer of at most {MAX_FOOTER:,} bytes but it has {footer:,}")
    stream.seek(0)


def ends_as_parquet(stream: BinaryIO) -> bool:
    """Whether the end of a file is there, which is written last."""
    size = stream.seek(0, io.SEEK_END)
    stream.seek(max(0, size - len(_MAGIC)))
    return stream.read() == _MAGIC
