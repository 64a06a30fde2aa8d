"""Parameters of policies: what the metadata of a policy's field says of it to whoever sets it.

    max_drop: float = field(metadata=drop(0.0, "accuracy to give up: 1%, 1pt or 0.01 is one point"))

From this follow the check of the value, the flag on the command line with its help, and the entry in exported choices.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from cascade_core.support import amounts, checks

PARAMETER = "parameter"
"""Key of a field's metadata."""


@dataclass(frozen=True)
class Parameter:
    """One parameter of a policy.

    Attributes:
        read: Turns a text of the command line into a value, or raises ValueError; its name says what it reads.
        check: Called with the parameter's name and value, raises ValueError if the value is out of range.
        help: What the parameter means, in a few words with its unit.
    """

    read: Callable[[str], Any]
    check: Callable[[str, Any], object]
    help: str


Metadata = dict[str, Parameter]


def drop(low: float, meaning: str) -> Metadata:
    """Metadata of a field that holds an accuracy drop, a fraction within [low, 1]."""
    return {PARAMETER: Parameter(amounts.drop, partial(_drop, low=low), meaning)}


def number(low: float, high: float, meaning: str) -> Metadata:
    """Metadata of a field that holds a number within [low, high]."""
    return {PARAMETER: Parameter(float, partial(checks.in_range, low=low, high=high), meaning)}


def whole(low: int, high: int, meaning: str) -> Metadata:
    """Metadata of a field that holds a whole number within [low, high]."""
    return {PARAMETER: Parameter(int, partial(checks.whole, low=low, high=high), meaning)}


def probability(meaning: str) -> Metadata:
    """Metadata of a field that holds a number strictly between 0 and 1."""
    return {PARAMETER: Parameter(amounts.share, checks.inner, meaning)}


def choice(options: tuple[str, ...], meaning: str) -> Metadata:
    """Metadata of a field that holds one of some names."""
    return {PARAMETER: Parameter(str, partial(_one_of, options=options), meaning)}


def thresholds(read: Callable[[str], Any], meaning: str) -> Metadata:
    """Metadata of a field that holds one threshold or several: the rule that is made of them checks them."""
    return {PARAMETER: Parameter(read, lambda name, value: None, meaning)}


def _one_of(name: str, value: str, options: tuple[str, ...]) -> None:
    checks.one_of(name, value, options)


def _drop(name: str, value: float, low: float) -> None:
    """Check a drop; a whole 1, which was hardly meant as all accuracy there is, is taken and said."""
    checks.in_range(name, value, low, 1.0)
    if value == 1 and isinstance(value, int):
        warnings.warn(f"{name} is a fraction: 1 gives up as much as 100 points; one point is 0.01", stacklevel=4)
