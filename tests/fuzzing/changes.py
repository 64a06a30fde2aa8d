"""Ways to change a good file: its bytes, or what its format says, by a random generator."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Sequence
from copy import deepcopy
from random import Random
from typing import Any

import numpy as np

Change = Callable[[bytes, Random], bytes]

FEW = (1, 1, 1, 2, 4)
"""Numbers of changes: what is nearly good comes further in."""

SPLICES = (
    b"\x00",
    b"\xff\xfe",
    b"\x1b[2J",
    b"\x1b]0;title\x07",
    "\u202e\u2028\u200b".encode(),
    b"NaN",
    b"-Infinity",
    b"1e400",
    b"9" * 400,
    b"\r\n\r\n",
    b"__class__",
    b"=1+1",
    b"../../etc/passwd",
    b"%s%n",
    b"[" * 2000,
    b'{"a":' * 2000,
)

VALUES: tuple[Any, ...] = (
    None,
    True,
    -1,
    0,
    1,
    2**53,
    -(2**63),
    10**400,
    0.5,
    -0.0,
    1e308,
    "",
    "\x1b[31mred",
    "\u202eevil",
    "a\nb",
    "x" * 5000,
    "../x",
    "<script>alert(1)</script>",
    [],
    {},
    [[]],
    [0] * 500,
    {"a": {"b": [None]}},
)


def in_bytes(raw: bytes, random: Random) -> bytes:
    """The bytes with one to four places flipped, cut, doubled, dropped or spliced."""
    changed = bytearray(raw)
    for _ in range(random.choice(FEW)):
        place = random.randrange(len(changed) + 1)
        end = min(len(changed), place + random.choice((1, 2, 8, 100)))
        match random.randrange(6):
            case 0 if changed:
                changed[place % len(changed)] ^= 1 << random.randrange(8)
            case 1:
                del changed[place:]
            case 2:
                del changed[place:end]
            case 3:
                changed[place:place] = changed[place:end] * random.choice((1, 3, 50))
            case 4:
                changed[place:place] = random.choice(SPLICES)
            case _:
                changed[place:end] = random.randbytes(end - place)
    return bytes(changed)


def in_digits(raw: bytes, random: Random) -> bytes:
    """A text with one digit, or a few, another: what is nearly good."""
    changed = bytearray(raw)
    digits = [place for place, letter in enumerate(changed) if 48 <= letter < 58]
    for _ in range(random.choice(FEW)):
        changed[random.choice(digits)] = random.randrange(48, 58)
    return bytes(changed)


def in_json(raw: bytes, random: Random) -> bytes:
    """A JSON document with one to three of its values replaced, dropped, doubled or wrapped."""
    document = json.loads(raw)
    for _ in range(random.choice(FEW)):
        places = list(_places(document))
        if not places:
            break
        holder, key = random.choice(places)
        match random.randrange(5):
            case 0:
                del holder[key]
            case 1 if isinstance(holder, dict):
                holder[random.choice(("", "extra", "\x1b[2J", "schema_version"))] = deepcopy(random.choice(VALUES))
            case 2 if isinstance(holder, list):
                holder.extend([holder[key]] * random.choice((1, 300)))
            case 3:
                holder[key] = [holder[key]]
            case _:
                holder[key] = deepcopy(random.choice(VALUES))
    return json.dumps(document).encode()


def _places(document: Any) -> Any:
    """All places in a document: what holds a value, and its key or number there."""
    if isinstance(document, dict | list):
        for key, value in list(document.items() if isinstance(document, dict) else enumerate(document)):
            yield document, key
            yield from _places(value)


def in_lines(raw: bytes, random: Random) -> bytes:
    """A text of lines and cells with some of them swapped, replaced, doubled or dropped."""
    lines = raw.split(b"\n")
    for _ in range(random.choice(FEW)):
        row = random.randrange(len(lines))
        cells = lines[row].split(b",")
        column = random.randrange(len(cells))
        match random.randrange(6):
            case 0:
                del lines[row]
                if not lines:
                    return b""
                continue
            case 1:
                lines.insert(row, lines[random.randrange(len(lines))])
                continue
            case 2:
                del cells[column]
            case 3:
                cells.append(random.choice(cells))
            case 4:
                cells[column] = random.choice(SPLICES)
            case _:
                cells[column] = str(random.choice(VALUES)).encode()
        lines[row] = b",".join(cells)
    return b"\n".join(lines)


def in_arrays(raw: bytes, random: Random) -> bytes:
    """An archive of arrays with one or two of them changed in values, type, shape, name or bytes."""
    with np.load(io.BytesIO(raw)) as archive:
        arrays = {name: archive[name] for name in archive.files}
    for _ in range(random.choice(FEW)):
        name = random.choice(list(arrays))
        arrays[name] = _array(arrays[name], random)
        if random.random() < 0.2:
            arrays[random.choice((*arrays, "extra", "logits", "\x1b[2J"))] = arrays.pop(name)
    stream = io.BytesIO()
    np.savez(stream, **arrays)
    return in_members(stream.getvalue(), random) if random.random() < 0.3 else stream.getvalue()


def _array(array: Any, random: Random) -> Any:
    number = random.choice((np.nan, np.inf, -np.inf, -1.0, 1e30, 0.0, 7.0))
    match random.randrange(7):
        case 0 if array.dtype.kind == "f" and array.size:
            changed = array.copy()
            changed.reshape(-1)[random.randrange(array.size)] = number
            return changed
        case 1:
            kinds = ("f2", "f8", "c8", "i1", "u8", "?", "S3", "U2", "M8[s]")
            with np.errstate(all="ignore"):
                try:
                    return array.astype(random.choice(kinds))
                except ValueError:
                    return np.zeros(3, dtype=random.choice(kinds))
        case 2:
            return array[tuple(slice(0, random.choice((0, 1, None))) for _ in array.shape)]
        case 3:
            return np.moveaxis(array, 0, -1) if array.ndim else array
        case 4:
            return array[None]
        case 5:
            return np.full(array.shape, number) if array.dtype.kind in "fi" else array
        case _:
            return np.repeat(array, 2, axis=random.randrange(array.ndim)) if array.ndim else array


def in_members(raw: bytes, random: Random) -> bytes:
    """A ZIP archive with one member's bytes changed, or its name."""
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(raw)) as old, zipfile.ZipFile(stream, "w") as new:
        names = old.namelist()
        chosen = random.choice(names)
        for name in names:
            content = old.read(name)
            if name == chosen:
                content = in_bytes(content, random) if random.random() < 0.7 else content
                name = random.choice((name, "../" + name, "\x1b[2J.npy", name.upper()))
            new.writestr(name, content)
    return stream.getvalue()


def some(changes: Sequence[Change], raw: bytes, random: Random) -> bytes:
    """The file, changed in one of several ways."""
    return random.choice(changes)(raw, random)
