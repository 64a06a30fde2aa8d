"""Slides of pinned points, of any runs: one HTML file that is stepped through by keys, and printed a slide a page.

Like the report it asks nothing of any network, and what comes from files is escaped.  The curves are drawn by the room
of paper figures, which is imported when slides are made.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

from cascade_core.analysis.points import Setting
from cascade_core.rendering.cost_words import against, cost_sentences
from cascade_core.rendering.headline import headline
from cascade_core.rendering.markup import badge_css, badged
from cascade_core.rendering.modules import bundled
from cascade_core.rendering.report.pieces import Cell, Row, document, file, piece, table
from cascade_core.rendering.report.words import threshold
from cascade_core.rendering.tables import exits_table
from cascade_core.simulation.bounds import CERTAINTY, COVERAGE
from cascade_core.simulation.meters import spent
from cascade_core.storage.origin import Origin
from cascade_core.support import wording
from cascade_core.support.terms import Terms

SOURCE = "slides.html"


@dataclass(frozen=True, kw_only=True, eq=False)
class Stop:
    """What a slide shows.

    Attributes:
        name: Its title.
        run: Name of the run.
        origin: Where the run comes from.
    """

    name: str
    run: str
    origin: Origin
    setting: Setting


def slides(stops: Sequence[Stop]) -> str:
    """The text of an HTML file with a slide for each of `stops`, at least one.

    Raises:
        ValueError: There is none.
    """
    if not stops:
        raise ValueError("Expected at least one pinned point to make slides of but there was none")
    each = "\n".join(_slide(stop, number, len(stops)) for number, stop in enumerate(stops, 1))
    body = piece("slides", SOURCE).substitute(slides=each)
    style = file("slides.css") + badge_css()
    return document(stops[0].name, body, style=style, script=bundled("report/slides.js"))


def _slide(stop: Stop, number: int, count: int) -> str:
    exploration = stop.setting.exploration
    in_sample, accuracy = exploration.split.in_sample, wording.capital(exploration.terms.accuracy)
    title = exploration.terms.of(exploration.policy.title)
    line = f"{headline(exploration, stop.origin, stop.run)}. {title}, {stop.setting.described}."
    half = (
        "measured on the samples that chose the thresholds"
        if in_sample
        else "measured on samples that chose no threshold"
    )
    if stop.setting.is_by_hand:
        half = "thresholds set by hand on the samples that measure them"
    _, *costs = cost_sentences(exploration.meter, stop.setting.evaluation) or [""]  # the first is among the numbers
    return piece("slide", SOURCE).substitute(
        number=number,
        count=count,
        name=escape(stop.name),
        badge=badged(wording.badge(in_sample, by_hand=stop.setting.is_by_hand)),
        line=escape(line),
        numbers="".join(_numbers(stop.setting)),
        thresholds=_thresholds(stop.setting),
        measured=escape(" ".join([f"{stop.run}, {half}.", *costs])),
        about=escape(f"{accuracy} against {exploration.meter.noun} of {stop.run}, with the chosen point."),
        curve=_curve(stop.setting),
    )


def _numbers(setting: Setting) -> Iterator[str]:
    """The numbers of a slide: value, what it is, and what it is measured against."""
    result, meter = setting.evaluation, setting.exploration.meter
    low, high = result.drop_interval()
    terms = result.terms
    interval = f"{COVERAGE} interval {wording.interval(low, high, 2, terms)}"
    numbers = [
        (
            wording.percent(result.accuracy, 1),
            terms.accuracy,
            f"plain network {wording.percent(result.full_accuracy, 1)}",
        ),
        (wording.fixed(abs(100 * result.accuracy_drop), 2), _kind(result.accuracy_drop, terms), interval),
        (wording.percent(spent(meter, result)["saving"], 1), f"of the {meter.noun} saved", against(meter, result)),
    ]
    if setting.certified is not None:
        most = wording.outward(100 * setting.certified, 2, up=True)
        what = f"{_kind(most, terms)}, {'at most' if most >= 0 else 'at least'}"
        numbers.insert(2, (wording.fixed(abs(most), 2), what, f"{CERTAINTY} sure, everywhere on the slider"))
    for value, what, note in numbers:
        yield piece("number", SOURCE).substitute(value=escape(value), what=escape(what), note=escape(note))


def _kind(drop: float, terms: Terms) -> str:
    return f"points {terms.gained if drop < 0 else terms.given_up}"


def _thresholds(setting: Setting) -> str:
    """A row a stage: from which confidence on samples leave, how many do, and how many of them are right."""
    columns = [
        Cell(text="stage"),
        Cell(text="leaves at"),
        Cell(text="share"),
        Cell(text=setting.evaluation.terms.right),
    ]
    rows = []
    for one in exits_table(setting.rule, setting.evaluation).to_dict("records"):
        right = "–" if one["accuracy"] != one["accuracy"] else wording.percent(one["accuracy"], 1)
        cells = [threshold(one["threshold"]) or "always answers", wording.percent(one["share"], 1), right]
        rows.append(Row(heading=str(one["stage"]), cells=[Cell(text=text) for text in cells]))
    return table("Thresholds", columns, rows)


def _curve(setting: Setting) -> str:
    from cascade_core.rendering import paper

    draw = paper.curve(setting.exploration, setting.evaluation)
    return base64.b64encode(paper.written(draw, paper.Style(width=6.9, size=11), "svg")).decode("ascii")
