"""Cards of samples: the picture, its true class, what the cascade answered, and what later stages would have said."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cascade_core.analysis.samples import Outcomes
from cascade_core.rendering.markup.escaping import text
from cascade_core.rendering.palette import Palette
from cascade_core.support import wording

if TYPE_CHECKING:
    from cascade_core.storage.pictures import Thumbnail

DECIMALS = 5
"""Of a confidence, at most; a card is narrow."""


@dataclass(frozen=True, kw_only=True)
class StageAnswer:
    """One stage's answer to a sample."""

    stage: int
    name: str
    answer: str
    confidence: str
    right: bool


@dataclass(frozen=True, kw_only=True)
class Card:
    """One sample.

    Attributes:
        label: Its true class.
        answers: Of the stage where it exited, and of each later stage.
        verdict: "helped" or "harmed" by leaving early; empty if neither.
        cost: What it has cost.
        picture: None where there is none.
    """

    sample_id: str
    label: str
    answers: tuple[StageAnswer, ...]
    verdict: str
    cost: str
    picture: Thumbnail | None


def cards(
    outcomes: Outcomes,
    index: NDArray[np.int64],
    ids: Sequence[str],
    class_names: Sequence[str],
    pictures: Sequence[Thumbnail | None],
) -> list[Card]:
    """A card for each of the samples at `index` (n,), in that order.

    Args:
        ids: Of all samples of the record.
        class_names: K texts.
        pictures: n, of the samples at `index`.
    """
    record = outcomes.record

    def stage_answer(stage: int, i: int) -> StageAnswer:
        return StageAnswer(
            stage=stage,
            name=record.stages[stage].name,
            answer=class_names[record.predictions[stage, i]],
            confidence=wording.confidence(float(record.confidence[stage, i]), DECIMALS),
            right=bool(record.correct[stage, i]),
        )

    return [
        Card(
            sample_id=ids[i],
            label=class_names[record.labels[i]],
            answers=tuple(stage_answer(stage, i) for stage in range(outcomes.exit_stages[i], len(record.stages))),
            verdict=_verdict(bool(outcomes.right[i]), bool(record.correct[-1, i])),
            cost=f"{wording.macs(int(outcomes.macs[i]))}, {wording.percent(outcomes.macs[i] / record.baseline_macs)}",
            picture=picture,
        )
        for i, picture in zip(index.tolist(), pictures, strict=True)
    ]


def _verdict(right: bool, right_at_the_end: bool) -> str:
    if right == right_at_the_end:
        return ""
    return "helped" if right else "harmed"


def gallery(shown: Iterable[Card], palette: Palette, stages: int) -> str:
    """A list of cards in the colours of `palette`, for a cascade of `stages` stages."""
    ramp = palette.stages(stages)
    style = f"--wrong:{palette.wrong};--line:{palette.staying}"
    items = "".join(f"<li>{_picture(card)}<div>{_words(card)}</div>{_stages(card, ramp)}</li>" for card in shown)
    return f'<ul class="cascade-gallery" style="{style}">{items}</ul>'


def _picture(card: Card) -> str:
    if card.picture is None:
        return ""
    kind = ' class="crisp"' if card.picture.crisp else ""
    return f'<img{kind} src="{card.picture.uri}" alt="{text(card.sample_id)}">'


def _words(card: Card) -> str:
    colour = " wrong" if card.verdict == "harmed" else ""
    verdict = f'<p><span class="verdict{colour}">{card.verdict}</span></p>' if card.verdict else ""
    return (
        f'<p class="label">{text(card.label)}</p>{verdict}<p class="cost">{text(card.cost)}</p>'
        f'<p class="id">{text(card.sample_id)}</p>'
    )


def _stages(card: Card, ramp: Sequence[str]) -> str:
    lines = "".join(_line(one, ramp[one.stage], place == 0) for place, one in enumerate(card.answers))
    return f"<table>{lines}</table>"


def _line(one: StageAnswer, colour: str, left_here: bool) -> str:
    mark = '<td title="right">✓</td>' if one.right else '<td class="wrong" title="wrong">✗</td>'
    return (
        f'<tr class="{"here" if left_here else "later"}" style="--stage:{colour}">'
        f'<td class="stage" title="{text(one.name)}"><bdi>{text(one.name)}</bdi></td>'
        f'<td title="{text(one.answer)}">{text(one.answer)}</td>'
        f"<td>{text(one.confidence)}</td>{mark}</tr>"
    )
