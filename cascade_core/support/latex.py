"""Texts in LaTeX: what it takes apart is written so that it prints it."""

from __future__ import annotations

from cascade_core.support.visible import visible

_WRITTEN = str.maketrans(
    {
        **{sign: f"\\{sign}" for sign in "&%$#_{}"},
        "\\": r"\textbackslash{}",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        "<": r"\textless{}",
        ">": r"\textgreater{}",
        "|": r"\textbar{}",
        '"': r"\symbol{34}",
        "`": r"\symbol{96}",
    }
)


def latex(text: str) -> str:
    r"""A text as it is printed, also at the beginning of a row, where brackets and stars are taken for options.

    >>> latex("50 % of a_b"), latex("[x]"), latex("*\n")
    ('50 \\% of a\\_b', '{}[x]', '{}*\\textbackslash{}n')
    """
    written = visible(text).translate(_WRITTEN)
    return f"{{}}{written}" if written[:1] in ("[", "*") else written
