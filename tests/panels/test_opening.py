"""What a click opens: the samples that it stands for, in *Samples*, or one of them in *Try it*."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cascade_core.analysis.classes import most_confused
from cascade_core.analysis.sample_filter import SampleFilter, pick
from cascade_core.analysis.samples import outcomes
from cascade_core.panels import opening, state
from cascade_core.panels.runs import Run
from cascade_core.rendering.axes import BINS, confidence_axis
from cascade_core.storage.schema import run_metadata
from tests.galleries import shown_cards
from tests.opening import unopened
from tests.pages import NAMES, OUTPUTS, expected, view

STAGES = OUTPUTS.record().stage_names


RUN = Run(name="mine", digest="d", metadata=run_metadata(OUTPUTS), held=OUTPUTS)


@pytest.fixture
def follow(monkeypatch: pytest.MonkeyPatch) -> Callable[[Any], dict[str, Any]]:
    """What the session remembers after a click, but for defaults."""

    def follow(clicked: Any) -> dict[str, Any]:
        session: dict[str, Any] = {}
        monkeypatch.setattr("cascade_core.panels.state.st.session_state", session)
        opening.follow(RUN, clicked)
        values = (*state.FILTERS, state.VIEW, state.SAMPLE)
        return {one.key: one.get() for one in values if one.get() != one.default}

    return follow


Follow = Callable[[Any], dict[str, Any]]


@pytest.mark.parametrize(
    ("clicked", "remembered"),
    [
        ({"kind": "sample", "id": "cat/0001.png"}, {"view": "try", "sample": "cat/0001.png"}),
        ({"kind": "samples", "of": "helped"}, {"view": "samples", "kind": "helped"}),
        ({"kind": "stage", "stage": 1}, {"view": "samples", "left": STAGES[1]}),
        (
            {"kind": "bin", "stage": 1, "from": 0.5, "to": 0.75},
            {
                "view": "samples",
                "sure_at": STAGES[1],
                "least_sure": 0.5,
                "most_sure": float(np.nextafter(np.float32(0.75), np.float32(0))),
            },
        ),
        (
            {"kind": "bin", "stage": 2, "from": 0.5, "to": None},
            {"view": "samples", "sure_at": STAGES[2], "least_sure": 0.5},
        ),
    ],
)
def test_a_click_sets_what_the_other_view_shows(
    clicked: dict[str, Any], remembered: dict[str, Any], follow: Follow
) -> None:
    assert follow(clicked) == remembered


@pytest.mark.parametrize(
    "clicked",
    [
        None,
        "sample",
        {"kind": "sample"},
        {"kind": "samples", "of": "nonsense"},
        {"kind": "stage", "stage": 3},
        {"kind": "stage", "stage": -1},
        {"kind": "bin", "stage": 0, "from": "low", "to": 1},
    ],
)
def test_what_is_no_click_opens_nothing(clicked: Any, follow: Follow) -> None:
    assert follow(clicked) == {}


def test_a_bin_opens_the_samples_that_its_bar_counts(follow: Follow) -> None:
    swept, axis = expected(), confidence_axis("max_probability", len(NAMES))
    found = outcomes(swept.test, swept.path.rule(swept.opening))
    ends = [axis.low, *axis.edges.tolist(), None]
    for stage in range(3):
        reaching = found.exit_stages >= stage
        bars = np.bincount(axis.bins(found.record.confidence[stage, reaching]), minlength=BINS)
        for bin, count in enumerate(bars):
            after = follow({"kind": "bin", "stage": stage, "from": ends[bin], "to": ends[bin + 1]})
            low, high = after.get("least_sure", -np.inf), after.get("most_sure", np.inf)
            assert len(pick(found, SampleFilter(at=stage, low=low, high=high), ())) == count


def test_opened_samples_are_shown_and_named_in_the_address(folder: Path) -> None:
    swept = expected()
    (mistake,) = most_confused(swept.test, swept.path.rule(swept.opening), count=1)
    label, answer = NAMES[mistake.label], NAMES[mistake.answer]
    app = view("groups")
    app.session_state["label"] = label
    app.session_state["answer"] = answer
    app.session_state["view"] = "samples"
    app.run()
    assert not app.exception
    pairs = [(card["label"], card["answers"][0]["answer"]) for card in shown_cards(app)]
    assert pairs == [(label, answer)] * mistake.count
    assert {("label", label), ("answer", answer)} <= set(app.session_state["address:written"])


def test_a_link_shows_the_samples_that_it_names(folder: Path) -> None:
    app = unopened()
    for name, value in {"view": "samples", "kind": "wrong", "left": STAGES[1], "label": "none"}.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception
    shown = shown_cards(app)
    assert {(card["answers"][0]["name"], card["answers"][0]["right"]) for card in shown} == {(STAGES[1], False)}
    assert any("expected label to be" in text.value for text in app.text)
