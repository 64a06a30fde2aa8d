"""Every chart is drawn as its reference in `drawings/` says, so that a drawing that changes is seen in the diff.

A reference is the chart as plotly is given it, numbers to six digits.  After a change that is meant:
``CASCADE_DRAWINGS=write pytest tests/rendering/figures/test_drawings.py``, and look at the diff.
"""

from __future__ import annotations

import base64
import inspect
import json
import math
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_type_hints

import numpy as np
import plotly.graph_objects as go
import pytest
from plotly.io.json import to_json_plotly

from cascade_core import CheapestWithinDrop, PaperRule
from cascade_core.analysis.classes import confusion
from cascade_core.analysis.exploration import Exploration, Split, explore
from cascade_core.analysis.groups import by_class, evaluate_groups
from cascade_core.analysis.points import Setting
from cascade_core.analysis.positions_seen import PositionsSeen
from cascade_core.analysis.watch_series import WatchSeries
from cascade_core.rendering.axes import confidence_axis
from cascade_core.rendering.figures import classes, network, watched
from cascade_core.rendering.figures import explore as exploring
from cascade_core.rendering.palette import DARK, LIGHT, Palette
from cascade_core.rendering.published import PUBLISHED
from tests.samples import sample_record

REFERENCES = Path(__file__).parent / "drawings"

CLASS_NAMES = ["ant", "bee", "cat", "dog", "eel"]
AXIS = confidence_axis("max_probability", 5)


def swept(policy: type[CheapestWithinDrop] | type[PaperRule] = CheapestWithinDrop) -> Exploration:
    return explore(sample_record(), policy, Split(), count=11)


def residual(palette: Palette) -> go.Figure:
    exploration = swept(PaperRule)
    rule = exploration.path.rule(4)
    return exploring.residual_accuracy_curves(exploration.calibration, rule, 0.04, AXIS, palette)


def group_bars(palette: Palette) -> go.Figure:
    record = sample_record()
    found = evaluate_groups(record, swept().path.rule(5), by_class(record, CLASS_NAMES), None)
    return classes.group_bars(found, found.evaluation.saving, palette)


STAGES = ("early", "<i>middle</i>", "last")


def series() -> WatchSeries:
    """Three pieces of a log over two days, the last of them of other samples."""
    return WatchSeries(
        until=np.array([100, 200, 250]),
        time=np.array([1_764_180_000.0, 1_764_250_000.0, 1_764_350_000.0]),
        exits=np.array([[0.5, 0.3, 0.2], [0.45, 0.35, 0.2], [0.2, 0.3, 0.5]]),
        saving=np.array([0.4, 0.38, 0.2]),
        confidence=np.array([[0.9, 0.8, 0.95], [0.91, 0.8, 0.94], [0.7, np.nan, 0.9]]),
        promised_exits=np.array([0.5, 0.3, 0.2]),
        promised_saving=0.4,
        saving_strays=np.array([0.05, 0.05, 0.07]),
    )


def positions() -> PositionsSeen:
    seen = np.array([0.01, 0.03, 0.06, 0.03])
    return PositionsSeen(
        values=np.array([0.0, 0.5, 1.0]), seen=seen, low=seen / 2, high=seen + 0.01, measured=seen / 1.5, audited=400
    )


SLIDER = CheapestWithinDrop.slider

DRAWINGS: dict[str, Callable[[Palette], go.Figure]] = {
    "group_bars": group_bars,
    "confusion_matrix": lambda p: classes.confusion_matrix(
        confusion(sample_record(), swept().path.rule(5)), CLASS_NAMES, p
    ),
    "confidence_histograms": lambda p: exploring.confidence_histograms(swept().test, swept().path.rule(5), AXIS, p),
    "reliability_curves": lambda p: exploring.reliability_curves(sample_record(), p),
    "residual_accuracy_curves": residual,
    "tradeoff": lambda p: exploring.tradeoff(Setting(exploration=swept(), position=5), p, PUBLISHED[:1]),
    "exits_over_time": lambda p: watched.exits_over_time(series(), STAGES, 220, p),
    "saving_over_time": lambda p: watched.saving_over_time(series(), None, p),
    "confidence_over_time": lambda p: watched.confidence_over_time(
        series(), np.array([0.9, 0.8, 0.95]), STAGES, 220, p
    ),
    "positions_judged": lambda p: watched.positions_judged(positions(), SLIDER, 0.025, p),
    "stage_macs": lambda p: network.stage_macs(sample_record(), p),
}


def rounded(value: Any) -> Any:
    """JSON data with its numbers to six digits, and nothing where a number is none."""
    if isinstance(value, float):
        return None if math.isnan(value) else float(f"{value:.6g}")
    if isinstance(value, dict):
        return {key: rounded(item) for key, item in value.items()}
    return [rounded(item) for item in value] if isinstance(value, list) else value


def described(figure: go.Figure) -> dict[str, Any]:
    """What plotly is given to draw, without its default template; arrays as plain lists."""
    plain = json.loads(to_json_plotly(figure.update_layout(template="none").to_dict(), engine="json"))
    return dict(rounded(decoded(plain)))


def decoded(value: Any) -> Any:
    """The same with plotly's base64 arrays unpacked."""
    if isinstance(value, dict) and value.keys() >= {"dtype", "bdata"}:
        numbers = np.frombuffer(base64.b64decode(value["bdata"]), dtype=value["dtype"])
        shape = [int(n) for n in str(value.get("shape", numbers.size)).split(",")]
        return numbers.reshape(shape).tolist()
    if isinstance(value, dict):
        return {key: decoded(item) for key, item in value.items()}
    return [decoded(item) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("name", DRAWINGS)
def test_a_chart_is_drawn_as_its_reference(name: str, theme: str) -> None:
    drawn = described(DRAWINGS[name]({"light": LIGHT, "dark": DARK}[theme]))
    reference = REFERENCES / f"{name}-{theme}.json"
    if os.environ.get("CASCADE_DRAWINGS") == "write":
        reference.parent.mkdir(exist_ok=True)
        reference.write_text(json.dumps(drawn, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    assert drawn == json.loads(reference.read_text(encoding="utf-8"))


def test_every_chart_has_a_reference() -> None:
    charts = {
        name
        for module in (classes, network, exploring, watched)
        for name, function in inspect.getmembers(module, inspect.isfunction)
        if function.__module__ == module.__name__
        and not name.startswith("_")
        and get_type_hints(function).get("return") is go.Figure
    }
    assert charts == DRAWINGS.keys()
    assert {file.stem for file in REFERENCES.glob("*.json")} == {
        f"{n}-{t}" for n in DRAWINGS for t in ("light", "dark")
    }
