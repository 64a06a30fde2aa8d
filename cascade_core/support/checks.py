"""Checks of arguments, in one wording: what was expected, what came, where.

Types call these once, at their door; algorithms below contain no checks.  Every failure is a
``ValueError`` whose single line can be shown to a user as it stands.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray


def array(name: str, value: ArrayLike, dtype: DTypeLike, dims: str, shape: Sequence[int | None]) -> NDArray[Any]:
    """Return `value` as a read-only array of `dtype`.

    Args:
        name: The argument's name, for the error.
        dims: What the axes mean, such as ``"(stages, samples)"``, for the error.
        shape: The expected length of each axis; None accepts any.

    Raises:
        ValueError: The value is not numeric, or its shape differs.
    """
    expected = "(" + ", ".join("any" if n is None else str(n) for n in shape) + ("," if len(shape) == 1 else "") + ")"
    try:
        raw = np.asarray(value)
        if raw.dtype == object:
            raise TypeError("an array of objects")
        # A number too large for float32 becomes inf, which every type's own check then meets.
        with np.errstate(over="ignore", invalid="ignore"):
            # One memory layout: sums over classes are then the same, bit for bit, before and after a file.
            cast = raw.astype(dtype, order="C", copy=True)
    except (TypeError, ValueError) as error:
        raise ValueError(f"Expected {name} to be numbers of shape {expected} {dims} but it was {error}") from None
    if cast.ndim != len(shape) or any(n is not None and n != m for n, m in zip(shape, cast.shape, strict=True)):
        raise ValueError(f"Expected {name} to have shape {expected} {dims} but it had shape {cast.shape}")
    cast.setflags(write=False)
    return cast


def integers(name: str, value: ArrayLike, dims: str, shape: Sequence[int | None]) -> NDArray[np.int64]:
    """Like `array`, for whole numbers: fractions and NaN are refused, not truncated."""
    try:
        fractions = np.asarray(value).dtype.kind == "f"
    except ValueError:
        fractions = False  # ragged; `array` says so
    raw = array(name, value, np.float64 if fractions else np.int64, dims, shape)
    with np.errstate(invalid="ignore"):
        cast = raw.astype(np.int64)
    if not np.array_equal(cast, raw):
        place = tuple(int(i) for i in np.argwhere(cast != raw)[0])
        where = f" at {', '.join(map(str, place))}" if place else ""
        raise ValueError(f"Expected {name} to be whole numbers {dims} but there is {raw[place]:.6g}{where}")
    cast.setflags(write=False)
    return cast


def whole(name: str, value: Any, low: int, high: int) -> int:
    """Return `value` as an int within [low, high].

    Raises:
        ValueError: It is not a whole number (a truth value is none), or lies outside.
    """
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or not low <= value <= high:
        raise ValueError(f"Expected {name} to be a whole number from {low} to {high} but it was {repr(value)[:60]}")
    return int(value)


def numbers(kind: Callable[[str], Any]) -> Callable[[str], list[Any]]:
    """A reader of texts that hold numbers separated by commas; argparse tells its name where it raises ValueError."""

    def read(text: str) -> list[Any]:
        return [kind(part) for part in text.split(",")]

    read.__name__ = "numbers separated by commas"
    return read


def in_range(name: str, value: float | str, low: float, high: float) -> float:
    """Return `value` as a float within [low, high].

    Raises:
        ValueError: It is not a number, is NaN, or lies outside.
    """
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise ValueError(f"Expected {name} to be a number from {low:g} to {high:g} but it was {value!r}") from None
    if not low <= number <= high:
        raise ValueError(f"Expected {name} to be from {low:g} to {high:g} but it was {number:g}")
    return number


def inner(name: str, value: float) -> float:
    """Return `value`, a probability, as a float strictly between 0 and 1.

    Raises:
        ValueError: It is not a number, or lies outside.
    """
    number = in_range(name, value, 0.0, 1.0)
    if not 0.0 < number < 1.0:
        raise ValueError(f"Expected {name} to lie strictly between 0 and 1 but it was {number:g}")
    return number


def one_of(name: str, value: str, allowed: Sequence[str]) -> str:
    """Return `value` if it is among `allowed`.

    Raises:
        ValueError: It is not; the message lists what is.
    """
    if value not in allowed:
        raise ValueError(f"Expected {name} to be one of {', '.join(allowed)} but it was {value!r}")
    return value


def encodable(name: str, texts: NDArray[np.str_]) -> None:
    """Raise ValueError where a text holds what is no character, and so cannot be written to a file."""
    if not len(texts):
        return
    codes = np.ascontiguousarray(texts).view(np.uint32).reshape(len(texts), -1)
    bad = ((codes >= 0xD800) & (codes <= 0xDFFF)) | (codes > sys.maxunicode)
    if bad.any():
        place, letter = np.argwhere(bad)[0]
        raise ValueError(
            f"Expected {name} to hold texts but number {place} has no character, {codes[place, letter]:#x}, "
            f"in place {letter}; is the file damaged?"
        )


def names(name: str, value: Sequence[str], length: int, each: str) -> tuple[str, ...]:
    """Return `value` as a tuple of `length` distinct, non-empty names, one for each `each`.

    Raises:
        ValueError: The count differs, or a name is empty, repeated, not a text or not of characters.
    """
    if isinstance(value, str) or not isinstance(value, Iterable):
        raise ValueError(f"Expected {name} to hold {length} names, one for each {each}, but it was {repr(value)[:60]}")
    result = tuple(value)
    if len(result) != length:
        raise ValueError(f"Expected {name} to hold {length} names, one for each {each}, but it held {len(result)}")
    for item in result:
        if not isinstance(item, str) or not item:
            raise ValueError(f"Expected {name} to hold non-empty texts but one was {item!r}")
    encodable(name, np.array(result))
    seen: set[str] = set()
    for item in result:
        if item in seen:
            raise ValueError(f"Expected {name} to be distinct but {item!r} repeats")
        seen.add(item)
    return result
