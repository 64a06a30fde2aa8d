"""Numbers in words, as people read them: percent, points, MACs, confidences and settings, with a real minus sign.

Arguments are fractions and counts, as everywhere in the code.  The live panel's ``words.js`` writes them alike: one
table of cases, ``tests/support/words.json``, is run against both.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Context, Decimal

from cascade_core.support.terms import LABELS, Terms

_MAGNITUDES = ((1e15, "quadrillion"), (1e12, "trillion"), (1e9, "billion"), (1e6, "million"), (1e3, "thousand"))

_NOT_IN_FILE_NAMES = re.compile(r'[\s\x00-\x1f\x7f-\x9f<>:"/\\|?*]+')


def fixed(value: float, digits: int) -> str:
    """A number with so many decimals, halves rounded away from zero, thousands separated, never a minus before zero.

    >>> fixed(-0.04, 1), fixed(-1234.5, 1), fixed(0.125, 2)
    ('0.0', '−1,234.5', '0.13')
    """
    if not math.isfinite(value):
        return str(value)
    text = f"{_rounded(abs(value), digits):,f}"
    return f"−{text}" if value < 0 and text.strip("0.,") else text


def _rounded(value: float, digits: int) -> Decimal:
    """The number of so many decimals that is nearest, of two the one farther from zero, as JavaScript has it."""
    return Decimal(float(value)).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP, Context(prec=400))


def percent(share: float, digits: int | None = None) -> str:
    """A share as a percentage with so many decimals; without a number, finer below ten.

    >>> percent(0.4312), percent(0.0431), percent(0.0), percent(0.4312, 1)
    ('43 %', '4.3 %', '0 %', '43.1 %')
    """
    value = 100 * share
    return f"{fixed(value, (1 if 0 < abs(value) < 9.95 else 0) if digits is None else digits)} %"


def points(drop: float) -> str:
    """A fraction in points, without the unit.

    >>> points(0.0123), points(-0.002)
    ('1.23', '−0.20')
    """
    return fixed(100 * drop, 2)


def change(drop: float, digits: int, terms: Terms = LABELS) -> str:
    """What a drop, a fraction, is to the reader: something given up, a gain if it is negative, or nothing.

    >>> change(0.012, 1), change(-0.005, 1), change(-0.0004, 1)
    ('1.2 points given up', '0.5 points more accurate', 'no drop')
    """
    size = fixed(abs(100 * drop), digits)
    return f"{size} points {_side(drop, terms)}" if _shows(size) else terms.no_drop


def outward(value: float, digits: int, up: bool) -> float:
    """A bound with so many decimals, rounded to the side on which it claims less: an upper one up, a lower one down.

    A billionth of the last decimal is taken for what arithmetic left there.

    >>> outward(1.2101, 2, True), outward(1.2199, 2, False), outward(0.8, 1, True), outward(-0.04, 1, True)
    (1.22, 1.21, 0.8, 0.0)
    """
    if not math.isfinite(value):
        return value
    scaled = value * 10.0**digits
    return (math.ceil(scaled - 1e-9) if up else math.floor(scaled + 1e-9)) / 10.0**digits


def interval(low: float, high: float, digits: int, terms: Terms = LABELS) -> str:
    """The interval of a drop, ends as fractions and rounded outwards, on either side of zero or on both.

    >>> interval(0.0021, 0.0059, 1), interval(-0.006, -0.002, 1)
    ('from 0.2 to 0.6 points given up', 'from 0.2 to 0.6 points more accurate')
    >>> interval(-0.006, 0.002, 1)
    'from 0.2 points given up to 0.6 more accurate'
    """
    least, most = outward(100 * low, digits, False), outward(100 * high, digits, True)
    near, far = sorted((abs(least), abs(most)))
    if least < 0 < most:
        return f"from {fixed(most, digits)} points {terms.given_up} to {fixed(-least, digits)} {terms.gained}"
    return f"from {fixed(near, digits)} to {fixed(far, digits)} points {_side(least, terms)}"


def at_most(drop: float, digits: int, terms: Terms = LABELS) -> str:
    """What an upper bound on a drop, a fraction, says: given up at most, or more accurate at least.

    >>> at_most(0.01201, 1), at_most(-0.0029, 1), at_most(-0.0004, 1)
    ('at most 1.3 points given up', 'at least 0.2 points more accurate', 'no drop')
    """
    most = outward(100 * drop, digits, True)
    if most == 0:
        return terms.no_drop
    return f"{'at most' if most > 0 else 'at least'} {fixed(abs(most), digits)} points {_side(most, terms)}"


def certified(drop: float | None, level: float, by_hand: bool, terms: Terms = LABELS) -> str:
    """Which bound on the drop holds wherever a slider is let go, with a confidence; without one, why there is none.

    >>> certified(0.01201, 0.95, False)
    'at most 1.21 points given up, with 95 % confidence at this and every position of the slider at once'
    >>> certified(None, 0.95, True), certified(None, 0.95, False)
    ('not certified: set by hand on these samples', 'not certified: the same samples chose the thresholds')
    """
    if drop is None:
        return (
            f"not certified: {'set by hand on these samples' if by_hand else 'the same samples chose the thresholds'}"
        )
    bound = at_most(drop, 2, terms)
    return f"{bound}, with {percent(level, 0)} confidence at this and every position of the slider at once"


def badge(in_sample: bool, by_hand: bool) -> str:
    """What stands beside numbers that promise less than others do; empty where nothing needs saying.

    >>> badge(True, False), badge(False, True), badge(True, True), badge(False, False)
    ('in-sample', 'set by hand', 'set by hand, in-sample', '')
    """
    return ", ".join(["set by hand"] * by_hand + ["in-sample"] * in_sample)


def _side(drop: float, terms: Terms) -> str:
    return terms.gained if drop < 0 else terms.given_up


def _shows(size: str) -> bool:
    """Whether a number that was rounded is more than zero."""
    return bool(size.strip("0.,"))


def saving(share: float, noun: str) -> str:
    """What a cascade saves of the plain network's cost, a fraction, or costs beside it if that is negative.

    >>> saving(0.34, "computation"), saving(-0.031, "time")
    ('saves 34 % of the computation', 'costs 3.1 % more time than the plain network')
    """
    size = percent(abs(share))
    return f"costs {size} more {noun} than the plain network" if share < 0 else f"saves {size} of the {noun}"


def setting(value: float, decimals: int, unit: str, terms: Terms = LABELS) -> str:
    """Where a slider stands, in its unit; a bare number is a confidence.

    Points have a decimal more than `decimals` unless it is zero, since positions lie that close; fewer than none are a
    gain.

    >>> setting(0.5, 1, "points"), setting(0.55, 1, "points"), setting(-0.5, 1, "points"), setting(0.99843, 4, "")
    ('0.5 points', '0.55 points', '0.5 points more accurate', '0.9984')
    """
    if unit != "points":
        return f"{number(value, decimals, unit)} {unit}".rstrip()
    gain = value < 0 and _shows(fixed(-value, decimals + 1))
    size = re.sub(r"\.?0$", "", fixed(-value if gain else value, decimals + 1))
    return f"{size} {unit} {terms.gained}" if gain else f"{size} {unit}"


def number(value: float, decimals: int, unit: str) -> str:
    """A value of a slider without its unit, with so many decimals."""
    return fixed(value, decimals) if unit else confidence(value)


def file_stem(run: str, policy: str, value: float, decimals: int, unit: str) -> str:
    """What files on a slider position are called, without ending: RUN-POLICY-POSITION, a decimal more than is shown.

    >>> file_stem("mine", "cheapest", 0.5, 1, "points"), file_stem("a/b", "budget", 50.0, 1, "% of the MACs")
    ('mine-cheapest-0.50points', 'a-b-budget-50.00percent')
    """
    place = f"{_rounded(value, decimals + 1)}{unit.split(' ')[0].replace('%', 'percent')}"
    return _NOT_IN_FILE_NAMES.sub("-", f"{run}-{policy}-{place}")[-180:]


def cut(name: str, longest: int = 60) -> str:
    """A name of so many letters at most; of a longer one the beginning and the end, which tell runs apart.

    >>> cut("resnet56"), cut("a-very-long-name-of-a-run-42", 12)
    ('resnet56', 'a-very…un-42')
    """
    if len(name) <= longest:
        return name
    half = longest // 2
    return f"{name[:half]}…{name[half + 1 - longest :]}"


def listed(texts: Sequence[str], most: int, *, by: str = ", ", last: str = "and") -> str:
    """The first of some texts, and how many more there are.

    >>> listed(["a", "b", "c", "d"], 2), listed(["a", "b"], 2), listed(["a", "b", "c"], 2, by=" or ", last="or")
    ('a, b and 2 more', 'a, b', 'a or b or 1 more')
    """
    more = f" {last} {len(texts) - most} more" if len(texts) > most else ""
    return f"{by.join(texts[:most])}{more}"


def uncapital(text: str) -> str:
    """A sentence as the part of another.

    >>> uncapital("Expected a name"), uncapital("")
    ('expected a name', '')
    """
    return f"{text[:1].lower()}{text[1:]}"


def capital(text: str) -> str:
    """A text as the beginning of a sentence; letters but the first stay.

    >>> capital("mean MACs"), capital("")
    ('Mean MACs', '')
    """
    return f"{text[:1].upper()}{text[1:]}"


def macs(count: float) -> str:
    """A number of MACs with three digits or four, zeros behind the point left out.

    >>> macs(125_485_706), macs(5834), macs(640)
    ('125.5 million MACs', '5.83 thousand MACs', '640 MACs')
    """
    return f"{brief(round(count) if abs(count) < _MAGNITUDES[-1][0] else count)} MACs"


def brief(value: float) -> str:
    """A number with three digits or four, in words where it is large, zeros behind the point left out.

    >>> brief(125_485_706), brief(640), brief(12.5), brief(0.31245), brief(0.00001234), brief(0)
    ('125.5 million', '640', '12.5', '0.312', '0.0000123', '0')
    """
    size, word = next(((least, word) for least, word in _MAGNITUDES if abs(value) >= least), (1.0, ""))
    number = value / size
    digits = (
        1 if abs(number) >= 9.995 else 2 if abs(number) >= 1 or not number else 2 - math.floor(math.log10(abs(number)))
    )
    text = fixed(number, digits)
    return f"{text.rstrip('0').rstrip('.') if '.' in text else text} {word}".strip()


def number_of(count: int, noun: str) -> str:
    """How many there are of something whose plural ends in s.

    >>> number_of(1, "log"), number_of(1200, "line")
    ('1 log', '1,200 lines')
    """
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def multiplied(value: float, unit: str) -> str:
    """A number of a unit that may begin with such a word itself, multiplied out.

    >>> multiplied(59_300_000, "billion parameters"), multiplied(12.5, "dollars"), multiplied(2_000, "million MACs")
    ('59.3 quadrillion parameters', '12.5 dollars', '2 billion MACs')
    """
    first, _, rest = unit.partition(" ")
    size = next((size for size, word in _MAGNITUDES if word == first and rest), 1)
    return f"{brief(value * size)} {rest if size > 1 else unit}"


def confidence(value: float, most: int = 17) -> str:
    """A confidence with as many decimals as tell it from one, if they are at most `most`.

    >>> confidence(0.97812), confidence(0.999871), confidence(1.0), confidence(-0.25), confidence(0.9999987, 5)
    ('0.978', '0.99987', '1', '−0.25', '>0.99999')
    """
    if not 0 < value < 1:
        return f"{value:.4g}".replace("-", "−")
    digits = max(3, math.ceil(-math.log10(1 - value)) + 1)
    if digits <= most:
        return str(_rounded(value, digits))
    text = str(_rounded(value, most))
    return text if float(text) < 1 else f">0.{'9' * most}"


def span(seconds: float) -> str:
    """A time in whole minutes, or seconds where it is short.

    >>> span(40.2), span(90), span(7_140)
    ('40 s', '2 min', '1 h 59 min')
    """
    if round(seconds) < 60:
        return f"{round(seconds)} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"
