"""Pieces of markup: ``report.html``, or another file beside it, cut up, and filled with texts that are escaped here.

A piece begins with a line that names it.  No markup stands in Python, and none comes from a file of the user's.
``document.html`` is what every file that is made here begins and ends with.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from html import escape
from importlib.resources import files
from string import Template
from typing import Any

from cascade_core.support.version import VERSION


@dataclass(frozen=True, kw_only=True)
class Cell:
    """A text of a table, and a smaller one below it; both as they are to be read."""

    text: str
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Row:
    """A heading and the cells beside it; a `chosen` row stands out."""

    heading: str
    cells: Sequence[Cell]
    chosen: bool = False


def document(title: str, body: str, *, style: str, script: str, beside: bool = False) -> str:
    """A whole HTML file, which asks nothing of any network: its Content-Security-Policy lets in this style and script.

    Args:
        title: A text; `body`, `style` and `script` are markup and code of this package, with what they hold escaped.
        beside: Whether scripts that lie beside the file are let in too.
    """
    return piece("document", "document.html").substitute(
        title=escape(title),
        version=escape(VERSION),
        style=style,
        style_hash=fingerprint(style),
        script=script,
        script_hash=fingerprint(script),
        scripts=" 'self'" if beside else "",
        body=body,
    )


def table(name: str, columns: Sequence[Cell], rows: Iterable[Row]) -> str:
    """A table that scrolls by itself where it is too wide; the first of `columns` is that of the headings."""
    body = [
        piece("row").substitute(
            text=escape(row.heading),
            cells="".join(_cell("cell", cell) for cell in row.cells),
            chosen=piece("chosen").template if row.chosen else "",
        )
        for row in rows
    ]
    head = "".join(_cell("column", column) for column in columns)
    return piece("table").substitute(name=escape(name), head=head, body="".join(body))


def entries(pairs: Iterable[tuple[str, str]]) -> str:
    """Names and texts, one below the other."""
    return "".join(piece("entry").substitute(name=escape(name), text=escape(text)) for name, text in pairs)


def script_json(data: Any) -> str:
    """JSON in which no text can end the script element around it."""
    text = json.dumps(data, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def fingerprint(text: str) -> str:
    """What a Content-Security-Policy calls an inline script or style."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode("ascii")


@cache
def file(name: str) -> str:
    """The text of a file beside this one."""
    return files(__package__ or "").joinpath(name).read_text(encoding="utf-8")


@cache
def piece(name: str, source: str = "report.html") -> Template:
    """A named piece of a file beside this one."""
    parts = re.split(r"<!-- piece (\w+) -->\n", file(source))
    return Template(dict(zip(parts[1::2], parts[2::2], strict=True))[name].removesuffix("\n"))


def _cell(name: str, cell: Cell) -> str:
    note = piece("note").substitute(text=escape(cell.note)) if cell.note else ""
    return piece(name).substitute(text=escape(cell.text), note=note)
