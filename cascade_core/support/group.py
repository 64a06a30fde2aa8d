"""Which of several processes this one is: the variables RANK, WORLD_SIZE and LOCAL_RANK, as torchrun sets them."""

from __future__ import annotations

import os
from dataclasses import dataclass

from cascade_core.support import checks

MOST = 1 << 20
"""Most processes of a group."""


@dataclass(frozen=True)
class Group:
    """Which of how many processes this one is, and which on its machine."""

    rank: int
    size: int
    local: int

    @classmethod
    def of_environment(cls) -> Group:
        """The group that the variables tell of; without them a process is alone.

        Raises:
            ValueError: One of them is no whole number, or RANK is not below WORLD_SIZE.
        """
        size = _variable("WORLD_SIZE", 1, 1, MOST)
        return cls(_variable("RANK", 0, 0, size - 1), size, _variable("LOCAL_RANK", 0, 0, size - 1))


def is_first() -> bool:
    """Whether this process is alone or the first of its group, which alone knows when all work is done."""
    return _variable("RANK", 0, 0, MOST) == 0


def _variable(name: str, default: int, low: int, high: int) -> int:
    text = os.environ.get(name, str(default))
    return checks.whole(f"the variable {name}", int(text) if text.isdecimal() else text, low, high)
