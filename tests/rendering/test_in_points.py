"""Drops in points: bounds on the side on which they claim less, in tables, in LaTeX and on the command line."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from cascade_core import CheapestWithinDrop
from cascade_core.analysis.exploration import Split, explore
from cascade_core.analysis.points import Setting, operating_point
from cascade_core.commands.tables import tell_table
from cascade_core.rendering.in_points import in_points
from cascade_core.rendering.points import points_latex
from tests.samples import sample_record


def test_bounds_are_rounded_outwards_and_estimates_are_left_to_their_format() -> None:
    given = {"accuracy_drop": 0.012345, "drop_low": 0.00129, "drop_high": 0.02121, "drop_certified": 0.04401}
    frame = in_points(pd.DataFrame([{"run": "a", "accuracy": 0.9, **given}, {"run": "b", "drop_certified": np.nan}]))
    first, second = frame.to_dict("records")
    assert [first[name] for name in ("accuracy", "drop_low", "drop_high", "drop_certified")] == [0.9, 0.12, 2.13, 4.41]
    assert first["accuracy_drop"] == pytest.approx(1.2345)
    assert np.isnan(second["drop_certified"])


def test_a_gain_is_bounded_from_the_other_side() -> None:
    frame = in_points(pd.DataFrame([{"drop_low": -0.00731, "drop_high": -0.00129, "drop_certified_alone": -0.00061}]))
    assert frame.iloc[0].tolist() == [-0.74, -0.12, -0.06]


def test_latex_never_claims_more_than_is_known() -> None:
    explored = explore(sample_record(), CheapestWithinDrop, Split(), count=9)
    point = operating_point(Setting(exploration=explored, position=4), run="a")
    low, high = point.evaluation.drop_interval()
    latex = points_latex([point])
    assert f"[{math.floor(1e4 * low) / 100:.2f}, {math.ceil(1e4 * high) / 100:.2f}]" in latex
    assert point.certified is not None
    assert f"{math.ceil(1e4 * point.certified) / 100:.2f}" in latex


def test_the_command_line_writes_the_same_numbers(capsys: pytest.CaptureFixture[str]) -> None:
    tell_table(pd.DataFrame([{"drop_high": 0.02121, "drop_certified_alone": np.nan}]))
    assert capsys.readouterr().out.splitlines()[1].split() == ["2.13", "-"]


def test_names_from_files_are_not_taken_for_drops() -> None:
    given = {"share dropout": 0.25, "threshold drop_1": 0.5, "mean_raindrops": 3.0}
    assert in_points(pd.DataFrame([given])).to_dict("records") == [given]
