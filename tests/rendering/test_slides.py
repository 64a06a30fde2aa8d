"""Slides of pinned points: one for each, of any runs, with their own numbers, and names as text."""

from __future__ import annotations

import base64
import re

import pytest

from cascade_core import CheapestWithinDrop, PaperRule
from cascade_core.analysis.exploration import Split, explore
from cascade_core.analysis.points import Setting
from cascade_core.rendering.report.slides import Stop, slides
from cascade_core.storage.origin import Origin
from tests.samples import sample_record

HOSTILE = '<script>alert("1")</script>'


def stop(name: str, *, run: str = "mine", by_hand: tuple[float, ...] | None = None, in_sample: bool = False) -> Stop:
    policy = PaperRule if run == "other" else CheapestWithinDrop
    exploration = explore(sample_record(seed=len(run)), policy, Split(in_sample=in_sample), 31)
    setting = Setting(exploration=exploration, position=12, by_hand=by_hand)
    return Stop(name=name, run=run, origin=Origin.of({"title": "Ours."}), setting=setting)


def test_a_slide_for_each_stop_across_runs() -> None:
    stops = [stop("first"), stop("second", run="other"), stop("third", by_hand=(0.9, float("inf")))]
    text = slides(stops)
    parts = text.split('<section class="slide"')[1:]
    assert len(parts) == 3
    for part, one in zip(parts, stops, strict=True):
        result = one.setting.evaluation
        assert one.name in part
        judged = "measured on samples that chose no threshold"
        if one.setting.is_by_hand:
            judged = "thresholds set by hand on the samples that measure them"
        assert f"{one.run}, {judged}." in part
        assert f"<dd>{100 * result.accuracy:.1f} %</dd>" in part
        assert f"<dd>{100 * result.saving:.1f} %</dd>" in part
        for share in result.exit_shares:
            assert f"<td>{100 * share:.1f} %</td>" in part
        drawing = base64.b64decode(re.findall(r"base64,([\w+/=]+)", part)[0]).decode()
        assert "<svg" in drawing
        assert "<text" not in drawing
    assert "set by hand" in parts[2]
    assert "certif" not in parts[2]
    assert "sure, everywhere on the slider" in parts[0]
    assert "sure, everywhere" not in parts[2]


def test_in_sample_numbers_carry_a_badge() -> None:
    assert 'class="cascade-badge">in-sample' in slides([stop("x", in_sample=True)])


def test_nothing_is_fetched_and_names_are_text() -> None:
    text = slides([stop(HOSTILE, run=HOSTILE)])
    assert HOSTILE not in text
    assert text.count("<script") == 1
    assert not re.findall(r'(?:src|href)="(?!data:)', text)
    assert "default-src 'none'" in text


def test_no_stops_no_slides() -> None:
    with pytest.raises(ValueError, match="at least one pinned point"):
        slides([])
