"""Colours: stages from early (green) to late (violet), and red for wrong answers; the same everywhere.

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
    """

    ramp: tuple[str, ...]
    wrong: str
    staying: str
    wrong_staying: str
    text: str

    def stages(self, count: int) -> tuple[str, ...]:
        """A colour for each of `count` stages, spread over the ramp; beyond eight they repeat evenly."""
        last = len(self.ramp) - 1
        if count == 1:
            return (self.ramp[last],)
        return tuple(self.ramp[round(stage * last / (count - 1))] for stage in range(count))


LIGHT = Palette(
    ramp=("#17a48b", "#0b969c", "#027fa0", "#0571ba", "#2b5bb6", "#3f46a8", "#4b3297", "#521d86"),
    wrong="#cf2340",
    staying="#b6bcc9",
    wrong_staying="#e9a3ad",
    text="#1b2130",
)
DARK = Palette(
    ramp=("#7eecd1", "#5ae0e6", "#40d0f5", "#53b9fb", "#61a3fc", "#758af6", "#8a72ea", "#9d5ed8"),
    wrong="#ff8f87",
    staying="#525a69",
    wrong_staying="#80444a",
    text="#f2f4f8",
)
