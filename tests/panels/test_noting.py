"""What is odd about a run stands above it, and a run that means nothing is not shown unasked."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from cascade_core import StageOutputs, save_run
from cascade_core.storage.notes import notes_on
from tests.opening import opened
from tests.samples import sample_run

RUN = sample_run(names=["<b>small</b>", "*mid*", "large"])
SHIFTED = RUN.take(np.flatnonzero(RUN.labels < 4))


def shown(run: StageOutputs, folder: Path, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    monkeypatch.setenv("CASCADE_CACHE", str(folder))
    save_run(run, folder / "mine.parquet")
    return opened()


def lines(app: AppTest) -> list[str]:
    return [line for text in app.text for line in text.value.splitlines()]


def test_a_sound_run_is_shown_without_a_word(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = shown(RUN, tmp_path, monkeypatch)
    assert not app.warning
    assert len(app.dataframe)


def test_an_odd_run_is_shown_below_what_is_odd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    odd = replace(RUN, probs=RUN.probs[::-1], source={"notes": ["Rounded: <i>3</i> *decimals*."]})
    app = shown(odd, tmp_path, monkeypatch)
    assert app.warning[0].value == "Look at this before you believe the numbers:"
    assert lines(app)[:2] == list(notes_on(odd))
    assert len(app.dataframe)


def test_a_run_that_means_nothing_is_shown_when_it_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = shown(replace(SHIFTED, labels=SHIFTED.labels + 1), tmp_path, monkeypatch)
    assert "no more often than by chance" in app.warning[0].value
    assert "labels are one too high" in lines(app)[0]
    assert not len(app.dataframe)
    app.button(key="odd").click().run()
    assert not app.exception
    assert "no more often than by chance" in app.warning[0].value
    assert len(app.dataframe)
