"""The sheet that a figure is drawn on, and the file that is made of it.

matplotlib's settings belong to the whole process, so that one figure is drawn at a time.
"""

from __future__ import annotations

import io
import math
import re
import textwrap
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import matplotlib
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.legend import Legend

from cascade_core.rendering.paper.style import Style
from cascade_core.support import checks

FORMATS = ("pdf", "svg", "png")

DOTS = 600
"""Of a PNG, an inch, for print."""

LETTER = 0.55
"""Width of a letter, of the size of the type."""

MARK = 6
"""Letters that a mark of the key takes, and the space beside it."""

_DRAWING = threading.Lock()
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Sheet:
    """A figure in the making: what is drawn on, what it says, and its key below.

    Attributes:
        said: The texts that were asked for, in order, before they are replaced.
    """

    def __init__(self, style: Style) -> None:
        self.style = style
        layout = ConstrainedLayoutEngine(w_pad=0.02, h_pad=0.02, hspace=0.02)
        self.figure = Figure(figsize=(style.width, style.width), layout=layout)
        self.said: list[str] = []
        self._key: list[tuple[Artist, str]] = []

    def say(self, text: str) -> str:
        """The text, or what the style has in its place."""
        if text not in self.said:
            self.said.append(text)
        return _NOT_XML.sub("", self.style.names.get(text, text))

    def plots(self, rows: int, height: float) -> list[Axes]:
        """Plots one below the other that share an axis of confidence or cost, `height` inches together."""
        self.figure.set_figheight(height)
        return list(self.figure.subplots(rows, 1, sharex=True, squeeze=False)[:, 0])

    def explain(self, mark: Artist, text: str) -> None:
        """An entry of the key: what a mark stands for."""
        self._key.append((mark, self.say(text)))

    def finish(self) -> None:
        """Put the key below the plots, in as many columns as fit, and make room for it."""
        if not self._key:
            return
        columns = min(range(min(4, len(self._key)), 0, -1), key=self._height_of_key)
        height = self._height_of_key(columns)
        self._legend(columns)
        self.figure.set_figheight(self.figure.get_figheight() + height)

    def fitting(self, inches: float) -> int:
        """How many letters fit into a width, about."""
        return max(8, int(72 * inches / (LETTER * self.style.size)))

    def _height_of_key(self, columns: int) -> float:
        """Inches; infinite if the key is too wide, unless it cannot be less so."""
        legend = self._legend(columns)
        canvas: Any = FigureCanvasAgg(self.figure)
        size = legend.get_window_extent(canvas.get_renderer())
        legend.remove()
        fits = columns == 1 or size.width <= 0.98 * self.figure.bbox.width
        return size.height / self.figure.dpi if fits else math.inf

    def _legend(self, columns: int) -> Legend:
        letters = max(8, self.fitting(self.style.width / columns) - MARK)
        marks = [mark for mark, _ in self._key]
        words = [textwrap.fill(text, letters, max_lines=3, placeholder="…") for _, text in self._key]
        spacing = {"columnspacing": 1.0, "labelspacing": 0.3, "borderaxespad": 0.2, "handletextpad": 0.6}
        return self.figure.legend(marks, words, loc="outside lower center", ncols=columns, **spacing)


def cut(text: str, letters: int) -> str:
    """A text of at most so many letters; of a longer one the beginning."""
    return text if len(text) <= letters else f"{text[: letters - 1]}…"


Draw = Callable[[Sheet], None]
"""Something to draw."""


def written(draw: Draw, style: Style, form: str, dots: int = DOTS) -> bytes:
    """A figure as a file.

    Args:
        form: One of `FORMATS`.  A PDF embeds its fonts, an SVG holds outlines, a PNG has `dots` an inch.

    Raises:
        ValueError: There is no such format, or the style replaces a text that the figure has not.
    """
    checks.one_of("format", form, FORMATS)
    with _drawn(draw, style) as sheet:
        for text in style.names:
            if text not in sheet.said:
                known = ", ".join(f"“{one}”" for one in sheet.said)
                raise ValueError(f"Expected a text of this figure to replace but it was “{text}”; it has {known}")
        file = io.BytesIO()
        undated = {"pdf": {"CreationDate": None}, "svg": {"Date": None}}.get(form, {})
        sheet.figure.savefig(file, format=form, dpi=dots, metadata=undated)
        return file.getvalue()


def texts(draw: Draw) -> list[str]:
    """The texts of a figure that a style may replace."""
    with _drawn(draw, Style()) as sheet:
        return sheet.said


@contextmanager
def _drawn(draw: Draw, style: Style) -> Iterator[Sheet]:
    with _DRAWING, matplotlib.rc_context(style.parameters):
        sheet = Sheet(style)
        draw(sheet)
        sheet.finish()
        yield sheet
