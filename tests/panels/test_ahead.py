"""What is answered before it is asked: for whom, when, and kept where the page looks."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path
from queue import SimpleQueue
from threading import Event

import pytest

from cascade_core import save_run
from cascade_core.analysis.exploration import Split
from cascade_core.panels import ahead, private, questions
from cascade_core.panels.questions import Question
from cascade_core.panels.runs import Run, list_runs
from cascade_core.policies import SWEEPS
from cascade_core.simulation.meters import MACS
from tests.opening import opened
from tests.samples import sample_run

WAIT = 30.0


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Run]:
    monkeypatch.setenv("CASCADE_CACHE", str(tmp_path))
    for seed, name in enumerate("abc"):
        save_run(sample_run(seed=seed), tmp_path / f"{name}.parquet")
    return list_runs()[0]


def question(run: Run) -> Question:
    return Question(run=run, policy="cheapest", score="max_probability", answers="auto", split=Split(seed=0))


def test_questions_are_answered_one_after_the_other(runs: list[Run]) -> None:
    answered: SimpleQueue[Question] = SimpleQueue()
    asked = [question(run) for run in runs]
    ahead.Ahead(answered.put, quiet=0.0).ask(asked)
    assert [answered.get(timeout=WAIT) for _ in asked] == asked


def test_new_questions_take_the_place_of_those_that_wait(runs: list[Run]) -> None:
    first, second, third = (question(run) for run in runs)
    begun, go_on = Event(), Event()
    answered: SimpleQueue[Question] = SimpleQueue()

    def slowly(asked: Question) -> None:
        begun.set()
        assert go_on.wait(WAIT)
        answered.put(asked)

    worker = ahead.Ahead(slowly, quiet=0.0)
    worker.ask([first, second])
    assert begun.wait(WAIT)
    worker.ask([third])
    go_on.set()
    assert [answered.get(timeout=WAIT) for _ in range(2)] == [first, third]
    assert answered.empty()


def test_what_a_page_opens_with_is_answered_when_the_server_starts(
    runs: list[Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    ahead.open()
    monkeypatch.setattr(questions, "explore", lambda *_, **__: pytest.fail("It was answered before"))
    monkeypatch.setattr(questions, "live_data", lambda *_, **__: pytest.fail("It was answered before"))
    assert not opened().error


def test_a_server_starts_without_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CASCADE_CACHE", str(tmp_path / "none"))
    ahead.open()


def test_nothing_begins_while_somebody_is_at_work(runs: list[Run]) -> None:
    answered = Event()
    worker = ahead.Ahead(lambda _: answered.set(), quiet=3600.0)
    worker.ask([question(runs[0])])
    worker.wait()
    assert not answered.wait(0.2)


def test_a_question_without_an_answer_is_passed_over(runs: list[Run]) -> None:
    answered: SimpleQueue[Question] = SimpleQueue()
    first, second, _ = (question(run) for run in runs)

    def refuse(asked: Question) -> None:
        if asked == first:
            raise ValueError("no policy for this run")
        answered.put(asked)

    ahead.Ahead(refuse, quiet=0.0).ask([first, second])
    assert answered.get(timeout=WAIT) == second


def test_the_page_finds_what_was_answered(
    runs: list[Run], caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = Event()

    def answer(asked: Question) -> None:
        questions.explored(asked)
        done.set()

    worker = ahead.Ahead(answer, quiet=0.0)
    with caplog.at_level(logging.WARNING):
        worker.ask([question(runs[0])])
        assert done.wait(WAIT)
    assert not caplog.records
    monkeypatch.setattr(questions, "explore", lambda *_, **__: pytest.fail("It was answered before"))
    assert questions.explored(question(runs[0])).path.positions.size


def test_other_runs_that_are_small_and_then_other_policies(runs: list[Run], monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[list[Question]] = []
    monkeypatch.setattr(ahead._AHEAD, "ask", asked.append)
    shown, other, large = runs
    yours = replace(other, path=None, held=sample_run(seed=9), digest="of yours")
    ahead.prepare(question(shown), [*runs, yours])
    assert not asked  # there is no server
    monkeypatch.setattr(private, "session_id", lambda: "somebody")
    ahead.prepare(replace(question(shown), top_k=2), runs)
    assert not asked
    ahead.prepare(question(shown), [*runs, yours])
    policies = [replace(question(shown), policy=name) for name in SWEEPS if name != "cheapest"]
    assert asked.pop() == [question(other), question(large), *policies]
    ahead.prepare(question(yours), [*runs, yours])
    assert asked.pop() == [question(run) for run in runs]
    monkeypatch.setattr(ahead, "LARGEST", other.softmax_bytes - 1)
    ahead.prepare(question(shown), runs)
    assert all(one.run.softmax_bytes < other.softmax_bytes for one in asked.pop())
    assert question(shown).meter == MACS
