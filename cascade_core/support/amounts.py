"""Shares as people type them: `1%`, `0.5pt` and `0.01` are fractions, and a bare number that may mean two things asks.

One parser for every flag that is a share.  `drop` reads accuracies that are given up, where 1 may be a point or all
there is; `share` reads parts of a whole, where 0.5 is a half; `confidence` takes any bare number, for scores have
ranges of their own.  Decimals are divided as decimals, so that `0.7%` is the number that 0.007 is.  What is no text is
a fraction already.
"""

from __future__ import annotations

import re
from argparse import ArgumentTypeError
from decimal import Decimal

LARGEST_DROP = Decimal("0.3")
"""Largest bare number that is taken for a drop as a fraction; few would give up more than 30 points."""

_FORM = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)\s*(%|percent|pts?|pp|points?)?", re.ASCII | re.IGNORECASE)


class Unreadable(ArgumentTypeError, ValueError):
    """A text that is no amount, or that may be two: the command line shows its message as it stands."""


def drop(text: str | float) -> float:
    """An accuracy drop as a fraction; negative for a gain.

    >>> drop("1%"), drop("0.5pt"), drop("-0.5 points"), drop("0.01"), drop("30%")
    (0.01, 0.005, -0.005, 0.01, 0.3)

    Raises:
        Unreadable: It is no number, more than all, or a bare one above `LARGEST_DROP`, which may be in points.
    """
    number, unit = _read(text, "1%, 0.5pt or 0.01")
    if abs(fraction := _fraction(number, unit)) > 1:
        hint = "" if unit else f"; write {number}pt if it is in points"
        raise Unreadable(f"expected at most all accuracy, 100pt or 1.0, but it was {text}{hint}")
    if not unit and abs(number) > LARGEST_DROP:
        most = f"{100 * fraction:g}"
        raise Unreadable(f"{number} may mean {_points(str(number))} or {_points(most)}: write {number}pt or {most}pt")
    return fraction


def share(text: str | float) -> float:
    """A part of a whole as a fraction.

    >>> share("50%"), share("0.5"), share("5 %")
    (0.5, 0.5, 0.05)

    Raises:
        Unreadable: It is no number, or a bare one above 1.
    """
    number, unit = _read(text, "50% or 0.5")
    if unit or abs(number) <= 1:
        return _fraction(number, unit)
    raise Unreadable(f"expected a fraction up to 1, or percent, but it was {text}; write {number}% if it is in percent")


def confidence(text: str | float) -> float:
    """A confidence, in the unit of its score; `inf` is one that nothing reaches.

    >>> confidence("90%"), confidence("0.9"), confidence("-0.2"), confidence("inf")
    (0.9, 0.9, -0.2, inf)

    Raises:
        Unreadable: It is no number.
    """
    if str(text).strip().lower() in ("inf", "+inf", "infinity"):
        return float("inf")
    return _fraction(*_read(text, "90%, 0.9 or inf"))


def _read(text: str | float, examples: str) -> tuple[Decimal, str]:
    """The number of a text and its unit, empty for none; what is no text has the unit of fractions, `1`."""
    if not isinstance(text, str):
        return Decimal(repr(float(text))), "1"
    found = _FORM.fullmatch(text.strip())
    if found is None:
        raise Unreadable(f"expected {examples} but it was {text!r}")
    return Decimal(found[1]), found[2] or ""


def _fraction(number: Decimal, unit: str) -> float:
    return float(number if unit in ("", "1") else number / 100)


def _points(number: str) -> str:
    return f"{number} point{'' if number == '1' else 's'}"
