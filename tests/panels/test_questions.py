"""What is kept of a question: by its run's digest and by each of its fields."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from cascade_core.analysis.exploration import Split
from cascade_core.panels import questions
from cascade_core.panels.questions import Question, explored, payload
from cascade_core.panels.runs import Run
from cascade_core.rendering.published import PUBLISHED
from cascade_core.simulation.meters import MACS, Milliseconds
from cascade_core.simulation.timing import Profile
from cascade_core.storage.schema import run_metadata
from cascade_core.storage.writing import save_run
from tests.samples import sample_run

OUTPUTS = sample_run()


@pytest.fixture
def question(tmp_path_factory: pytest.TempPathFactory) -> Question:
    path = save_run(OUTPUTS, tmp_path_factory.mktemp("cache") / "mine.parquet")
    run = Run(name="mine", digest="1" * 64, metadata=run_metadata(OUTPUTS), path=path)
    return Question(run=run, policy="cheapest", score="max_probability", answers="auto", split=Split())


def test_an_equal_question_is_answered_once(question: Question) -> None:
    # Another listing makes other objects.
    again = replace(question, run=replace(question.run, name="another name"), split=Split())
    assert explored(again) is explored(question)
    assert payload(question, MACS, ()) is payload(replace(question, split=Split()), MACS, ())
    assert payload(again, MACS, ())["name"] == "another name"


@pytest.mark.parametrize(
    "changes",
    [
        {"policy": "paper"},
        {"score": "margin"},
        {"answers": "own"},
        {"split": Split(seed=1)},
        {"split": Split(in_sample=True)},
    ],
)
def test_every_field_makes_it_another(question: Question, changes: dict[str, Any]) -> None:
    other = replace(question, **changes)
    assert explored(other) is not explored(question)
    assert explored(other) is explored(replace(other))


def test_a_replaced_file_makes_it_another(question: Question) -> None:
    other = replace(question, run=replace(question.run, digest="2" * 64))
    assert explored(other) is not explored(question)
    assert questions.sample_ids(other.run) is not questions.sample_ids(question.run)


def profile(seconds: float) -> Profile:
    times: dict[str, Any] = {name: [[seconds]] * 3 for name in ("trunk", "head", "trunk_p95", "head_p95")}
    times |= {name: [3 * seconds] for name in ("plain", "plain_p95")}
    names = tuple(stage.name for stage in OUTPUTS.stages)
    return Profile(stage_names=names, batch_sizes=(1,), circumstances={}, **times)


def test_what_costs_are_counted_in_makes_another_payload(question: Question) -> None:
    one, other = (Milliseconds(profile=profile(seconds), batch=1) for seconds in (0.001, 0.002))
    shown = [payload(question, meter, ()) for meter in (MACS, one, other)]
    shown.append(payload(question, MACS, PUBLISHED[:1]))
    assert len({id(one) for one in shown}) == 4
    assert payload(question, Milliseconds(profile=profile(0.001), batch=1), ()) is shown[1]
