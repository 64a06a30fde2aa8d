"""Figures of classes and of the network draw what was counted."""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np
import pytest

from cascade_core import ExitRule, Record
from cascade_core.analysis.classes import confusion
from cascade_core.analysis.groups import Grouped, by_class, evaluate_groups
from cascade_core.rendering.figures.classes import MOST_BARS, confusion_matrix, group_bars
from cascade_core.rendering.figures.network import stage_macs
from cascade_core.rendering.palette import DARK, LIGHT, Palette
from cascade_core.support import wording
from tests.oracle import f32
from tests.samples import sample_record, sample_run

RULE = ExitRule(thresholds=f32(0.6, 0.6))
NAMES = ["ant", "<b>bee</b>", "cat", "dog", "eel"]


def grouped(names: Sequence[str] = NAMES, record: Record | None = None) -> Grouped:
    record = record or sample_record()
    return evaluate_groups(record, RULE, by_class(record, names), None)


def test_bars_are_sorted_by_drop_with_their_intervals() -> None:
    found = grouped().evaluation
    drop, saved = group_bars(grouped(), found.saving, LIGHT).data
    order = np.argsort(-found.accuracy_drop, kind="stable")
    assert list(drop.x) == (100 * found.accuracy_drop[order]).tolist()
    assert list(saved.x) == (100 * found.saving[order]).tolist()
    low, high = found.drop_interval()
    np.testing.assert_allclose(np.add(drop.x, drop.error_x.array), 100 * high[order])
    np.testing.assert_allclose(np.subtract(drop.x, drop.error_x.arrayminus), 100 * low[order])
    worst = order[0]
    ends = wording.interval(float(low[worst]), float(high[worst]), 2)
    assert drop.customdata[0].endswith(f"{wording.change(float(found.accuracy_drop[worst]), 2)}, 95 % interval {ends}")


def test_of_many_classes_those_with_the_largest_drop_are_drawn() -> None:
    many = grouped([str(i) for i in range(60)], sample_record(n=2000, k=60))
    found = many.evaluation
    figure = group_bars(many, found.saving, DARK)
    assert len(figure.data[0].x) == MOST_BARS
    assert figure.data[0].x[0] == 100 * found.accuracy_drop.max()


def test_the_matrix_holds_every_sample_once() -> None:
    counts = confusion(sample_record(), RULE)
    right, wrong, marks = confusion_matrix(counts, NAMES, LIGHT).data
    assert np.nansum(right.z) == counts.trace()
    assert np.nansum(wrong.z) == counts.sum() - counts.trace()
    assert np.isnan(right.z).sum() == 20
    assert np.isnan(wrong.z).sum() == 5
    assert {(label, answer) for label, answer in zip(marks.y, marks.x, strict=True)} == set(
        zip(*np.nonzero(counts), strict=True)
    )
    assert wrong.text[0][1] == (str(counts[0, 1]) if counts[0, 1] else "")


def test_a_matrix_without_samples_is_drawn() -> None:
    assert json.loads(confusion_matrix(np.zeros((3, 3), dtype=np.int64), NAMES[:3], DARK).to_json())


def test_macs_are_stacked_behind_one_another() -> None:
    record = sample_record()
    trunk, head = stage_macs(record, LIGHT).data
    # Trunk pieces of 1000, 2000, 3000 and heads of 70, of a plain network of 6070.
    np.testing.assert_allclose(trunk.base, np.array([0, 1070, 3140]) * 100 / 6070)
    np.testing.assert_allclose(trunk.x, np.array([1000, 2000, 3000]) * 100 / 6070)
    np.testing.assert_allclose(head.base, np.array([1000, 3070, 6140]) * 100 / 6070)
    np.testing.assert_allclose(head.x, np.array([70] * 3) * 100 / 6070)
    assert tuple(trunk.marker.color) == LIGHT.stages(3)
    assert head.customdata[0][1] == "70 MACs"


@pytest.mark.parametrize("palette", [LIGHT, DARK])
def test_names_are_shown_to_the_letter(palette: Palette) -> None:
    record = sample_run(names=["<b>bold</b>", "a & b", "plain"]).record()
    found = grouped(record=record)
    for figure, name in (
        (group_bars(found, found.evaluation.saving, palette), "bee"),
        (confusion_matrix(confusion(record, RULE), NAMES, palette), "bee"),
        (stage_macs(record, palette), "bold"),
    ):
        assert f"<b>{name}" not in str(figure.to_dict())
        assert f"&lt;b&gt;{name}" in str(figure.to_dict())


def test_long_names_are_cut_beside_the_axes_and_whole_where_one_points() -> None:
    names = ["a name that is far too long to stand beside it", *NAMES[1:]]
    found = grouped(names)
    matrix = confusion_matrix(confusion(sample_record(), RULE), names, LIGHT)
    for axis in (matrix.layout.xaxis, matrix.layout.yaxis):
        assert axis.ticktext[0] == "a name that is far too …"
        assert axis.ticktext[1] == "&lt;b&gt;bee&lt;/b&gt;"
    assert any(text.startswith(names[0]) for text in matrix.data[-1].customdata)
    bars = group_bars(found, found.evaluation.saving, LIGHT)
    assert "a name that is far too …" in bars.layout.yaxis.ticktext
    assert any(text.startswith(f"{names[0]}: ") for text in bars.data[0].customdata)
    # What stands below the cells is as high as its letters are long.
    short = confusion_matrix(confusion(sample_record(), RULE), ["a"] * 5, LIGHT)
    assert matrix.layout.height - short.layout.height == round(6.5 * 24) - round(6.5)
