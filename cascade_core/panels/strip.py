"""What is lost, in pictures: samples that the cascade harms and helps where the slider rests, the new ones first.

Harmed samples are answered wrong where they leave though the plain network is right, helped ones the other way round.
New is what was neither where the slider rested before.  `analysis` says which they are, `rendering.gallery` draws them.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cascade_core.analysis.sample_filter import SampleFilter, newly_first, pick
from cascade_core.analysis.samples import Outcomes, outcomes
from cascade_core.panels import questions, state
from cascade_core.panels.charts import palette
from cascade_core.panels.gallery import gallery
from cascade_core.panels.pictures import pictures
from cascade_core.panels.shown import Shown
from cascade_core.rendering.cost_words import leaving
from cascade_core.rendering.gallery import Group, cards, gallery_data
from cascade_core.support.terms import LABELS

MEANINGS = {
    "harmed": "Wrong where they leave here; the plain network is right.",
    "helped": "Right where they leave here; the plain network is wrong.",
}
NONE = {
    "harmed": "No test sample is wrong here that the plain network has right.",
    "helped": "No test sample is right here that the plain network has wrong.",
}
CHANGED = "Answered otherwise where they leave here than at the last stage."
UNCHANGED = "No test sample is answered otherwise here than at the last stage."
"""The same where there are no labels."""

MOST = {"harmed": 6, "helped": 4}
"""Tiles of each kind."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Rest:
    """Where the slider rested, and what was so there.

    Attributes:
        samples: What names the test samples: numbers of others mean nothing here.
        place: What names the thresholds.
        changed: Numbers of the samples that were harmed or helped.
        before: The same where it rested before that; of the first place, its own.
    """

    samples: Hashable
    place: Hashable
    changed: NDArray[np.int64]
    before: NDArray[np.int64]


def strip(shown: Shown) -> None:
    """Tiles of harmed and helped samples; a click opens one in *Try it*, or all of a kind in *Samples*."""
    found = outcomes(shown.exploration.test, shown.rule)
    before = _rest(shown, found).before
    kinds = MOST if found.record.reference == "labels" else ("harmed",)
    groups = [_group(shown, found, kind, before) for kind in kinds]
    stages, terms = len(found.record.stages), found.record.terms
    gallery(shown.question.run, gallery_data("tiles", groups, palette(), stages, terms), state.STRIP)


def _rest(shown: Shown, found: Outcomes) -> Rest:
    """Where the slider rests now, which is remembered."""
    question, last = shown.question, state.RESTED.get()
    samples = (question.run.digest, question.split)
    place = (shown.payload["id"], shown.rule.thresholds.tobytes())
    known = last is not None and last.samples == samples
    if known and last.place == place:
        return last
    changed = np.flatnonzero(found.harmed | found.helped)
    rest = Rest(samples=samples, place=place, changed=changed, before=last.changed if known else changed)
    state.RESTED.set(rest)
    return rest


def _group(shown: Shown, found: Outcomes, kind: str, before: NDArray[np.int64]) -> Group:
    run, terms = shown.question.run, found.record.terms
    whole, new = newly_first(pick(found, SampleFilter(kind=kind, order="least sure"), ()), before)
    index, total = whole[: MOST[kind]], len(whole)
    ids, numbers = questions.sample_ids(run), shown.question.split.test_index(len(questions.sample_ids(run)))
    names = [ids[numbers[i]] for i in index]
    small, costs = pictures(run, names).thumbnails, leaving(shown.exploration.meter, shown.evaluation)
    return Group(
        kind=kind,
        title=f"{terms.of(kind).capitalize()} {total:,}" + (f", {new.sum():,} new" if new.any() else ""),
        words=(MEANINGS[kind] if total else NONE[kind]) if terms is LABELS else (CHANGED if total else UNCHANGED),
        total=total,
        cards=cards(found, index, names, run.metadata["class_names"], small, costs, new[: len(index)]),
    )
