"""A sample's passage as HTML: its verdict, a card for each stage, and the picture.  Drawing only.

Texts from files (class names, stage names) are escaped.  Colours are the palette's; all else follows the page's theme.
A stage that was not reached is drawn dashed and says so in words, so that nothing hangs on colour.
"""

from __future__ import annotations

import html
from collections.abc import Sequence
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from cascade_core.rendering.axes import ConfidenceAxis
from cascade_core.rendering.palette import Palette
from cascade_core.simulation.passages import (
    LEFT,
    NOT_REACHED,
    POOLED_LATER,
    SWITCHED_OFF,
    WENT_ON,
    Passage,
    StagePassage,
    confidence_in_words,
    sure_percent,
)
from cascade_core.storage.pictures import pixel_thumbnail
from cascade_core.support.wording import percent

TOP = 3
"""Classes that are named of each stage."""

_CHIPS = {
    LEFT: "left here",
    WENT_ON: "went on",
    SWITCHED_OFF: "head switched off",
    POOLED_LATER: "pooled later",
    NOT_REACHED: "not reached",
}
_BESIDES = "would have said:"


def passage_html(
    passage: Passage,
    class_names: Sequence[str],
    axis: ConfidenceAxis,
    palette: Palette,
    label: int | None = None,
    costs: Sequence[str] = (),
) -> str:
    """The verdict and a card for each stage.

    Args:
        label: Number of the true class, where it is known.
        costs: M texts on what leaving at each stage costs in another unit than MACs, if that is wanted.
    """
    truth = ""
    if label is not None:
        colour = "inherit" if passage.prediction == label else palette.wrong
        truth = f'<p class="cc-truth" style="color:{colour}">{_text(passage.judged(class_names, label))}</p>'
    cards = "".join(
        _card(passage, number, class_names, axis, colour, costs[number] if costs else "")
        for number, colour in enumerate(palette.stages(len(passage.stages)))
    )
    return (
        f"<style>{_style()}</style>"
        f'<div class="cc-passage"><p class="cc-verdict">{_text(passage.verdict(class_names))}</p>{truth}'
        f'<div class="cc-stages" role="list">{cards}</div></div>'
    )


def picture_html(pixels: NDArray[np.uint8], caption: str, width: int = 128) -> str:
    """A picture (height, width, 3 or 1), enlarged without smoothing or scaled to `width` pixels, with a caption."""
    small = pixel_thumbnail(pixels)
    rendering = "image-rendering:pixelated;" if small.crisp else ""
    return (
        f'<figure style="margin:0"><img alt="{_text(caption)}" src="{small.uri}" '
        f'style="{rendering}width:{width}px;max-width:100%;border-radius:4px;display:block">'
        f'<figcaption style="font-size:0.8rem;opacity:0.75;overflow-wrap:anywhere">{_text(caption)}</figcaption>'
        "</figure>"
    )


def _card(
    passage: Passage, number: int, class_names: Sequence[str], axis: ConfidenceAxis, colour: str, cost: str
) -> str:
    """A stage: its name and state, its confidence against the threshold, its first classes, the cost so far."""
    stage = passage.stages[number]
    state = stage.state.replace(" ", "-")
    chip = f'<span class="cc-chip cc-{state}">{_CHIPS[stage.state]}</span>'
    heading = f'<div class="cc-name"><b>{number + 1}. {_text(stage.name)}</b>{chip}</div>'
    return (
        f'<div role="listitem" class="cc-stage cc-{state}" data-state="{stage.state}" style="--stage:{colour}">'
        f"{heading}"
        f'<div class="cc-sure">{_bar(stage, passage.score, axis)}</div>'
        f'<div class="cc-classes">{_classes(stage, class_names)}</div>'
        f'<div class="cc-macs">{_cost(passage, number, cost)}</div></div>'
    )


def _bar(stage: StagePassage, score: str, axis: ConfidenceAxis) -> str:
    """Confidence as a bar, the threshold as a mark on it, and both in words."""
    if stage.confidence is None:
        return '<span class="cc-quiet">not asked</span>'
    sure, needed = confidence_in_words(score, stage.confidence, stage.threshold)
    never = stage.threshold is not None and needed is None
    words = (
        f"{sure}, needs {needed}" if needed else f"{sure}; {'nothing may leave here' if never else 'always answers'}"
    )
    place = float(axis.place(stage.confidence))
    mark = ""
    if needed is not None and stage.threshold is not None:
        mark = f'<i style="left:{100 * float(axis.place(stage.threshold)):.2f}%"></i>'
    return (
        f'<div class="cc-bar" role="img" aria-label="{_text(words)}">'
        f'<b style="width:{100 * place:.2f}%"></b>{mark}</div>'
        f"<span>{_text(words)}</span>"
    )


def _classes(stage: StagePassage, class_names: Sequence[str]) -> str:
    """The likeliest classes of what it answers, above what it says by itself where that differs."""
    if stage.softmax is None:
        return ""
    rows = "".join(f"<span><em>{_text(class_names[k])}</em> {_text(sure_percent(p))}</span>" for k, p in stage.top(TOP))
    if stage.pooled:
        ((own, p),) = stage.own_top(1)
        itself = f"pooled; by itself {class_names[own]} {sure_percent(p)}"
        rows = f'{rows}<span class="cc-quiet">{_text(itself)}</span>'
    return rows if stage.ran else f'<span class="cc-quiet">{_BESIDES}</span>{rows}'


def _cost(passage: Passage, number: int, cost: str) -> str:
    """What was spent up to a stage, in MACs, below what that is in another unit."""
    macs, share = passage.stages[number].macs, passage.share(number)
    if macs is None or share is None:
        return '<span class="cc-quiet">nothing spent</span>'
    other = f"<span>{_text(cost)}</span>" if cost else ""
    return (
        f'{other}<span>{macs:,} MACs so far</span><span class="cc-quiet">{percent(share)} of the plain network</span>'
    )


def _style() -> str:
    return files("cascade_core.rendering.markup").joinpath("passage_cards.css").read_text(encoding="utf-8")


def _text(text: str) -> str:
    """Escaped; a number stays on one line with its percent sign."""
    return html.escape(text).replace(" %", "&nbsp;%")
