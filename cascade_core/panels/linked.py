"""What a link names: each value of `state` with how its text is read and written.

**To add one:** declare a `Value` in `state.py`, whose key is the name of the parameter and of the widget that shows it,
and add a line to `links`.  Draw the widget with ``key=state.X.key`` and no default of its own, after `X.keep()`, which
gives it the default where it has nothing yet.  That is all: the address names the value unless it is the default, a
link and Back bring it, and it outlives views in which the widget is not drawn.  Options that depend on what is shown
(classes, stages) are checked by `address.fit` before the widget is drawn.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from cascade_core.analysis.sample_filter import ORDERS
from cascade_core.analysis.samples import KINDS
from cascade_core.panels import costs, state
from cascade_core.panels.bookmarks import packed, unpacked
from cascade_core.panels.state import Value
from cascade_core.policies import SWEEPS
from cascade_core.policies.answers import ANSWERS
from cascade_core.rendering.published import PUBLISHED
from cascade_core.simulation.certificates import AMONG
from cascade_core.simulation.scores import of_softmaxes
from cascade_core.storage.choice import shortest

MAX_SEED = 2**31 - 1
MOST_LIKELIEST = 100
"""Answers among which the right one may be sought."""

MOST_TEXTS = 64
"""Items of a tuple that are read."""

LONGEST_NAME = 200
"""Letters of the name of a class, a stage or a sample."""


def as_text(value: Any) -> str:
    """A value as a link has it; True and False are 1 and 0."""
    return str(int(value)) if isinstance(value, bool) else str(value)


@dataclass(frozen=True)
class Link:
    """How a value stands in a link.

    Attributes:
        read: Value of a text; what raises ValueError says what was expected.
        many: The value is a tuple, and the name comes once for each item, or once without text for none.
        moves: A change of it alone is a step of the history only after a rest.
    """

    value: Value[Any]
    read: Callable[[str], Any]
    write: Callable[[Any], str] = as_text
    many: bool = False
    moves: bool = False

    def value_of(self, texts: list[str]) -> Any:
        """The value that a link's texts give.

        Raises:
            ValueError: What was expected.
        """
        if self.many:
            return tuple(self.read(text) for text in texts[:MOST_TEXTS] if text)
        return self.read(texts[-1])

    def texts_of(self, value: Any) -> list[str]:
        """The texts that give the value; none for its default."""
        if value == self.value.default:
            return []
        return [self.write(one) for one in value] or [""] if self.many else [self.write(value)]


def links(runs: Collection[str], views: Collection[str]) -> tuple[Link, ...]:
    """All that a link names, in the order in which it does."""
    return (
        Link(state.RUN, among(runs, "a run in the list (your own goes when its page is reloaded)")),
        Link(state.VIEW, renamed({"classes": "groups"}, among(views))),
        Link(state.POLICY, among(SWEEPS)),
        Link(state.SCORE, among(of_softmaxes())),
        Link(state.ANSWERS, among(ANSWERS)),
        Link(state.SEED, whole(0, MAX_SEED)),
        Link(state.IN_SAMPLE, flag),
        Link(state.IN_EVERY, text(LONGEST_NAME)),
        Link(state.AMONG, among(AMONG)),
        Link(state.JUDGE_ON, among(runs, "a run in the list")),
        Link(state.TOP_K, whole(1, MOST_LIKELIEST)),
        Link(state.HOLD, among(("drop", "cost"))),
        Link(state.PUBLISHED, among(("auto", "none", *(series.name for series in PUBLISHED)))),
        Link(state.COST, among(costs.UNITS)),
        Link(state.BATCH, whole(1, MAX_SEED)),
        Link(state.COSTS, costs.checked),
        Link(state.PRICE, number, lambda value: f"{value:.9g}"),
        Link(state.DETAILS, titled(state.TABS), _tab_name),
        Link(state.BY, text(LONGEST_NAME)),
        Link(state.COMPARED_RUNS, among(runs, "a run in the list"), many=True),
        Link(state.COMPARED_POLICIES, among(SWEEPS), many=True),
        Link(state.BESIDE_RUN, among(runs, "a run in the list")),
        Link(state.BESIDE_POLICY, among(SWEEPS)),
        Link(state.PINS, unpacked, packed),
        Link(state.KIND, among(KINDS)),
        Link(state.LABEL, text(LONGEST_NAME)),
        Link(state.ANSWER, text(LONGEST_NAME)),
        Link(state.LEFT, text(LONGEST_NAME)),
        Link(state.SURE_AT, text(LONGEST_NAME)),
        Link(state.LEAST_SURE, number),
        Link(state.MOST_SURE, number),
        Link(state.ORDER, among(ORDERS)),
        Link(state.SAMPLE, text(LONGEST_NAME)),
        Link(state.AT, number, lambda value: f"{value:.9g}", moves=True),
        Link(state.HAND, thresholds, thresholds_text, moves=True),
    )


def _tab_name(title: str) -> str:
    return next(name for name, one in state.TABS.items() if one == title)


def among(options: Collection[str], words: str = "") -> Callable[[str], str]:
    """A reader of one of some texts."""

    def reader(text: str) -> str:
        if text not in options:
            raise ValueError(words or f"one of {', '.join(options)}")
        return text

    return reader


def renamed(names: Mapping[str, str], read: Callable[[str], str]) -> Callable[[str], str]:
    """A reader that also takes what older links call things."""
    return lambda text: read(names.get(text, text))


def titled(titles: Mapping[str, str]) -> Callable[[str], str]:
    """A reader of one of some names as the title that a widget has for it."""
    name = among(titles)
    return lambda text: titles[name(text)]


def flag(text: str) -> bool:
    """A reader of yes or no."""
    if text not in ("0", "1"):
        raise ValueError("0 or 1")
    return text == "1"


def whole(low: int, high: int) -> Callable[[str], int]:
    """A reader of a whole number in a range."""

    def reader(text: str) -> int:
        # Digits of other scripts are digits to Python too.
        if not (text.isascii() and text.isdigit() and len(text) < 12 and low <= int(text) <= high):
            raise ValueError(f"a whole number from {low} to {high}")
        return int(text)

    return reader


def number(text: str) -> float:
    """A reader of a finite number."""
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not np.isfinite(value):
        raise ValueError("a number")
    return value


def thresholds(text: str) -> tuple[float, ...]:
    """A reader of thresholds set by hand: numbers, and a dash where nothing leaves."""
    parts = text.split(",")[:MOST_TEXTS]
    try:
        values = tuple(math.inf if part == "-" else number(part) for part in parts)
    except ValueError:
        raise ValueError("numbers or dashes with commas between") from None
    return tuple(float(np.float32(value)) for value in values)


def thresholds_text(values: tuple[float, ...]) -> str:
    """The shortest text that `thresholds` reads as the same."""
    return ",".join("-" if value == math.inf else str(shortest(np.float32(value))) for value in values)


def text(most: int) -> Callable[[str], str]:
    """A reader of any text up to a length, for `address.fit` to check."""

    def reader(text: str) -> str:
        if not text or len(text) > most:
            raise ValueError(f"a text of at most {most} letters")
        return text

    return reader
