"""Texts of files and links where a terminal or a log shows them: what it would obey or hide stands as Python writes it.

A name may hold escape sequences, control characters, marks that turn the direction of writing, separators of lines,
and characters that draw nothing.  Each becomes a backslash with its number; all else, spaces of any width and emoji
among it, stays as it is.
"""

from __future__ import annotations

from unicodedata import category

DRAW_NOTHING = frozenset(
    "\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0"
    + "".join(map(chr, [*range(0xFE00, 0xFE0E), *range(0xE0100, 0xE01F0)]))
)
"""Letters and marks without a shape, which Python takes for printable; what chooses an emoji's colours is not here."""


def visible(text: str, keep: str = "") -> str:
    r"""A text of which every character is seen, and in one line; those of `keep` stay.

    >>> visible("cat\x1b[31m\u202egod\n"), visible("a\tb\u200b\n", keep="\n\t")
    ('cat\\x1b[31m\\u202egod\\n', 'a\tb\\u200b\n')
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(one if one in keep or is_seen(one) else ascii(one)[1:-1] for one in text)


def is_seen(character: str) -> bool:
    """Whether a character has a shape or is a space."""
    return (character.isprintable() or category(character) == "Zs") and character not in DRAW_NOTHING
