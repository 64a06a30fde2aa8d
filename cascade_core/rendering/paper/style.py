"""How a paper's figure looks: width, type, and the words that replace its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cascade_core.support import checks

WIDTHS = {"a column": 3.3, "a page": 6.9}
"""Inches."""

FONTS = {"sans": "DejaVu Sans", "serif": "STIXGeneral"}
"""Fonts that come with matplotlib, so that a figure is the same on every machine."""


@dataclass(frozen=True, kw_only=True)
class Style:
    """Looks of a figure.

    Attributes:
        width: Inches, from 1 to 20.
        size: Of the type, in points, from 4 to 24.
        font: A key of `FONTS`.
        names: What stands in place of a text, by that text.

    Raises:
        ValueError: One of them is not.
    """

    width: float = WIDTHS["a column"]
    size: float = 8.0
    font: str = "sans"
    names: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        checks.in_range("width", self.width, 1.0, 20.0)
        checks.in_range("size", self.size, 4.0, 24.0)
        checks.one_of("font", self.font, tuple(FONTS))

    @property
    def wide(self) -> bool:
        """Whether there is room beside a column's."""
        return self.width > 5.0

    @property
    def parameters(self) -> Any:
        """What matplotlib is set to."""
        thin = 0.075 * self.size
        return {
            "font.family": FONTS[self.font],
            "font.size": self.size,
            "axes.titlesize": self.size,
            "axes.titleweight": "normal",
            "axes.linewidth": thin,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.unicode_minus": True,
            "grid.color": "#dddddd",
            "grid.linewidth": thin,
            "hatch.linewidth": thin,
            "xtick.major.width": thin,
            "ytick.major.width": thin,
            "legend.frameon": False,
            "legend.handlelength": 2.6,
            "lines.linewidth": 0.19 * self.size,
            "text.parse_math": False,
            "pdf.fonttype": 42,
            "svg.fonttype": "path",
            "svg.hashsalt": "cascade_core",
        }
