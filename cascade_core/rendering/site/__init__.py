"""A site of runs: a page with pickers for run and policy, and a script for each run that lies beside it.

It needs no server and asks nothing of any network: a page that was opened from disk may not fetch, but it may load
scripts.  A run's script holds the live panel's payloads of all policies and their reports, deflated, as base64.
Policies whose answers are the same share one set of samples, cut at the thresholds of all of them.  Like a report it
holds no softmax, label or id, and what comes from files is escaped.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from html import escape
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cascade_core.analysis.exploration import Exploration
from cascade_core.analysis.points import Setting
from cascade_core.rendering.axes import confidence_axis
from cascade_core.rendering.comparison import comparison_css
from cascade_core.rendering.comparison.data import DASHES
from cascade_core.rendering.cost_words import mean_title
from cascade_core.rendering.headline import headline
from cascade_core.rendering.live.data import live_data, packed, words
from cascade_core.rendering.markup import badge_css
from cascade_core.rendering.modules import bundled
from cascade_core.rendering.published import published_on
from cascade_core.rendering.report import details
from cascade_core.rendering.report.pieces import document, file, piece, script_json
from cascade_core.storage.origin import Origin

SOURCE = "../site/site.html"

POSITIONS = 201
"""Of a slider: half as many as on the dashboard, for half the size."""

DIGITS = 9
"""Significant ones of fractions and costs, far more than are shown."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Listed:
    """A run of the site.

    Attributes:
        name, sha256: Of its file.
        source: Its metadata on where it comes from.
        classes: How many there are.
        explorations: One for each policy, over the same samples.
    """

    name: str
    sha256: str
    source: Mapping[str, Any]
    classes: int
    explorations: Sequence[Exploration]

    @property
    def kind(self) -> str:
        """What it is listed under."""
        return Origin.of(self.source).list_kind

    @property
    def script(self) -> str:
        """Name of its script, another where its bytes or its name are others."""
        return f"run-{sha256(f'{self.sha256} {self.name}'.encode()).hexdigest()[:12]}.js"


def site_page(runs: Sequence[Listed], opened: str, title: str) -> str:
    """The site's page, ``index.html``.

    Args:
        runs: At least one.
        opened: Name of the run that it opens on.
    """
    policies = {e.policy.name: e.policy.title for run in runs for e in run.explorations}
    index = {"scripts": {run.name: run.script for run in runs}, "dashes": DASHES}
    body = piece("page", SOURCE).substitute(
        title=escape(title),
        runs=_shelves(runs, opened),
        others=_shelves(runs, ""),
        policies="".join(_option(name, text) for name, text in policies.items()),
        index=script_json(index),
    )
    style = comparison_css() + file("report.css") + badge_css() + file("../site/site.css")
    return document(title, body, style=style, script=bundled("site/site.js"), beside=True)


def run_script(run: Listed) -> str:
    """The script that hands a run's payloads and reports to the page."""
    text = json.dumps(_held(run), allow_nan=False, separators=(",", ":"))
    engine = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    deflated = engine.compress(text.encode()) + engine.flush()
    return f'cascadeRun("{run.script}", "{base64.b64encode(deflated).decode("ascii")}");\n'


def _shelves(runs: Sequence[Listed], chosen: str) -> str:
    """The options of a picker of runs, by kind."""
    ordered = sorted(runs, key=lambda run: (run.kind, run.name))
    return "".join(
        piece("shelf", SOURCE).substitute(
            kind=escape(kind), options="".join(_option(run.name, run.name, chosen=run.name == chosen) for run in found)
        )
        for kind, found in groupby(ordered, key=lambda run: run.kind)
    )


def _option(value: str, text: str, *, chosen: bool = False) -> str:
    selected = piece("selected", SOURCE).template if chosen else ""
    return piece("option", SOURCE).substitute(value=escape(value), text=escape(text), selected=selected)


def _held(run: Listed) -> dict[str, Any]:
    """Samples by whose answers they have; and of each policy its payload, number of samples and report."""
    shared: dict[int, list[Exploration]] = {}
    for exploration in run.explorations:
        shared.setdefault(id(exploration.test), []).append(exploration)
    samples: list[Any] = [None] * len(shared)
    payloads, reports = {}, {}
    for exploration in run.explorations:
        number = list(shared).index(id(exploration.test))
        data = packed(_payload(run, exploration, _thresholds(shared[id(exploration.test)])))
        setting = Setting(exploration=exploration, position=exploration.opening)
        name = exploration.policy.name
        run_named = {"name": run.name, "sha256": run.sha256}
        reports[name] = details(setting, data, run=run_named, source=run.source)
        groups = data["groups"]
        if groups is not None:
            samples[number] = {**groups, "brought": []}  # the page fills in the thresholds of all that share them
        payloads[name] = {
            **_shorter({**data, "groups": None}),
            "shared": None if groups is None else number,
            "headline": headline(exploration, Origin.of(run.source), run.name),
            "promise": exploration.terms.of(exploration.policy.promise),
            "title": exploration.terms.of(exploration.policy.title),
            "axes": {
                "shares": mean_title(exploration.meter, shares=True),
                "costs": mean_title(exploration.meter),
            },
        }
    return {"samples": samples, "payloads": payloads, "reports": reports}


def _thresholds(explorations: Sequence[Exploration]) -> list[list[float]]:
    """All rules that are counted from the same samples, (rules, M-1)."""
    alike: list[NDArray[np.float32]] = [e.path.thresholds for e in explorations if not e.path.by_class]
    return np.unique(np.concatenate(alike), axis=0).tolist() if alike else []


def _payload(run: Listed, exploration: Exploration, brought: list[list[float]]) -> dict[str, Any]:
    origin, test = Origin.of(run.source), exploration.test
    return live_data(
        exploration,
        confidence_axis(test.score, run.classes, test.confidence),
        initial=exploration.opening,
        published=published_on(origin.dataset, test.reference),
        meter=exploration.meter,
        name=run.name,
        brought=brought,
        **words(origin, run.name),
    )


def _shorter(value: Any) -> Any:
    """JSON data with `DIGITS` significant digits."""
    if isinstance(value, dict):
        return {key: _shorter(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_shorter(one) for one in value]
    return float(f"{value:.{DIGITS}g}") if isinstance(value, float) else value
