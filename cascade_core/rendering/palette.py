"""Colours: stages from early (green) to late (violet), red for wrong answers, and others for runs; the same everywhere.

Hue and lightness change together along the ramp, so that order and neighbours survive colour-blind
eyes and grey print.  The live panel's style sheet holds the same values; a test compares them.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Palette:
    """Colours against one background.

    Attributes:
        ramp: Eight stage colours, from early to late.
        wrong: Wrong answers among the samples that leave.
        staying: Samples that go on.
        wrong_staying: Wrong answers among the samples that go on.
        text: Flags and axes' names.
        runs: Eight colours of runs that are compared, none of them near a stage's; they are read as text too.
    """

    ramp: tuple[str, ...]
    wrong: str
    staying: str
    wrong_staying: str
    text: str
    runs: tuple[str, ...]

    def stages(self, count: int) -> tuple[str, ...]:
        """A colour for each of `count` stages, spread over the ramp; beyond eight they repeat evenly."""
        last = len(self.ramp) - 1
        if count == 1:
            return (self.ramp[last],)
        return tuple(self.ramp[round(stage * last / (count - 1))] for stage in range(count))


LIGHT = Palette(
    ramp=("#10a58b", "#01969d", "#0387a9", "#016fb8", "#2a5ab4", "#3e45a7", "#493096", "#4e1981"),
    wrong="#d3263f",
    staying="#b6bcc9",
    wrong_staying="#e9a3ad",
    text="#1b2130",
    runs=("#b45309", "#b5179e", "#4d7c0f", "#4b5563", "#9d174d", "#8a6d00", "#6b3f1d", "#14532d"),
)
DARK = Palette(
    ramp=("#77edd1", "#4be0e4", "#36cff5", "#4fbafe", "#64a5fe", "#788efd", "#8d75f0", "#9e5bda"),
    wrong="#ff6f6c",
    staying="#525a69",
    wrong_staying="#7d3c41",
    text="#f2f4f8",
    runs=("#ff9f4a", "#f48be0", "#a8d65c", "#b3bac6", "#ffb3d1", "#f2d03d", "#d9a577", "#5cb377"),
)
