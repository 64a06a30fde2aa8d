"""Groups of samples from a table beside a run: a CSV whose first row names `sample_id` and a column for each division.

Samples are joined by their ids; a sample that the table does not name is of the group "(none)", and rows on other
samples are passed over.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path

from cascade_core.support.files import BadFile, read_bytes, readable

MAX_BYTES = 256 << 20

ID = "sample_id"

NONE = "(none)"
"""Group of samples that the table does not name."""


def read_groups(path: Path, column: str, sample_ids: Sequence[str]) -> list[str]:
    """The value of a column for each sample, in the order of the ids.

    Raises:
        BadFile: It is no such table, has no such column, or says two things of a sample or nothing of any.
    """
    with readable(path):
        try:
            text = read_bytes(path, MAX_BYTES).decode("utf-8-sig")
        except UnicodeError:
            raise BadFile("expected UTF-8 text but some bytes are not") from None
        rows = csv.DictReader(io.StringIO(text, newline=""))
        names = list(rows.fieldnames or ())
        for needed in (ID, column):
            if needed not in names:
                raise BadFile(f"expected a column {needed!r} but it has {', '.join(map(repr, names[:8])) or 'none'}")
        found: dict[str, str] = {}
        for row in rows:
            name, value = row[ID], row[column] or NONE
            if found.setdefault(name, value) != value:
                both = f"{found[name][:40]!r} and {value[:40]!r}"
                raise BadFile(f"expected one group for each sample but {name[:60]!r} is in {both}")
        if not found.keys() & set(sample_ids):
            raise BadFile("expected ids of the run's samples in its column 'sample_id' but there are none of them")
    return [found.get(name, NONE) for name in sample_ids]
