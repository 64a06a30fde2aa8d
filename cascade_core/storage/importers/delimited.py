"""Texts with a row a line -> `Sheet`: commas, semicolons, tabs or bars, decimal points or commas, UTF-8 or UTF-16.

The separator is the one by which the first line names most of what an importer knows; decimals are commas where a cell
of the first rows says so.  Cells are counted before anything is parsed.
"""

from __future__ import annotations

import codecs
import csv
import re
from collections.abc import Sequence
from typing import BinaryIO

import pandas as pd

from cascade_core.storage.importers.naming import by_meaning, class_column, is_confidence, meaning
from cascade_core.storage.importers.room import ROW, TooLarge
from cascade_core.storage.importers.sheet import MAX_COLUMNS, Sheet, is_wanted, too_many_columns
from cascade_core.support.files import BadFile
from cascade_core.support.spreadsheets import MARK, unmarked

_BLOCK = 1 << 20
_SEPARATORS = (",", ";", "\t", "|")
_DECIMAL_COMMA = re.compile(r"[+-]?\d*,\d+(?:e[+-]?\d+)?", re.IGNORECASE)
_LOOKED_AT = 1 << 16
"""Characters below the first line that say how decimals are written."""


def read_delimited(stream: BinaryIO, max_bytes: int) -> Sheet:
    """A table of separated values.

    Raises:
        BadFile: It is empty, holds more than may be read, is in another encoding, or rows do not fit the first line.
    """
    encoding = _encoding(stream.read(4))
    stream.seek(0)
    _check_size(stream, max_bytes)
    try:
        skipped, header, below = _beginning(stream, encoding)
        separator = max(_SEPARATORS, key=lambda one: _known(_split(header, one)))
        names = _split(header, separator)
        frame = _parsed(stream, encoding, separator, skipped, names, below)
    except UnicodeError:
        raise BadFile("expected UTF-8 or UTF-16 text but some bytes are not") from None
    except pd.errors.EmptyDataError:
        raise BadFile("expected a first row with the names of columns but the file is empty") from None
    if not isinstance(frame.index, pd.RangeIndex):
        raise BadFile("expected a name for every column in the first row but the rows below hold more values")
    frame.columns = pd.Index(names)
    _unmark(frame)
    return Sheet(frame=frame, first=2 + skipped)


def _parsed(
    stream: BinaryIO, encoding: str, separator: str, skipped: int, names: Sequence[str], below: str
) -> pd.DataFrame:
    known = by_meaning(names, "column")
    ids = [number for number, name in enumerate(names) if name == known.get("sample_ids")]
    try:
        frame: pd.DataFrame = pd.read_csv(
            stream,
            sep=separator,
            encoding=encoding,
            # Ids are texts as they stand: 007 is not 7, and NA is not missing.
            keep_default_na=False,
            converters=dict.fromkeys(ids, str),
            decimal="," if _has_decimal_commas(names, separator, below) else ".",
            skipinitialspace=True,
            low_memory=False,
            header=None,
            names=list(range(len(names))),
            skiprows=skipped + 1,
        )
    except pd.errors.EmptyDataError:
        return pd.DataFrame(columns=range(len(names)), index=pd.RangeIndex(0))
    return frame


def _unmark(frame: pd.DataFrame) -> None:
    """Take the apostrophes away that keep spreadsheets from computing texts."""
    for place in range(frame.shape[1]):
        column = frame.iloc[:, place]
        if column.dtype.kind == "O" and column.astype(str).str.startswith(MARK).any():
            plain = [unmarked(value) if isinstance(value, str) else value for value in column]
            frame.isetitem(place, plain)


def _has_decimal_commas(names: Sequence[str], separator: str, below: str) -> bool:
    """Whether a probability or confidence in the first rows has one; other columns may have them between thousands."""
    classes = [number for number, name in enumerate(names) if class_column(name) or is_confidence(name)]
    try:
        rows = list(csv.reader(below.splitlines()[:-1] or [below], delimiter=separator, skipinitialspace=True))
    except csv.Error:
        return False
    return any(_DECIMAL_COMMA.fullmatch(row[number].strip()) for row in rows for number in classes if number < len(row))


def _encoding(head: bytes) -> str:
    """UTF-16 by its mark, or by every other byte of the first characters; else UTF-8."""
    if head[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        return "utf-16"
    if len(head) == 4 and head[0] and head[2] and not head[1] and not head[3]:
        return "utf-16-le"
    if len(head) == 4 and head[1] and head[3] and not head[0] and not head[2]:
        return "utf-16-be"
    return "utf-8-sig"


def _check_size(stream: BinaryIO, max_bytes: int) -> None:
    """Raise BadFile where there are more columns or cells than may be read; separators within quotes count as well."""
    cells = dict.fromkeys(_SEPARATORS, 0)
    lines = 0
    header = dict(cells)
    while block := stream.read(_BLOCK):
        for separator in _SEPARATORS:
            if not lines:
                header[separator] += block.partition(b"\n")[0].count(separator.encode())
            cells[separator] += block.count(separator.encode())
        lines += block.count(b"\n")
    if max(header.values()) >= MAX_COLUMNS:
        raise too_many_columns(max(header.values()) + 1)
    most = max(cells.values()) + lines
    if 8 * most + ROW * lines > max_bytes:
        raise TooLarge(
            f"expected at most {max_bytes:,} bytes unpacked but it has {most:,} cells of 8, and {lines:,} rows of {ROW}"
        )
    stream.seek(0)


def _beginning(stream: BinaryIO, encoding: str) -> tuple[int, str, str]:
    """How many lines are passed over, the line with the names of columns, and what stands below it."""
    decoder = codecs.getincrementaldecoder(encoding)()
    text, lines = "", list[str]()
    while block := stream.read(_BLOCK):
        text += decoder.decode(block)
        lines = text.lstrip("\n\r").splitlines()
        if len(lines) > 3 or len(text) > MAX_COLUMNS * 64:
            break
    stream.seek(0)
    begins = len(text) - len(text.lstrip("\n\r"))
    skipped = text[:begins].count("\n")
    if not lines:
        raise pd.errors.EmptyDataError
    first = int(lines[0].casefold().startswith("sep=")) if len(lines) > 1 else 0
    start = begins + sum(len(line) + 1 for line in lines[: first + 1])
    return skipped + first, lines[first], text[start : start + _LOOKED_AT]


def _split(header: str, separator: str) -> list[str]:
    try:
        names = next(csv.reader([header], delimiter=separator, skipinitialspace=True), [])
    except csv.Error:
        names = header.split(separator)
    return [unmarked(name.strip().lstrip("#").strip()) for name in names]


def _known(names: Sequence[str]) -> int:
    """How much a first line names that an importer knows; what is called as in this project counts more."""
    return sum(2 if meaning(name) in ("labels", "stage") else 1 for name in names if is_wanted(name))
