"""What is shown of samples: pictures, true classes, what the cascade and the plain network answered, and how surely.

A card is of one sample.  Cards stand in groups; `gallery_data` makes of them the JSON data that ``gallery.js`` draws.
Texts from files are cut where they are endless, and stay texts.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cascade_core.analysis.samples import Outcomes
from cascade_core.rendering.palette import Palette
from cascade_core.storage.pictures import Thumbnail
from cascade_core.support import wording
from cascade_core.support.terms import LABELS, Terms

DECIMALS = 5
"""Of a confidence, at most; a card is narrow."""

LONGEST = 200
"""Letters of a name that are shown."""

LONGEST_STAGE = 33
"""Letters of a stage's name in an answer's line; about two lines of a card."""

PLAIN = "plain"
"""Name of the plain network, where there is little room."""


@dataclass(frozen=True, kw_only=True)
class StageAnswer:
    """An answer to a sample.

    Attributes:
        stage: Whose it is; None of the plain network.
        name: Of the stage.
    """

    stage: int | None
    name: str
    answer: str
    confidence: str
    right: bool


@dataclass(frozen=True, kw_only=True)
class Card:
    """One sample.

    Attributes:
        label: Its true class.
        answers: Of the stage where it left, and of each later stage.
        plain: What the plain network answers.
        pooled: Whether the last stage answers with more than its own softmax, so that it is not the plain network.
        verdict: "helped" or "harmed" by leaving early; empty if neither.
        cost: What it has cost.
        picture: None where there is none.
        new: Whether it is helped or harmed since the slider moved last.
    """

    sample_id: str
    label: str
    answers: tuple[StageAnswer, ...]
    plain: StageAnswer
    pooled: bool
    verdict: str
    cost: str
    picture: Thumbnail | None
    new: bool = False


@dataclass(frozen=True, kw_only=True)
class Group:
    """Cards under a heading.

    Attributes:
        kind: Of all its samples, a name in `analysis.samples.KINDS`.
        title: Its heading; without one its cards stand by themselves.
        total: Samples of the kind; more than there are cards are to be seen elsewhere.
        words: What the heading means, or why there are no cards.
    """

    kind: str
    cards: Sequence[Card]
    title: str = ""
    total: int = 0
    words: str = ""


def cards(
    outcomes: Outcomes,
    index: NDArray[np.int64],
    ids: Sequence[str],
    class_names: Sequence[str],
    pictures: Sequence[Thumbnail | None],
    costs: Sequence[str],
    new: NDArray[np.bool_] | None = None,
) -> list[Card]:
    """A card for each of the samples at `index` (n,), in that order.

    Args:
        ids, pictures: n, of the samples at `index`.
        class_names: K texts.
        costs: M texts, what a sample has cost that leaves at each stage.
        new: (n,) which of them are helped or harmed since the slider moved last; None = not known of any.
    """
    record = outcomes.record
    fresh = np.zeros(len(index), dtype=bool) if new is None else new

    def stage_answer(stage: int, i: int) -> StageAnswer:
        confidence, prediction = record.confidence[stage, i], record.predictions[stage, i]
        right, name = record.correct[stage, i], record.stages[stage].name
        return _answer(stage, name, class_names[prediction], confidence, right)

    def plain_answer(i: int) -> StageAnswer:
        answer = class_names[record.baseline_predictions[i]]
        return _answer(None, PLAIN, answer, record.baseline_confidence[i], record.baseline_correct[i])

    return [
        Card(
            sample_id=sample_id,
            label=class_names[record.labels[i]],
            answers=tuple(stage_answer(stage, i) for stage in range(outcomes.exit_stages[i], len(record.stages))),
            plain=plain_answer(i),
            pooled=record.pool is not None,
            verdict=_verdict(bool(outcomes.right[i]), bool(record.baseline_correct[i])),
            cost=costs[outcomes.exit_stages[i]],
            picture=picture,
            new=bool(is_new),
        )
        for i, sample_id, picture, is_new in zip(index.tolist(), ids, pictures, fresh, strict=True)
    ]


def _answer(stage: int | None, name: str, answer: str, confidence: float, right: bool) -> StageAnswer:
    words = wording.confidence(float(confidence), DECIMALS)
    return StageAnswer(stage=stage, name=name, answer=answer, confidence=words, right=bool(right))


def _verdict(right: bool, plain_right: bool) -> str:
    if right == plain_right:
        return ""
    return "helped" if right else "harmed"


def gallery_data(
    look: str, groups: Iterable[Group], palette: Palette, stages: int, terms: Terms = LABELS
) -> dict[str, Any]:
    """What ``gallery.js`` draws, in the colours of `palette`, for a cascade of `stages` stages.

    Args:
        look: "cards", with every later stage's answer, or "tiles", which are small.
    """
    ramp = palette.stages(stages)
    return {
        "look": look,
        "wrong": palette.wrong,
        "line": palette.staying,
        "groups": [
            {
                "kind": group.kind,
                "title": group.title,
                "total": group.total,
                "words": group.words,
                "cards": [_card(card, ramp, terms) for card in group.cards],
            }
            for group in groups
        ],
    }


def _card(card: Card, ramp: Sequence[str], terms: Terms) -> dict[str, Any]:
    answers = [*card.answers, card.plain] if card.pooled else list(card.answers)
    picture = card.picture
    return {
        "id": card.sample_id,
        "name": _cut(card.sample_id),
        "label": _cut(card.label),
        "truth": f"{terms.label} {_cut(card.label)}",
        "verdict": card.verdict,
        "fate": terms.of(card.verdict),
        "cost": card.cost,
        "new": card.new,
        "picture": None if picture is None else {"uri": picture.uri, "crisp": picture.crisp},
        "answers": [_line(one, ramp, terms) for one in answers],
        "plain": _line(card.plain, ramp, terms),
    }


def _line(one: StageAnswer, ramp: Sequence[str], terms: Terms) -> dict[str, Any]:
    return {
        "stage": one.stage,
        "name": _cut(one.name),
        "short": _shortened(one.name),
        "answer": _cut(one.answer),
        "confidence": one.confidence,
        "right": one.right,
        "verdict": terms.right if one.right else terms.wrong,
        "colour": None if one.stage is None else ramp[one.stage],
    }


def _shortened(name: str) -> str:
    """A name with its middle left out if it has more than `LONGEST_STAGE` letters: names may differ at either end."""
    half = (LONGEST_STAGE - 1) // 2
    return name if len(name) <= LONGEST_STAGE else f"{name[:half]}…{name[-half:]}"


def _cut(text: str) -> str:
    """What has more than `LONGEST` letters is cut, which an ellipsis tells."""
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
