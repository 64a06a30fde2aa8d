"""JSON lines -> `Sheet`: an object a line, of numbers, texts and lists of numbers, for a sample at a stage."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cascade_core.storage.importers.naming import LOGITS, PROBS, meaning
from cascade_core.storage.importers.room import TooLarge
from cascade_core.storage.importers.sheet import Sheet, check_count, is_list_wanted, is_wanted, matrix
from cascade_core.support.files import BadFile

_ROW, _VALUE = 256, 32
"""Bytes that an object and a value take while they are read, at least."""

MAX_LINE = 16 << 20
"""Most bytes of a line, which holds one sample at one stage."""


def read_json_lines(stream: BinaryIO, max_bytes: int) -> Sheet:
    """A table of objects; entries that no importer knows are passed over.

    Raises:
        BadFile: A line is no flat object, lacks what others have, or there is more than may be read.
    """
    rows: list[dict[str, Any]] = []
    all_names: list[str] = []
    taken = 0
    for number, line in _lines(stream, max_bytes):
        whole = _object(line, number)
        row = {name: _value(name, value, number) for name, value in whole.items() if is_wanted(name)}
        all_names = all_names or list(whole)
        taken += _ROW + sum(value.nbytes if isinstance(value, np.ndarray) else _VALUE for value in row.values())
        if taken > max_bytes:
            raise TooLarge(f"expected at most {max_bytes:,} bytes unpacked but up to row {number} there are more")
        if rows and row.keys() != rows[0].keys():
            name = next(iter(row.keys() ^ rows[0].keys()))
            raise BadFile(
                f"expected the same entries in every object but row {number} and the first differ in {name!r}"
            )
        rows.append(row)
    names = list(rows[0]) if rows else []
    listed = [name for name in names if isinstance(rows[0][name], np.ndarray)]
    return Sheet(
        frame=pd.DataFrame({name: [row[name] for row in rows] for name in names if name not in listed}),
        matrices={name: _matrix(name, [row[name] for row in rows]) for name in listed},
        first=1,
        names=all_names,
    )


def _lines(stream: BinaryIO, max_bytes: int) -> Iterator[tuple[int, str]]:
    """Lines that hold something, with their numbers."""
    for number, raw in enumerate(iter(lambda: stream.readline(MAX_LINE + 1), b""), 1):
        if len(raw) > MAX_LINE:
            raise BadFile(f"expected lines of at most {MAX_LINE:,} bytes but row {number} is longer")
        if _VALUE * raw.count(b",") > max_bytes:
            raise TooLarge(f"expected at most {max_bytes:,} bytes unpacked but row {number} alone has more")
        try:
            line = raw.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError:
            raise BadFile(f"expected UTF-8 text but some bytes are not, in row {number}") from None
        if line.strip():
            yield number, line


def _object(line: str, number: int) -> dict[str, Any]:
    """The entries of one line, those of objects with a number for each class by class."""
    try:
        data = json.loads(line)
    except (ValueError, RecursionError):
        data = None
    if not isinstance(data, dict):
        raise BadFile(f"expected an object of JSON in row {number} but it is {line.strip()[:40]!r}")
    check_count(data)
    return {one: cell for name, value in data.items() for one, cell in _by_class(name, value)}


def _by_class(name: str, value: Any) -> Iterable[tuple[str, Any]]:
    """An entry as it is, or, of an object with a number for each class, an entry for each."""
    prefix = {PROBS: "p_", LOGITS: "logit_"}.get(meaning(name) or "")
    if prefix is None or not isinstance(value, dict):
        return [(name, value)]
    return [(f"{prefix}{klass}", number) for klass, number in value.items()]


def _value(name: str, value: Any, number: int) -> Any:
    if isinstance(value, list) and is_list_wanted(name) and all(isinstance(x, int | float) for x in value):
        try:
            return np.array(value, dtype=np.float64)
        except OverflowError:
            raise BadFile(f"expected numbers that can be held in row {number}, column {name!r}") from None
    if isinstance(value, dict | list):
        raise BadFile(
            f"expected a number, a text or a list of numbers in row {number}, column {name!r} but it is "
            f"{str(value)[:40]}"
        )
    return value


def _matrix(name: str, lists: list[Any]) -> NDArray[np.float64]:
    for i, one in enumerate(lists):
        if not isinstance(one, np.ndarray):
            raise BadFile(f"expected a list of numbers in row {i + 1}, column {name!r} but it is {str(one)[:40]!r}")
    return matrix(name, np.array([len(one) for one in lists]), np.concatenate(lists), 1)
