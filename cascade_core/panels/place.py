"""One place that is kept while run, policy, score, answers or seed change, so that what they do can be compared.

The place is what the position gave where the user last let go: the slider of whatever else is looked at goes where the
measured drop is nearest to that (or the saving, if the user holds the cost), and back to where it was when the first
question is asked again.  Numbers of before are told until the slider is let go once more.  Thresholds set by hand are
of one question only; what they gave up is kept, like any other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import streamlit as st

from cascade_core.panels import state
from cascade_core.panels.live import Stand, send
from cascade_core.panels.questions import Question
from cascade_core.panels.shown import Shown, shown_now
from cascade_core.rendering.markup import ghost
from cascade_core.simulation.scores import SCORES
from cascade_core.support import wording

HAND_STAYS = "Thresholds set by hand stay with what they were set on; the slider went to about the same {held}."


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where the user let go, and where the panel stands for it now.

    Attributes:
        question: What was looked at when the user let go.
        stand: Where that was.
        value: The slider's value there, in its own unit.
        drop: What it gave up, a fraction.
        saving: What it saved, a fraction, by the meter of then.
        seen: The `id` of the live panel's payload that is looked at now.
        now: Where the panel stands in it.
        words: The numbers that are shown there.
    """

    question: Question
    stand: Stand
    value: float
    drop: float
    saving: float
    seen: str
    now: Stand
    words: str


def kept(shown: Shown) -> Shown:
    """What is shown, at the place of before if something else is looked at now; not where a link says the place."""
    place: Place | None = state.PLACE.get()
    if place is None or state.ARRIVED.get() or place.seen == shown.payload["id"]:
        return shown
    stand = _stand(place, shown)
    send(shown.payload, stand.index, stand.hand)
    here = shown_now(shown.selection)
    words = _words(here)
    if words != place.words:
        lost = HAND_STAYS.format(held=state.HOLD.get()) if place.now.hand is not None and stand.hand is None else ""
        state.BEFORE.set(f"Before: {place.words}. {lost}".strip())
    state.PLACE.set(replace(place, seen=here.payload["id"], now=stand, words=words))
    return here


def _stand(place: Place, shown: Shown) -> Stand:
    """The same stand in the same question; else the nearest by what it gives."""
    values = shown.exploration.shown
    index = place.stand.index
    same = identity(shown.question) == identity(place.question)
    if same and index < len(values) and values[index] == place.value:
        return place.stand
    drops, savings = (np.round(shown.payload[name], 9) for name in ("drop", "saving"))
    if state.HOLD.get() == "cost":
        order = np.lexsort((drops, np.abs(savings - place.saving)))
    else:
        order = np.lexsort((-savings, np.abs(drops - place.drop)))
    return Stand(index=int(order[0]))


def identity(question: Question) -> Mapping[str, object]:
    """What tells questions apart, whatever costs are counted in; a run is the same while its digest is."""
    return vars(question) | {"run": question.run.digest, "meter": None}


def remember(shown: Shown) -> None:
    """Take where the panel stands as the place, if that is where the user let go, or a link led."""
    place: Place | None = state.PLACE.get()
    stand, question = Stand(index=shown.position, hand=shown.setting.by_hand), shown.question
    if place is not None and (place.seen, place.now) == (shown.payload["id"], stand):
        return
    state.BEFORE.set("")
    here = shown.evaluation
    state.PLACE.set(
        Place(
            question=question,
            stand=stand,
            value=float(shown.exploration.shown[shown.position]),
            drop=float(here.accuracy_drop),
            saving=_saving(shown),
            seen=shown.payload["id"],
            now=stand,
            words=_words(shown),
        )
    )


def _saving(shown: Shown) -> float:
    meter, here = shown.selection.meter, shown.evaluation
    return 1 - meter.mean(here) / meter.plain(here)


def _words(shown: Shown) -> str:
    """What is shown, in a line: "91.2 % accuracy, 0.9 points given up, saves 38 % ... with mine, Cheapest"."""
    here, question, exploration = shown.evaluation, shown.question, shown.exploration
    whose = [question.run.name, exploration.terms.of(exploration.policy.title), f"{exploration.answers} answers"]
    whose += [SCORES[question.score].title] if question.score != state.SCORE.default else []
    whose += [f"top {question.top_k}"] if question.top_k > 1 else []
    whose += [f"seed {question.split.seed}"] if question.split.seed else []
    return (
        f"{wording.percent(here.accuracy, 1)} {here.terms.accuracy}, "
        f"{wording.change(here.accuracy_drop, 1, here.terms)}, "
        f"{wording.saving(_saving(shown), shown.selection.meter.noun)} with {', '.join(whose)}"
    )


def before() -> None:
    """The numbers of before; room for a line is always there, so that nothing moves when it comes and goes."""
    st.html(ghost(state.BEFORE.get()))
