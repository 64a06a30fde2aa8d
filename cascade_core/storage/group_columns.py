"""Groups of samples from a table beside a run: a CSV whose first row names `sample_id` and a column for each division.

Samples are joined by their ids; a sample that the table does not name is of the group "(none)", and rows on other
samples are passed over.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path

from cascade_core.simulation.groups import NONE, Groups
from cascade_core.support.files import BadFile, read_bytes, readable

MAX_BYTES = 256 << 20

ID = "sample_id"


def read_groups(path: Path, sample_ids: Sequence[str], column: str | None = None) -> tuple[Groups, ...]:
    """The divisions of samples, in the order of the ids, by a column of a table, or by each of its columns.

    Raises:
        BadFile: It is no such table, has no such column, or says two things of a sample or nothing of any.
    """
    with readable(path):
        try:
            text = read_bytes(path, MAX_BYTES).decode("utf-8-sig")
        except UnicodeError:
            raise BadFile("expected UTF-8 text but some bytes are not") from None
        rows = csv.DictReader(io.StringIO(text, newline=""), skipinitialspace=True)
        columns = _columns(list(rows.fieldnames or ()), column)
        found: dict[str, list[str]] = {}
        for row in rows:
            if None in row:
                raise BadFile(f"expected {len(rows.fieldnames or ())} columns but line {rows.line_num} has more")
            sample, values = row[ID] or "", [row[name] or NONE for name in columns]
            known = found.setdefault(sample, values)
            for one, other in zip(known, values, strict=True):
                if one != other:
                    both = f"{one[:40]!r} and {other[:40]!r}"
                    raise BadFile(f"expected one group for each sample but {sample[:60]!r} is in {both}")
        if not found.keys() & set(sample_ids):
            raise BadFile(
                f"expected ids of the run's samples, such as {sample_ids[0]!r}, in its column {ID!r} but there are "
                f"none of them: {', '.join(repr(name[:40]) for name in list(found)[:3])}"
            )
        return tuple(
            Groups.named(what, [found[name][place] if name in found else NONE for name in sample_ids])
            for place, what in enumerate(columns)
        )


def _columns(names: list[str], column: str | None) -> list[str]:
    """The columns that divide; BadFile where they or the ids are not there."""
    others = [name for name in names if name != ID]
    for needed in (ID, *([] if column is None else [column])):
        if needed not in names:
            raise BadFile(f"expected a column {needed!r} but it has {', '.join(map(repr, names[:8])) or 'none'}")
    if not others or len(set(names)) < len(names):
        raise BadFile(f"expected columns of groups beside {ID!r}, each with a name of its own, but it has {names[:8]}")
    return others if column is None else [column]
