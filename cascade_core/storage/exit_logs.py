"""Lines that a cascade at work writes of its answers -> arrays: what exit logs say.

A line is a JSON object:
    {"time": 1764180000.25, "stage": "layer1", "confidence": [0.71, 0.998], "answer": 3, "milliseconds": 0.8}
with the seconds since 1970, the stage that the sample left at, the confidence at each stage passed (null where a head
was not run), the class number answered, and how long it took.  An audited sample goes on to the end after it was
answered: its line has the confidences of all stages, and beside them "answers", what each would have answered, and
"plain", what the plain network says.  A label that comes late has a line of its own, {"time", "answer", "label"}; one
that is there at once may stand in the first.  Only "time" and "stage", or "answer" and "label", have to be there.

What cannot be read is counted and loses nothing else: of a line that was cut off and written on, what follows is read.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json
from numpy.typing import NDArray

MARK = b'{"time"'
"""How lines begin, by which one is found behind another that was cut off."""

_ODD = re.compile(rb"(?m)^(?!\{[^\n]*\}\r?$|$)|\}[ \t\r]*[^ \t\r\n,\]}]")
"""Lines that are not one object each: of what else is JSON pyarrow's reader dies."""

SCHEMA = pa.schema(
    [
        ("time", pa.float64()),
        ("stage", pa.string()),
        ("confidence", pa.list_(pa.float32())),
        ("answer", pa.int64()),
        ("milliseconds", pa.float64()),
        ("answers", pa.list_(pa.int64())),
        ("plain", pa.int64()),
        ("label", pa.int64()),
    ]
)

UNREADABLE, FOREIGN = "unreadable", "of other stages or none"
UNAUDITED = "as audited, which lack an answer or a confidence of a stage"
"""Why lines are not counted, or not as what they say."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Entries:
    """Lines of a log.

    Attributes:
        time: (n,) seconds since 1970; NaN where a line has none.
        stage: (n,) where samples left; -1 in lines of late labels.
        confidence: (n, M) float32; NaN where it is not known.
        answer: (n,) class numbers; -1 where a line has none, here and below.
        milliseconds: (n,).
        answers: (n, M) of audited samples.
        plain: (n,) what the plain network says of audited samples.
        label: (n,).
    """

    time: NDArray[np.float64]
    stage: NDArray[np.int64]
    confidence: NDArray[np.float32]
    answer: NDArray[np.int64]
    milliseconds: NDArray[np.float64]
    answers: NDArray[np.int64]
    plain: NDArray[np.int64]
    label: NDArray[np.int64]

    @classmethod
    def of(cls, table: pa.Table, stages: Sequence[str]) -> Entries:
        """A table of `SCHEMA` as arrays; the stage is -2 in lines that are of other stages."""
        table = table.combine_chunks()
        m = len(stages)

        def whole(name: str) -> NDArray[np.int64]:
            filled = np.asarray(table[name].fill_null(-1).to_numpy(), dtype=np.int64)
            return np.maximum(filled, -1)

        def number(name: str) -> NDArray[np.float64]:
            values = np.asarray(table[name].to_numpy(), dtype=np.float64)
            return np.where(np.isfinite(values), values, np.nan)

        named = pc.index_in(table["stage"], value_set=pa.array(stages)).fill_null(-2).to_numpy()
        stage = np.where(table["stage"].is_null().to_numpy(), -1, named.astype(np.int64))
        confidence, short = _rows(table["confidence"], m, np.nan, np.float32)
        answers, few = _rows(table["answers"], m, -1, np.int64)
        return cls(
            time=number("time"),
            stage=np.where(short & few, stage, -2),
            confidence=confidence,
            answer=whole("answer"),
            milliseconds=number("milliseconds"),
            answers=answers,
            plain=whole("plain"),
            label=whole("label"),
        )

    def __len__(self) -> int:
        return len(self.time)

    @property
    def began(self) -> float:
        """The time of the first line; 0 where there is none, or it has none."""
        return float(self.time[0]) if len(self) and self.time[0] > 0 else 0.0

    @property
    def audited(self) -> NDArray[np.bool_]:
        """(n,) whether all stages answered a sample."""
        return (self.plain >= 0) & (self.answers >= 0).all(axis=1) & np.isfinite(self.confidence).all(axis=1)

    def take(self, index: Any) -> Entries:
        """Some of the lines."""
        return Entries(**{name: getattr(self, name)[index] for name in self.__dataclass_fields__})


def parse(raw: bytes, stages: Sequence[str]) -> tuple[Entries, Counter[str]]:
    """The lines of a block, and how many were not counted, by why.

    Args:
        raw: Whole lines.
        stages: Names of the M stages.
    """
    faults: Counter[str] = Counter()
    entries, foreign = counted(_joined(_tables(raw, faults)), stages)
    return entries, faults + foreign


def tabled(raw: bytes) -> pa.Table:
    """Whole lines, as they were written, as a table of `SCHEMA`."""
    return _joined(_tables(raw, Counter()))


def counted(table: pa.Table, stages: Sequence[str]) -> tuple[Entries, Counter[str]]:
    """The rows of a table of `SCHEMA` that count, and how many do not, by why."""
    entries = Entries.of(table, stages)
    known = (entries.stage >= 0) | ((entries.stage == -1) & (entries.label >= 0) & (entries.answer >= 0))
    entries = entries.take(np.flatnonzero(known))
    unaudited = (entries.plain >= 0) & ~entries.audited
    return entries, +Counter({FOREIGN: int((~known).sum()), UNAUDITED: int(unaudited.sum())})


def _joined(tables: Sequence[pa.Table]) -> pa.Table:
    return pa.concat_tables(tables or [SCHEMA.empty_table()])


def _tables(raw: bytes, faults: Counter[str]) -> list[pa.Table]:
    """What can be read of a block, in order: all at once, or halves of what cannot, down to single lines."""
    waiting, tables = [raw], []
    while waiting:
        part = waiting.pop()
        if not part.strip():
            continue
        if (_is_flat(part) or not _ODD.search(part)) and (table := _table(part)) is not None:
            tables.append(table)
        elif middle := _line_end(part):
            waiting += [part[middle:], part[:middle]]
        elif (table := _table(_plain(part))) is not None:
            tables.append(table)
        else:
            faults[UNREADABLE] += 1
            if (behind := part.rfind(MARK, 1)) > 0:
                waiting.append(part[behind:])
    return tables


def _is_flat(part: bytes) -> bool:
    """Whether braces begin and end lines and are nowhere else, as in all that is usual; this takes a moment only."""
    count = part.count(b"\n")
    return (
        part.startswith(b"{")
        and part.endswith(b"}\n")
        and part.count(b"}\n{") == count - 1
        and part.count(b"}") == part.count(b"{") == count
    )


def _line_end(part: bytes) -> int:
    """Where a line ends near the middle of several; 0 in a single one."""
    behind = part.find(b"\n", len(part) // 2) + 1
    return behind if 0 < behind < len(part) else part.rfind(b"\n", 0, len(part) - 1) + 1


def _plain(line: bytes) -> bytes:
    """A line that says the same in the plainest way; empty if it is no object."""
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return b""
    if not isinstance(found, dict) or not found:
        return b""
    return json.dumps({name: value for name, value in found.items() if name in SCHEMA.names}).encode()


def _table(part: bytes) -> pa.Table | None:
    """Objects as a table; None if they cannot be read."""
    if not part:
        return None
    try:
        return pyarrow.json.read_json(
            pa.BufferReader(part),
            read_options=pyarrow.json.ReadOptions(use_threads=False, block_size=len(part) + 1),
            parse_options=pyarrow.json.ParseOptions(explicit_schema=SCHEMA, unexpected_field_behavior="ignore"),
        )
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, UnicodeDecodeError):
        return None


def _rows(column: pa.ChunkedArray, m: int, missing: float, kind: Any) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """Lists as (n, M) rows, filled up, and (n,) whether each has at most M entries."""
    lists = column.combine_chunks()
    lists = lists.chunk(0) if isinstance(lists, pa.ChunkedArray) else lists
    lengths = np.asarray(lists.value_lengths().fill_null(0).to_numpy(zero_copy_only=False), dtype=np.int64)
    values = np.asarray(lists.flatten().to_numpy(zero_copy_only=False), dtype=np.float64)
    places = np.arange(len(values)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    rows, fit = np.repeat(np.arange(len(lengths)), lengths), places < m
    result = np.full((len(lengths), m), missing, dtype=kind)
    inside = values[fit]
    result[rows[fit], places[fit]] = np.where(np.isfinite(inside), inside, missing)
    return result, lengths <= m
