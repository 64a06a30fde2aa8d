"""Operating points: what they take from an exploration, and how settings are put in words."""

from __future__ import annotations

from cascade_core import CheapestWithinDrop, SharedThreshold
from cascade_core.analysis.exploration import Split, explore
from cascade_core.analysis.points import Setting, operating_point
from cascade_core.rendering.points import points_latex, points_table
from tests.samples import sample_record


def test_a_point_is_its_position() -> None:
    explored = explore(sample_record(), CheapestWithinDrop, Split(seed=3), 11)
    point = operating_point(Setting(exploration=explored, position=4), run="mine")
    assert (point.run, point.policy, point.setting) == ("mine", "Cheapest within a drop", "2.0 points")
    assert point.split == Split(seed=3)
    assert point.evaluation.exit_counts.tolist() == explored.at(4).exit_counts.tolist()
    assert explored.certificate is not None
    assert point.certified == explored.certificate[4]


def test_nothing_is_certified_in_sample() -> None:
    explored = explore(sample_record(), CheapestWithinDrop, Split(in_sample=True), 11)
    assert operating_point(Setting(exploration=explored, position=4), run="a").certified is None


def test_bare_confidences_have_no_unit() -> None:
    explored = explore(sample_record(), SharedThreshold, Split(), 11)
    assert "point" not in Setting(exploration=explored, position=5).words


def test_a_point_may_have_a_name_which_tables_then_show() -> None:
    explored = explore(sample_record(), SharedThreshold, Split(), 11)
    points = [operating_point(Setting(exploration=explored, position=4), run="a", name=name) for name in ("mine", "")]
    assert points_table(points)["name"].tolist() == ["mine", ""]
    assert "name" not in points_table(points[1:])
    assert "mine & a" in points_latex(points)
