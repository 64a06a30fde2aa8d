"""Shares as people type them: what is understood, what is refused, and what asks."""

from __future__ import annotations

import math

import pytest

from cascade_core.support.amounts import Unreadable, confidence, drop, share

ONE_POINT = (
    "1%",
    "1 %",
    "1.0%",
    "1pt",
    "1 pt",
    "1pts",
    "1pp",
    "1 point",
    "1 POINTS",
    "1 percent",
    "0.01",
    ".01",
    "1e-2",
)


@pytest.mark.parametrize("text", ONE_POINT)
def test_a_point_may_be_written_in_many_ways(text: str) -> None:
    assert drop(text) == 0.01
    assert drop(f"-{text}") == -0.01


def test_units_divide_decimals_not_floats() -> None:
    # 0.7 / 100 in floats is 0.006999999999999999.
    assert drop("0.7%") == share("0.7%") == confidence("0.7%") == 0.007
    assert drop("0.5pt") == 0.005


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("1", "1 may mean 1 point or 100 points: write 1pt or 100pt"),
        ("0.5", "0.5 may mean 0.5 points or 50 points: write 0.5pt or 50pt"),
        ("0.31", "0.31 may mean 0.31 points or 31 points: write 0.31pt or 31pt"),
        ("-0.9", "-0.9 may mean -0.9 points or -90 points: write -0.9pt or -90pt"),
        ("7", "but it was 7; write 7pt if it is in points"),
    ],
)
def test_a_bare_number_that_may_be_in_points_asks(text: str, asked: str) -> None:
    with pytest.raises(Unreadable) as found:
        drop(text)
    assert str(found.value).endswith(asked)


def test_with_its_unit_any_drop_is_taken_up_to_all() -> None:
    assert drop("0.3") == drop("30pt") == 0.3
    assert drop("100%") == drop("100pt") == 1.0
    with pytest.raises(Unreadable, match=r"at most all accuracy, 100pt or 1\.0, but it was 101%$"):
        drop("101%")


def test_a_share_may_be_a_half_but_not_more_than_all_without_a_unit() -> None:
    assert share("0.95") == share("95%") == 0.95
    assert share("1") == 1.0
    with pytest.raises(Unreadable, match="write 50% if it is in percent"):
        share("50")


def test_confidences_may_be_any_number() -> None:
    assert [confidence(text) for text in ("90%", "0.9", "90", "-0.2", " INF ")] == [0.9, 0.9, 90.0, -0.2, math.inf]


@pytest.mark.parametrize("read", [drop, share, confidence])
def test_numbers_of_code_are_fractions_already(read: type) -> None:
    assert [read(value) for value in (0.01, 1, 0.9)] == [0.01, 1.0, 0.9]


@pytest.mark.parametrize("text", ["", "abc", "nan", "0,5%", "1%%", "%", "1 2", "pt", "0x1", "1_0", "--1", "١%"])
@pytest.mark.parametrize("read", [drop, share, confidence])
def test_what_is_no_number_is_refused(read: type, text: str) -> None:
    with pytest.raises(Unreadable, match=r"^expected .* but it was "):
        read(text)
