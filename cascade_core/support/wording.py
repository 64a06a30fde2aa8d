"""Numbers in words, as people read them: percent, points, MACs and confidences, with a real minus sign.

Arguments are fractions and counts, as everywhere in the code; the live panel's ``words.js`` writes them alike.
"""

from __future__ import annotations

import math

_MAGNITUDES = ((1e15, "quadrillion"), (1e12, "trillion"), (1e9, "billion"), (1e6, "million"), (1e3, "thousand"))


def fixed(value: float, digits: int) -> str:
    """A number with so many decimals, thousands separated, and never a minus before zero.

    >>> fixed(-0.04, 1), fixed(-1234.5, 1)
    ('0.0', '−1,234.5')
    """
    text = f"{abs(value):,.{digits}f}"
    return f"−{text}" if value < 0 and text.strip("0.,") else text


def percent(share: float, digits: int | None = None) -> str:
    """A share as a percentage with so many decimals; without a number, finer below ten.

    >>> percent(0.4312), percent(0.0431), percent(0.0), percent(0.4312, 1)
    ('43 %', '4.3 %', '0 %', '43.1 %')
    """
    value = 100 * share
    return f"{fixed(value, (1 if 0 < abs(value) < 9.95 else 0) if digits is None else digits)} %"


def macs(count: float) -> str:
    """A number of MACs with three digits or four.

    >>> macs(125_485_706), macs(5834), macs(640)
    ('125.5 million MACs', '5.83 thousand MACs', '640 MACs')
    """
    size, word = next(((least, word) for least, word in _MAGNITUDES if abs(count) >= least), (1.0, ""))
    value = count / size
    text = f"{value:,.0f}" if not word else fixed(value, 2 if abs(value) < 10 else 1)
    return f"{text} {word} MACs" if word else f"{text} MACs"


def confidence(value: float, most: int = 17) -> str:
    """A confidence with as many decimals as tell it from one, if they are at most `most`.

    >>> confidence(0.97812), confidence(0.999871), confidence(1.0), confidence(-0.25), confidence(0.9999987, 5)
    ('0.978', '0.99987', '1', '−0.25', '>0.99999')
    """
    if not 0 < value < 1:
        return f"{value:.4g}".replace("-", "−")
    digits = max(3, math.ceil(-math.log10(1 - value)) + 1)
    if digits <= most:
        return f"{value:.{digits}f}"
    text = f"{value:.{most}f}"
    return text if float(text) < 1 else f">0.{'9' * most}"
