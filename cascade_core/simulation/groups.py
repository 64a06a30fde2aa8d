"""A division of samples into groups: by class, or by what is known of each (a camera, a region, a month)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cascade_core.support import checks

CLASS = "class"
"""What divides samples by their labels; no column has that name."""

NONE = "(none)"
"""Group of samples of which nothing is said."""

MOST = 1000
"""Groups of one division."""

LONGEST = 200
"""Letters in the name of a division or of a group."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Groups:
    """A division of N samples.

    Attributes:
        what: What divides them, such as "class" or "camera".
        names: G names, at most `MOST`.
        of: (N,) int64 number of each sample's group, from 0 to G-1.

    Raises:
        ValueError: A number names no group, names repeat or are too long, or there are too many of them.
    """

    what: str
    names: tuple[str, ...]
    of: NDArray[np.int64]

    def __post_init__(self) -> None:
        of = checks.integers("groups", self.of, "(samples)", (None,))
        if len(of) and (of.min() < 0 or of.max() >= len(self.names)):
            raise ValueError(f"Expected groups to be from 0 to {len(self.names) - 1} but some lie outside")
        object.__setattr__(self, "of", of)

    @classmethod
    def named(cls, what: str, values: Sequence[str]) -> Groups:
        """The groups of samples that have these values, by name; `NONE` of those that have an empty one.

        Raises:
            ValueError: There are more than `MOST`, or a name is longer than `LONGEST`.
        """
        names, of = np.unique(np.array([value or NONE for value in values], dtype=np.str_), return_inverse=True)
        return cls.numbered(what, names.tolist(), of.ravel())

    @classmethod
    def numbered(cls, what: str, names: Sequence[str], of: NDArray[Any]) -> Groups:
        """The groups of samples whose numbers `of` (N,) are into `names`, which are put in order.

        Raises:
            ValueError: As for `named`; or names repeat.
        """
        if len(names) > MOST:
            raise ValueError(f"Expected at most {MOST:,} groups by {what!r} but there are {len(names):,}")
        for name in (what, *names):
            if not 0 < len(name) <= LONGEST:
                raise ValueError(f"Expected names of 1 to {LONGEST} letters by {what[:40]!r} but one is {name[:40]!r}")
        ordered = tuple(sorted(checks.names(f"groups by {what!r}", names, len(names), "group")))
        place = {name: number for number, name in enumerate(ordered)}
        return cls(what=what, names=ordered, of=np.array([place[name] for name in names], dtype=np.int64)[of])

    def take(self, index: NDArray[np.int64]) -> Groups:
        """The groups of the samples at `index` (n,), in that order; all names stay."""
        return Groups(what=self.what, names=self.names, of=self.of[index])

    def name_of(self, sample: int) -> str:
        """The group of a sample, by name."""
        return self.names[int(self.of[sample])]

    @property
    def occurring(self) -> NDArray[np.int64]:
        """Numbers of the groups that have samples, rising."""
        return np.unique(self.of)

    def members(self, group: int) -> NDArray[np.int64]:
        """(n,) numbers of the samples of a group, rising."""
        return np.flatnonzero(self.of == group)


def checked_divisions(divisions: Sequence[Groups], n: int) -> tuple[Groups, ...]:
    """Divisions of `n` samples each, by names of their own.

    Raises:
        ValueError: One is of other samples, or a name repeats or is `CLASS`.
    """
    names = [one.what for one in divisions]
    for one in divisions:
        if len(one.of) != n:
            raise ValueError(f"Expected groups by {one.what!r} of {n} samples but they are of {len(one.of)}")
        if one.what == CLASS or names.count(one.what) > 1:
            raise ValueError(f"Expected columns of groups by other names than {CLASS!r}, each once, not {one.what!r}")
    return tuple(divisions)
