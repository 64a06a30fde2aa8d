"""The strip below the live panel: the harmed and helped samples that Python finds, the new ones first."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from streamlit.testing.v1 import AppTest

from cascade_core import save_run
from cascade_core.analysis.exploration import Split
from cascade_core.panels.strip import MOST
from tests.galleries import component_data, gallery
from tests.opening import unopened
from tests.pages import OUTPUTS, expected
from tests.samples import sample_run

TEST = OUTPUTS.take(Split().test_index(400))
IDS = TEST.sample_ids.tolist()


def naive(position: int) -> dict[str, list[str]]:
    """Ids of harmed and helped samples, the least sure first, by a loop over the test samples."""
    swept = expected()
    test, thresholds = swept.test, swept.path.rule(position).thresholds
    found: dict[str, list[tuple[float, str]]] = {"harmed": [], "helped": []}
    for i in range(test.n):
        stage = next((m for m, least in enumerate(thresholds) if test.confidence[m, i] >= least), len(thresholds))
        right, plain = bool(test.correct[stage, i]), TEST.probs[-1, i].argmax() == test.labels[i]
        if right != plain:
            found["helped" if right else "harmed"].append((float(test.confidence[stage, i]), IDS[i]))
    return {kind: [name for _, name in sorted(pairs, key=lambda pair: pair[0])] for kind, pairs in found.items()}


def groups(app: AppTest) -> dict[str, dict[str, Any]]:
    data = gallery(app, "tiles")
    assert data
    return {group["kind"]: group for group in data["groups"]}


def release(app: AppTest, position: int) -> None:
    """Let the slider go at a position, as a browser says it."""
    app.session_state["live:released"] = {"id": component_data(app, "live")[0]["id"], "index": position}
    app.run()
    assert not app.exception


def opened() -> AppTest:
    app = unopened().run()
    assert not app.exception
    return app


def test_it_shows_what_python_finds(folder: Path) -> None:
    shown, found = groups(opened()), naive(expected().opening)
    assert found["harmed"]
    assert found["helped"]
    for kind, ids in found.items():
        assert [card["id"] for card in shown[kind]["cards"]] == ids[: MOST[kind]]
        assert shown[kind]["total"] == len(ids)
        assert {card["verdict"] for card in shown[kind]["cards"]} == {kind}
        assert not any(card["new"] for card in shown[kind]["cards"])
        assert shown[kind]["title"] == f"{kind.capitalize()} {len(ids)}"


def test_the_new_ones_come_first_and_stay_new_while_the_slider_rests(folder: Path) -> None:
    app, first = opened(), expected().opening
    release(app, 400)
    before, after = naive(first), naive(400)
    known = {name for ids in before.values() for name in ids}
    for _ in range(2):
        shown = groups(app)
        for kind, ids in after.items():
            expected_ids = [*(one for one in ids if one not in known), *(one for one in ids if one in known)]
            tiles = shown[kind]["cards"]
            assert [card["id"] for card in tiles] == expected_ids[: MOST[kind]]
            assert [card["new"] for card in tiles] == [card["id"] not in known for card in tiles]
        app.run()
    assert any(card["new"] for card in shown["harmed"]["cards"])
    new = len(set(after["harmed"]) - known)
    assert shown["harmed"]["title"] == f"Harmed {len(after['harmed'])}, {new} new"


def test_one_stage_loses_nothing(folder: Path) -> None:
    (folder / "mine.parquet").unlink()
    save_run(sample_run(m=1), folder / "one.parquet")
    assert gallery(opened(), "tiles") is None
