"""The line above every view: what network, data and baseline its numbers are of, and what they do not promise."""

from __future__ import annotations

from streamlit.delta_generator import DeltaGenerator

from cascade_core.panels.shown import Shown
from cascade_core.rendering.headline import headline
from cascade_core.rendering.markup import heading
from cascade_core.support import wording


def show(shown: Shown, place: DeltaGenerator, *, named: bool = False, badged: bool = False) -> DeltaGenerator:
    """The line, with a badge where thresholds were set by hand or the same samples judged.

    Args:
        named: With the run and the policy, where nothing else on the page says them.
        badged: Without a badge, because the numbers below have one.
    """
    line = headline(shown.exploration, shown.question.run.origin, shown.question.run.name)
    if named:
        policy = shown.exploration.terms.of(shown.exploration.policy.title)
        line = f"{wording.cut(shown.question.run.name)}, {policy}: {line}"
    badge = "" if badged else wording.badge(shown.exploration.split.in_sample, by_hand=shown.setting.is_by_hand)
    return place.html(heading(line, badge))
