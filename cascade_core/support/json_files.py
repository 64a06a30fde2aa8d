"""JSON that is JSON everywhere, in and out of files: what is written here is what is read here.

Neither knows what the data mean.  A limit on bytes keeps a file that somebody else made from taking the machine.
"""

from __future__ import annotations

import json
import math
from typing import Any

from cascade_core.support.files import BadFile, Source, atomic_write, read_bytes
from cascade_core.support.remote import Somewhere


def write_json(
    path: Somewhere, data: Any, most: int, *, indent: int | None = None, sort_keys: bool = False
) -> Somewhere:
    """Write JSON data, atomically, and return the path.

    Raises:
        BadFile: It is no data that `read_json` would read back: not JSON, or of more than `most` bytes.
        OSError: It cannot be written.
    """
    try:
        raw = (json.dumps(data, allow_nan=False, indent=indent, sort_keys=sort_keys) + "\n").encode()
        if len(raw) > most:
            raise BadFile(f"expected at most {most:,} bytes of JSON but there are {len(raw):,}")
        strict_json(raw)
    except (TypeError, ValueError, RecursionError) as error:
        raise BadFile(f"Cannot write {path}: {error}") from None
    with atomic_write(path) as temporary:
        temporary.write_bytes(raw)
    return path


def read_json(source: Source, most: int) -> Any:
    """JSON data of a file of at most `most` bytes.

    Raises:
        BadFile: There are more, or it is not JSON, or as for `opened`.
        OSError: As for `opened`.
    """
    return strict_json(read_bytes(source, most))


def strict_json(raw: bytes) -> Any:
    """Read JSON that is JSON everywhere: no NaN, no infinities, no numbers beyond float64, no abyss of brackets.

    Raises:
        BadFile: It is something else.
    """
    if raw.startswith(b"PAR1"):
        raise BadFile("expected JSON but it is a Parquet file, such as a run")
    try:
        return json.loads(raw, parse_constant=_refuse_constant, parse_float=_finite, parse_int=_whole)
    except UnicodeDecodeError:
        raise BadFile("expected JSON but it is no text") from None
    except RecursionError:
        raise BadFile("expected a flat JSON document but it is nested too deeply") from None
    except ValueError as error:
        raise BadFile(f"expected JSON but {error}") from None


def _refuse_constant(name: str) -> None:
    raise ValueError(f"it holds {name}, which is not JSON")


def _finite(text: str) -> float:
    if not math.isfinite(float(text)):
        raise ValueError(f"it holds {text[:40]}, which is too large a number")
    return float(text)


def _whole(text: str) -> int:
    _finite(text)
    return int(text)
