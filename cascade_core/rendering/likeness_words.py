"""Whether samples look like those that judged a choice, in a sentence."""

from __future__ import annotations

from cascade_core.analysis.likeness import Difference, Likeness
from cascade_core.support.wording import percent

_SIZES = ((0.02, "hardly any"), (0.05, "a small"), (0.15, "a clear"))


def likeness_sentence(found: Likeness) -> str:
    """What two sides of samples have in common, or how far they differ, with the probability of as much by chance."""
    those = "those that measured the choice"
    if found.alike:
        what = "exits and confidences" if found.confidence else "exits"
        return f"These samples look like {those}: {what} differ no more than by chance (p = {found.p:.2g})."
    parts = [f"{percent(found.exits.size)} of the samples leave at another stage, {_size(found.exits)} difference"]
    if found.confidence:
        name, most = max(found.confidence.items(), key=lambda item: item[1].size)
        parts.append(
            f"stage {name} is {'less' if most.rise < 0 else 'more'} sure, {_size(most)} difference (shares of samples "
            f"that are at most so sure differ by up to {percent(most.size)})"
        )
    return f"These samples do not look like {those} (p = {found.p:.2g}, exact): {'; '.join(parts)}."


def _size(difference: Difference) -> str:
    return next((words for most, words in _SIZES if difference.size < most), "a large")
