"""Texts in LaTeX: read by a small reader of what it does with each sign, they print as they were."""

from __future__ import annotations

import re

from cascade_core.support.latex import latex
from cascade_core.support.visible import visible
from tests.names import TAKEN_APART, hostile_names

NAMED = {
    r"\textbackslash{}": "\\",
    r"\textasciitilde{}": "~",
    r"\textasciicircum{}": "^",
    r"\textless{}": "<",
    r"\textgreater{}": ">",
    r"\textbar{}": "|",
    r"\symbol{34}": '"',
    r"\symbol{96}": "`",
    **{f"\\{sign}": sign for sign in "&%$#_{}"},
    "{}": "",
}
TOKEN = re.compile("|".join([*map(re.escape, NAMED), r"[^\\&%$#_{}~^]"]))


def printed(written: str) -> str:
    """What LaTeX prints of it; nothing else than these commands and plain letters may be in it."""
    tokens = TOKEN.findall(written)
    assert "".join(tokens) == written
    return "".join(NAMED.get(token, token) for token in tokens)


def test_any_name_is_printed_as_it_is_seen() -> None:
    for name in [*hostile_names(8, 2_000), *TAKEN_APART, "a & b \\\\ c", "50% of $x_1^2$", "\\input{/etc/passwd}"]:
        written = latex(name)
        assert printed(written) == visible(name)
        assert written[:1] not in ("[", "*"), "an option of the line above"
        assert "\n" not in written
