"""Several ES modules as one text, for hosts that take only one: Streamlit's component and the report's page.

All files share the one module's names, so a name may stand at the top level of a single file only.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable
from functools import cache
from importlib.resources import files

_IMPORT = re.compile(r'^import \{[^}]*\} from "([^"]+)";\n+', re.MULTILINE)
_FOR_EDITORS = re.compile(r"^// @ts-check\n|^/\*\* @import .* \*/\n+", re.MULTILINE)
_EXPORT = re.compile(r"^export (?:default )?(?=(?:async )?(?:function|const|let|class) )", re.MULTILINE)
_NAME = re.compile(r"^(?:export (?:default )?)?(?:async )?(?:function|const|let|class) (\w+)", re.MULTILINE)


def joined(entry: str, read: Callable[[str], str]) -> str:
    """The module `entry` with all that it imports before it; what other files export is for these files alone.

    Args:
        read: The text of a file by its path, as paths in imports lead to it from `entry`.

    Raises:
        ValueError: A name stands at the top level of two files, or files import one another in a circle.
    """
    order: list[str] = []
    _visit(entry, read, order, ())
    homes: dict[str, str] = {}
    for path in order:
        for name in _NAME.findall(read(path)):
            if homes.setdefault(name, path) != path:
                raise ValueError(f"Expected one file to define {name} but {homes[name]} and {path} do; rename one")
    return "\n".join(_part(read(path), keep_exports=path == entry) for path in order)


@cache
def bundled(entry: str) -> str:
    """A module of this folder, such as ``live/panel.js``, with all that it imports."""
    return joined(entry, lambda path: files(__package__ or "").joinpath(path).read_text(encoding="utf-8"))


def _visit(path: str, read: Callable[[str], str], order: list[str], above: tuple[str, ...]) -> None:
    if path in above:
        circle = " -> ".join((*above[above.index(path) :], path))
        raise ValueError(f"Expected imports without a circle but {circle} is one; move what both need to a third file")
    if path in order:
        return
    for imported in _IMPORT.findall(read(path)):
        _visit(posixpath.normpath(posixpath.join(posixpath.dirname(path), imported)), read, order, (*above, path))
    order.append(path)


def _part(text: str, *, keep_exports: bool) -> str:
    text = _IMPORT.sub("", _FOR_EDITORS.sub("", text))
    return text if keep_exports else _EXPORT.sub("", text)
