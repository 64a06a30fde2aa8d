"""Costs of the user's own on the page: carried by a run or named by a link, and the price of a mistake."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from cascade_core.panels import costs, state
from cascade_core.panels.costs import PLAIN, _described, _frame
from cascade_core.panels.runs import Run
from cascade_core.storage.costs import costs_path, parse_costs, save_costs
from cascade_core.storage.schema import run_metadata
from tests.opening import opened
from tests.panels.test_address import written
from tests.panels.test_sidebar import OUTPUTS, captions, run
from tests.simulation.test_own_costs import costs as made

NAMES = tuple(stage.name for stage in OUTPUTS.stages)
TYPED = json.dumps({"unit": "joules", "stages": dict.fromkeys(NAMES, 1), "plain": 4})

__all__ = ["run"]


def texts(app: AppTest) -> str:
    return " ".join(text.value for text in app.text)


def test_costs_beside_a_run_are_what_costs_are_counted_in(run: Path) -> None:
    save_costs(made(NAMES), costs_path(run))
    app = opened(cost="own")
    assert "cents per 10 samples, where the plain network costs 5" in texts(app)
    assert "Of this: device" in texts(app)
    assert written(app)["cost"] == "own"


def test_a_link_names_costs_that_were_typed(run: Path) -> None:
    save_costs(made(NAMES), costs_path(run))
    app = opened(cost="own", costs=TYPED, policy="budget")
    assert "joules per sample, where the plain network costs 4" in texts(app)
    assert json.loads(written(app)["costs"])["unit"] == "joules"


def test_without_costs_they_are_macs_until_some_are_typed(run: Path) -> None:
    app = opened(cost="own")
    assert "Until you say what stages cost, costs are in MACs." in captions(app)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"unit": "x", "stages": {"a": 1}, "plain": 1}', "Your costs do not fit this run, and are not used:"),
        ('{"unit": "x", "stages": {}}', "Your costs do not fit this run, and are not used:"),
    ],
)
def test_costs_that_do_not_fit_the_run_are_named(run: Path, text: str, words: str) -> None:
    app = opened(cost="own", costs=text)
    assert words in captions(app)


def test_costs_beside_a_run_that_cannot_be_read_are_named(run: Path) -> None:
    costs_path(run).write_text("{}", encoding="utf-8")
    app = opened(cost="own")
    assert "The costs beside this run cannot be used:" in captions(app)
    assert "mine.costs.json" in texts(app)


def test_a_price_puts_the_slider_at_its_optimum(run: Path) -> None:
    save_costs(made(NAMES), costs_path(run))
    dear, free = opened(cost="own", price="1000000"), opened(cost="own", price="0")
    assert "for a wrong answer: " in texts(dear)
    assert float(written(dear).get("at", "1")) < float(written(free).get("at", "1"))


@pytest.mark.parametrize("text", ["", "5", "[", "[1]", "{" + " " * costs.MAX_TEXT + "}"])
def test_a_link_s_costs_are_checked(text: str) -> None:
    with pytest.raises(ValueError, match="costs as JSON"):
        costs.checked(text)


def test_what_is_typed_is_what_files_have() -> None:
    one = Run(name="mine", digest="1" * 64, metadata=run_metadata(OUTPUTS), held=OUTPUTS)
    frame = _frame(one, made(NAMES))
    assert list(frame.index) == [*NAMES, PLAIN]
    assert frame.to_numpy()[-1].tolist()[1:] == [0.5, 4.5]
    assert parse_costs(_described("cents", 10, frame), NAMES) == made(NAMES)
    assert _frame(one, None).isna().to_numpy().all()
    whole = made(NAMES, stages=({"": 1}, {"": 2}, {"": 3}), plain_parts={"": 4})
    assert _frame(one, whole)["device"].tolist() == [1, 2, 3, 4]


def test_stages_called_like_formulas_are_none_in_the_table_and_come_back() -> None:
    names = ("=1+1", "'@b", "c")
    stages = tuple(replace(stage, name=name) for stage, name in zip(OUTPUTS.stages, names, strict=True))
    one = Run(name="mine", digest="1" * 64, metadata=run_metadata(replace(OUTPUTS, stages=stages)), held=OUTPUTS)
    frame = _frame(one, made(names))
    assert list(frame.index) == ["'=1+1", "''@b", "c", PLAIN]
    assert parse_costs(_described("cents", 10, frame), names) == made(names)


def test_the_unit_is_remembered_from_run_to_run(run: Path) -> None:
    save_costs(made(NAMES), costs_path(run))
    app = opened(cost="own")
    assert app.segmented_control(key=state.COST.key).value == "own"
    app.segmented_control(key=state.COST.key).set_value("MACs").run()
    assert not app.exception
    assert "cost" not in written(app)
