"""Round confidences along a slider of confidences, whose steps follow the samples and are anything but round."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

ROUND = (0.5, 0.9, 0.99, 0.999, 0.9999, 0.99999)
"""What is marked, where there is room."""

CLOSE = 0.1
"""Share of the distance from one up to which a position counts as the round confidence."""

APART = 0.12
"""Of the slider's length, the least distance of two ticks."""


def round_ticks(shown: NDArray[np.float64]) -> list[tuple[int, str]]:
    """Positions of the slider values `shown` (G,) that are round confidences, with these; none where too few are."""
    found: list[tuple[int, str]] = []
    for value in ROUND:
        place = int(np.abs(shown - value).argmin())
        near = abs(shown[place] - value) <= CLOSE * (1 - value)
        if near and all(abs(place - other) >= APART * (len(shown) - 1) for other, _ in found):
            found.append((place, f"{value:g}"))
    return sorted(found) if len(found) > 1 else []
