"""Tables of texts: .csv, .tsv and .jsonl with a column `text`, and perhaps `label`; .txt with a text a line.

Columns are found by name, whatever their case and order; others are left alone.  Rows are counted from 1, the names of
columns being row 1 where there are such.
"""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from cascade_core.storage.importers.naming import by_meaning
from cascade_core.support.files import opened
from cascade_core.support.json_files import strict_json

LINES, OBJECTS, SEPARATED = (".txt",), (".jsonl", ".ndjson"), (".csv", ".tsv")
ENDINGS = (*SEPARATED, *OBJECTS, *LINES)

TEXT, LABELS, IDS = "text", "labels", "sample_ids"


@dataclass(frozen=True, kw_only=True)
class Texts:
    """Texts of a file, in its order.

    Attributes:
        texts: N texts.
        labels: N labels as they stand; None where there is no such column.
        ids: N names; None likewise.
        first: Number of the first row.
    """

    texts: tuple[str, ...]
    labels: tuple[str, ...] | None
    ids: tuple[str, ...] | None
    first: int


def read_texts(path: Path) -> Texts:
    """The texts of a file.

    Raises:
        ValueError: There is no such file, it is of another kind or damaged, or has no texts; one line says where.
    """
    if path.suffix.lower() not in ENDINGS:
        raise ValueError(f"Expected texts in a file that ends in {', '.join(ENDINGS)} but it was {path.name!r}")
    try:
        with opened(path) as stream:
            encoding = _encoding(stream.read(2))
            stream.seek(0)
            text = io.TextIOWrapper(stream, encoding, newline="")
            rows = list(_rows(text, path.suffix.lower()))
            text.detach()
    except FileNotFoundError:
        raise ValueError(f"Expected a file of texts at {path} but there is none") from None
    except UnicodeError:
        raise ValueError(f"Expected {path.name} to be in UTF-8 or UTF-16 but some bytes are not") from None
    except (OSError, csv.Error, ValueError) as error:
        raise ValueError(f"Expected {path.name} to hold texts but {' '.join(str(error).split())[:200]}") from None
    if not rows:
        raise ValueError(f"Expected {path.name} to hold texts but it has no rows")
    first = 2 if path.suffix.lower() in SEPARATED else 1
    columns = {column: _column(rows, column, first, path.name) for column in (TEXT, LABELS, IDS)}
    if columns[TEXT] is None:
        raise ValueError(f"Expected a column 'text' in {path.name} but its columns are {', '.join(map(str, rows[0]))}")
    return Texts(texts=columns[TEXT], labels=columns[LABELS], ids=columns[IDS], first=first)


def _encoding(mark: bytes) -> str:
    return "utf-16" if mark in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) else "utf-8-sig"


def _rows(stream: TextIO, ending: str) -> Iterator[Mapping[str, Any]]:
    if ending in LINES:
        yield from ({TEXT: line} for line in stream.read().splitlines())
    elif ending in OBJECTS:
        yield from _objects(stream)
    else:
        yield from _separated(stream, ending)


def _objects(stream: TextIO) -> Iterator[Mapping[str, Any]]:
    for number, line in enumerate(stream, 1):
        if not line.strip():
            continue
        row = strict_json(line.encode())
        if not isinstance(row, Mapping):
            raise ValueError(f"row {number} is no JSON object")
        yield row


def _separated(stream: TextIO, ending: str) -> Iterator[Mapping[str, Any]]:
    header = stream.readline()
    separator = "\t" if ending == ".tsv" else max(",;\t", key=header.count)
    names = next(csv.reader([header], delimiter=separator, skipinitialspace=True), [])
    for number, cells in enumerate(csv.reader(stream, delimiter=separator, skipinitialspace=True, strict=True), 2):
        if cells and len(cells) != len(names):
            raise ValueError(f"row {number} has {len(cells)} cells where the first row names {len(names)} columns")
        if cells:
            yield dict(zip(names, cells, strict=True))


def _column(rows: list[Mapping[str, Any]], means: str, first: int, file: str) -> Any:
    """The cells of a column as texts; None where there is no such column in the first row."""
    names = [str(name) for name in rows[0]]
    by_name = {name.strip().casefold(): name for name in names}
    name = by_name.get(TEXT) if means == TEXT else by_meaning(names, "column").get(means)
    if name is None:
        return None
    for number, row in enumerate(rows, first):
        if not isinstance(row.get(name), str | int):
            raise ValueError(f"Expected a {means.rstrip('s')} in row {number} of {file} but it is {row.get(name)!r}")
    return tuple(str(row[name]) for row in rows)
