"""Links: what is read from an address, what is refused, and what the page writes into it."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from cascade_core import PaperRule, save_run
from cascade_core.analysis.exploration import Split, explore, halves
from cascade_core.panels import address, history, place, state
from cascade_core.panels.linked import links, thresholds, thresholds_text
from tests.opening import opened
from tests.samples import sample_run

KNOWN = links(("mine", "other"), ("explore", "about"))


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CASCADE_CACHE", str(tmp_path))
    save_run(sample_run(), tmp_path / "mine.parquet")
    save_run(sample_run(seed=1), tmp_path / "other.parquet")
    return tmp_path


def written(app: AppTest) -> dict[str, str]:
    """The query that the browser was told to have."""
    return dict(app.session_state[state.WRITTEN.key])


def test_what_fits_is_read() -> None:
    given = {
        "run": "other",
        "view": "about",
        "policy": "paper",
        "answers": "own",
        "seed": "7",
        "at": "0.5",
        "else": "x",
    }
    values, bad = address.parsed({name: [text] for name, text in given.items()}, KNOWN)
    assert values == {"run": "other", "view": "about", "policy": "paper", "answers": "own", "seed": 7, "at": 0.5}
    assert not bad


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("run", "../../etc/passwd", "a run in the list"),
        ("view", "nowhere", "one of explore, about"),
        ("policy", "best", "one of cheapest"),
        ("score", "<b>", "one of max_probability"),
        ("answers", "yes", "one of auto, pooled, own"),
        ("seed", "-1", "a whole number from 0"),
        ("seed", "1e3", "a whole number from 0"),
        ("seed", "٣", "a whole number from 0"),
        ("seed", "9" * 30, "a whole number from 0"),
        ("cost", "euros", "one of MACs, milliseconds, own"),
        ("costs", "{", "costs as JSON"),
        ("price", "much", "a number"),
        ("batch", "0", "a whole number from 1"),
        ("details", "pictures", "one of thresholds, curve"),
        ("at", "nan", "a number"),
        ("at", "much", "a number"),
    ],
)
def test_what_does_not_fit_is_named_and_left_out(name: str, value: str, expected: str) -> None:
    values, (line,) = address.parsed({name: [value]}, KNOWN)
    assert not values
    assert line.startswith(f"expected {name} to be {expected}")
    assert line.endswith(f"but it was {value[:60]!r}")


def test_a_link_shows_what_it_names(cache: Path) -> None:
    app = opened(run="other", policy="paper", seed="5", at="3")
    assert (app.selectbox(key="run").value, app.selectbox(key="policy").value) == ("other", "paper")
    assert app.number_input(key="seed").value == 5
    explored = explore(halves(sample_run(seed=1), Split(seed=5)), PaperRule, Split(seed=5))
    position = int(np.abs(explored.shown - 3).argmin())
    assert app.dataframe[0].value["samples"].tolist() == explored.at(position).exit_counts.tolist()
    assert written(app)["run"] == "other"
    assert float(written(app)["at"]) == pytest.approx(3, abs=0.02)


def test_a_bad_link_falls_back_with_a_notice(cache: Path) -> None:
    app = opened(run="gone", seed="x", at="99")
    assert app.selectbox(key="run").value == "mine"
    (box,) = [text.value.splitlines() for text in app.text if text.value.startswith("expected")]
    assert box == [
        "expected run to be a run in the list (your own goes when its page is reloaded) but it was 'gone'",
        "expected seed to be a whole number from 0 to 2147483647 but it was 'x'",
        "expected at to be from 0 to 5 but it was 99",
    ]
    assert written(app) == {"run": "mine"}
    app.run()
    assert not [text for text in app.text if text.value.startswith("expected")]


def test_the_open_tab_is_in_the_link(cache: Path) -> None:
    app = opened(details="positions")
    assert app.session_state["details"] == "All positions"
    assert len(app.dataframe[0].value) > 100
    assert written(app)["details"] == "positions"
    app.session_state["details"] = "Stages"
    assert written(app.run())["details"] == "stages"
    app.session_state["details"] = "Thresholds"
    assert "details" not in written(app.run())
    other = opened(details="residual")  # the paper's rule alone has that one
    assert "expected details to be a tab that this policy has" in "\n".join(text.value for text in other.text)
    assert "details" not in written(other)
    assert written(opened(details="residual", policy="paper"))["details"] == "residual"


def test_changes_are_written(cache: Path) -> None:
    app = opened()
    app.selectbox(key="policy").select("paper").run()
    app.toggle(key="in_sample").set_value(True).run()
    chosen = {name: text for name, text in written(app).items() if name != "at"}  # the place is kept
    assert chosen == {"run": "mine", "policy": "paper", "in_sample": "1"}


def went_back(app: AppTest, query: str) -> AppTest:
    """What the component does when Back is pressed."""
    app.session_state[state.BACK.key] = query
    app.run()
    assert not app.exception
    return app


def test_back_brings_all_that_its_address_names_and_defaults_for_the_rest(cache: Path) -> None:
    app = opened(run="other", policy="paper", seed="5", at="3")
    went_back(app, "?run=mine&policy=shared&embed=true")
    assert (app.selectbox(key="run").value, app.selectbox(key="policy").value) == ("mine", "shared")
    assert app.number_input(key="seed").value == 0
    assert written(app) == {"run": "mine", "policy": "shared"}
    went_back(app, "?run=other&policy=paper&seed=5&at=3")
    assert written(app)["seed"] == "5"
    assert float(written(app)["at"]) == pytest.approx(3, abs=0.02)


def test_back_to_what_is_gone_says_so(cache: Path) -> None:
    app = went_back(opened(), "?run=gone")
    assert "expected run to be a run in the list (your own goes when its page is reloaded) but it was 'gone'" in [
        text.value for text in app.text
    ]
    assert written(app) == {"run": "mine"}


def test_back_outlives_a_run_that_another_cuts_short(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = opened(details="stages")
    with monkeypatch.context() as cut:
        cut.setattr(place, "kept", lambda shown: st.stop())
        went_back(app, "?run=mine")
    app.session_state["details"] = "Stages"  # as the browser says, which has not been told of another tab
    assert written(app.run()) == {"run": "mine"}
    assert app.session_state["details"] == "Thresholds"
    assert app.session_state[state.BACK.key] is None


def test_values_of_widgets_that_are_not_drawn_stay_in_the_address(cache: Path) -> None:
    app = opened(view="about", policies="paper", at="2")
    assert written(app)["policies"] == "paper"
    app.selectbox(key="score").select("margin").run()
    assert written(app)["policies"] == "paper"


def test_a_tuple_is_a_name_for_each_item_and_empty_once_without_text() -> None:
    many = next(link for link in KNOWN if link.value is state.COMPARED_RUNS)
    for value in ((), ("mine",), ("mine", "other")):
        texts = many.texts_of(value)
        assert address.parsed({"with": texts}, KNOWN) == ({"with": value}, [])
    assert many.texts_of(None) == []


def test_a_query_longer_than_any_link_is_none() -> None:
    assert history.parameters("?run=a&run=b&x=") == {"run": ["a", "b"], "x": [""]}
    assert history.parameters("?run=" + "a" * history.MOST_LETTERS) == {}


def test_thresholds_set_by_hand_come_back_as_they_were() -> None:
    hand = (float(np.float32(0.9235)), math.inf, float(np.float32(0.87)))
    text = thresholds_text(hand)
    assert text == "0.9235,-,0.87"
    assert thresholds(text) == hand
    for bad in ("", "0.9,,", "nan", "0.9;0.8", "inf"):
        with pytest.raises(ValueError, match="numbers or dashes"):
            thresholds(bad)


def test_a_link_sets_thresholds_by_hand(cache: Path) -> None:
    app = opened(run="mine", hand="0.75,-")
    assert written(app) == {"run": "mine", "hand": "0.75,-"}
    app = opened(run="mine", hand="0.75,0.5,0.25")
    assert "expected hand to be 2 thresholds but it was 3" in [text.value for text in app.text]
    assert written(app) == {"run": "mine"}
