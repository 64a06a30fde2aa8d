"""JSON lines -> `Sheet`: an object a line, of numbers, texts and lists of numbers, for a sample at a stage."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, BinaryIO

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cascade_core.storage.importers.sheet import Sheet, check_count, is_list_wanted, is_wanted, matrix
from cascade_core.support.files import BadFile


def read_json_lines(stream: BinaryIO, max_bytes: int) -> Sheet:
    """A table of objects; entries that no importer knows are passed over.

    Raises:
        BadFile: A line is no flat object, lacks what others have, or there is more than may be read.
    """
    rows: list[dict[str, Any]] = []
    cells = 0
    for number, line in _lines(stream):
        row = _object(line, number)
        cells += sum(len(value) if isinstance(value, list) else 1 for value in row.values())
        if 8 * cells > max_bytes:
            raise BadFile(f"expected at most {max_bytes:,} bytes unpacked but it has {cells:,} numbers of 8 and more")
        rows.append(row)
    names = list(dict.fromkeys(name for row in rows[:1] for name in row))
    check_count(names)
    for number, row in enumerate(rows, 1):
        if row.keys() != rows[0].keys():
            name = next(iter(row.keys() ^ rows[0].keys()))
            raise BadFile(
                f"expected the same entries in every object but {name[:40]!r} is not in all up to row {number}"
            )
    listed = [name for name in names if isinstance(rows[0][name], list)]
    return Sheet(
        frame=pd.DataFrame({name: [row[name] for row in rows] for name in names if name not in listed}),
        matrices={name: _matrix(name, [row[name] for row in rows]) for name in listed},
        first=1,
    )


def _lines(stream: BinaryIO) -> Iterator[tuple[int, str]]:
    """Lines that hold something, with their numbers."""
    for number, raw in enumerate(stream, 1):
        try:
            line = raw.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError:
            raise BadFile(f"expected UTF-8 text but some bytes are not, in row {number}") from None
        if line.strip():
            yield number, line


def _object(line: str, number: int) -> dict[str, Any]:
    """The entries of one line that an importer knows."""
    try:
        data = json.loads(line)
    except (ValueError, RecursionError):
        raise BadFile(f"expected an object of JSON in row {number} but it is {line.strip()[:40]!r}") from None
    if not isinstance(data, dict):
        raise BadFile(f"expected an object of JSON in row {number} but it is {line.strip()[:40]!r}")
    wanted = {name: value for name, value in data.items() if is_wanted(name)}
    for name, value in wanted.items():
        if isinstance(value, dict) or (isinstance(value, list) and not is_list_wanted(name)):
            raise BadFile(
                f"expected a number or a text in row {number} under {name[:40]!r} but it is {str(value)[:40]}"
            )
    return wanted


def _matrix(name: str, lists: list[Any]) -> NDArray[np.float64]:
    for i, one in enumerate(lists):
        if not isinstance(one, list) or not all(isinstance(x, int | float) for x in one):
            raise BadFile(f"expected a list of numbers in row {i + 1}, column {name!r} but it is {str(one)[:40]!r}")
    lengths = np.array([len(one) for one in lists])
    try:
        flat = np.array([float(x) for one in lists for x in one])
    except OverflowError:
        raise BadFile(f"expected numbers that can be held in column {name!r} but one is larger") from None
    return matrix(name, lengths, flat, 1)
