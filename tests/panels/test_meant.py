"""How a file is meant is said on the page, and holds for that file alone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cascade_core import save_run
from tests.panels.uploading import MINE, bring, npz, page, shown_names, texts
from tests.samples import sample_run


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache folder with one run, `shipped`."""
    monkeypatch.setenv("CASCADE_CACHE", str(tmp_path))
    save_run(sample_run(), tmp_path / "shipped.parquet")
    return tmp_path


def test_a_file_is_read_as_it_is_meant(cache: Path) -> None:
    raw = npz(
        replace(MINE, labels=MINE.labels), macs=[1_000_000, 3_000_000, 7_000_000], stage_names=["large", "mid", "small"]
    )
    app = page()
    bring(app, "mine.npz", raw)
    assert app.session_state["own_runs"][0].run.stage_names == ("large", "mid", "small")
    app.toggle(key="own_meant").set_value(True).run()
    app.text_input(key="own_stages").set_value("a, b, c")
    app.checkbox(key="own_macs_up_to").set_value(True)
    app.button(key="own:anew").click().run()
    assert not app.exception
    (own,) = app.session_state["own_runs"]
    assert own.run.stage_names == ("a", "b", "c")
    assert [stage["trunk_macs"] for stage in own.run.metadata["stages"]] == [1_000_000, 2_000_000, 4_000_000]
    assert shown_names(app) == ["shipped", "mine (yours)"]
    app.text_input(key="own_macs").set_value("ten")
    app.button(key="own:anew").click().run()
    assert "Expected a number of MACs, such as 40550000, 10M or 1.2G, but it was 'ten'" in texts(app)
    assert app.selectbox(key="run").value == "mine"


def test_labels_from_one_are_mended_where_they_are_seen(cache: Path) -> None:
    kept = MINE.take(np.flatnonzero(MINE.labels < 4))
    app = page()
    bring(app, "mine.npz", npz(replace(kept, labels=kept.labels + 1), macs=[10**7] * 3))
    assert "labels are one too high" in texts(app)
    assert not len(app.dataframe)
    app.toggle(key="own_meant").set_value(True).run()
    app.checkbox(key="own_labels_from_one").set_value(True)
    app.button(key="own:anew").click().run()
    assert not app.exception
    assert "labels are one too high" not in texts(app)
    assert len(app.dataframe)


def test_what_is_said_of_one_file_is_not_said_of_the_next(cache: Path) -> None:
    app = page()
    app.toggle(key="own_meant").set_value(True).run()
    app.checkbox(key="own_macs_up_to").set_value(True)
    app.text_input(key="own_baseline").set_value("5M")
    bring(app, "first.npz", npz(MINE, macs=[1_000_000, 3_000_000, 7_000_000]))
    bring(app, "second.npz", npz(sample_run(n=600, seed=4), macs=[10_000_000, 20_000_000, 40_000_000]))
    first, second = (own.run.metadata["stages"] for own in app.session_state["own_runs"])
    assert [stage["trunk_macs"] for stage in first] == [1_000_000, 2_000_000, 4_000_000]
    assert [own.run.metadata["baseline_macs"] for own in app.session_state["own_runs"]] == [5_000_000, 70_000_000]
    assert [stage["trunk_macs"] for stage in second] == [10_000_000, 20_000_000, 40_000_000]
    assert not app.toggle(key="own_meant").value
