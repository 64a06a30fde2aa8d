"""Operating points as tables: each in the unit that its thresholds were sought for, which headings name."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cascade_core import CheapestWithinDrop
from cascade_core.analysis.exploration import Split, explore
from cascade_core.analysis.points import OperatingPoint, Setting, operating_point
from cascade_core.rendering.points import points_latex, points_table
from cascade_core.simulation.meters import MACS, Meter, Milliseconds
from tests.samples import sample_record
from tests.simulation.test_own_costs import costs
from tests.simulation.test_timing import profile

NAMES = sample_record().stage_names
THREE = {
    "trunk": [[1.0, 1.5, 2.0], [4.0, 6.0, 10.0], [4.0, 6.0, 10.0]],
    "head": np.full((3, 3), 0.1),
    "trunk_p95": np.ones((3, 3)),
    "head_p95": np.ones((3, 3)),
}
CENTS = costs(NAMES)
TIMED = Milliseconds(profile=profile(stage_names=NAMES, **THREE), batch=2)


def point(meter: Meter = MACS) -> OperatingPoint:
    explored = explore(sample_record(), CheapestWithinDrop, Split(), 11, meter=meter)
    return operating_point(Setting(exploration=explored, position=5), run="mine")


def headings(latex: str) -> list[str]:
    return latex.splitlines()[2].removesuffix(r" \\").split(" & ")


@pytest.mark.parametrize(
    ("meter", "cost", "saving", "heading"),
    [
        (CENTS, "mean_cents_per_10", "saving_of_cents_per_10", "mean cents per 10 samples"),
        (
            TIMED,
            "mean_milliseconds_batch_2",
            "saving_of_milliseconds_batch_2",
            "mean milliseconds per sample in batches of 2",
        ),
    ],
)
def test_costs_stand_under_their_unit(meter: Meter, cost: str, saving: str, heading: str) -> None:
    one = point(meter)
    frame, result = points_table([one]), one.evaluation
    assert frame[cost].tolist() == [meter.mean(result)]
    assert frame[saving].tolist() == [1 - meter.mean(result) / meter.plain(result)]
    assert frame["mean_macs"].tolist() == [result.mean_macs]
    latex = points_latex([one])
    assert headings(latex)[-2:] == [heading, r"saved (\%)"]
    assert "MACs" not in latex


def test_points_in_several_units_have_empty_cells() -> None:
    points = [point(), point(CENTS), point(TIMED)]
    frame = points_table(points)
    assert frame["mean_macs"].notna().all()
    assert frame["mean_cents_per_10"].notna().tolist() == [False, True, False]
    assert frame["saving_of_milliseconds_batch_2"].notna().tolist() == [False, False, True]
    lines = points_latex(points).splitlines()
    assert headings("\n".join(lines))[-6::2] == [
        "MACs (k)",
        "mean cents per 10 samples",
        "mean milliseconds per sample in batches of 2",
    ]
    assert headings("\n".join(lines))[-5::2] == [rf"{unit} saved (\%)" for unit in ("MACs", "cents", "milliseconds")]
    empty = [[cell in ("", r" \\") for cell in line.split(" & ")[-6:]] for line in lines[4:7]]
    assert empty == [
        [False] * 2 + [True] * 4,
        [False] * 4 + [True] * 2,
        [False] * 2 + [True] * 2 + [False] * 2,
    ]


@pytest.mark.parametrize(
    ("macs", "heading", "text"),
    [(607, "MACs", "607.0"), (6_070, "MACs (k)", "6.1"), (6_070 * 10**6, "MACs (M)", "6,070.0")],
)
def test_macs_are_told_in_a_size_that_leaves_digits(macs: int, heading: str, text: str) -> None:
    one = point()
    plain = replace(one.evaluation, costs=np.full_like(one.evaluation.costs, macs))
    latex = points_latex([replace(one, evaluation=plain)])
    assert headings(latex)[-2] == heading
    assert f" & {text} & " in latex


def test_a_name_with_drop_in_it_is_no_drop() -> None:
    """Names of units come from users and files."""
    meter = replace(CENTS, unit="drops of oil")
    one = point(meter)
    assert f" & {meter.mean(one.evaluation):.2f} & " in points_latex([one])


def test_a_name_is_printed_and_divides_nothing() -> None:
    names = [r"[1em] a & b \\ 50%_$x$", "*{}~^#", "=1\n+1", "\x1b[2J\u202e"]
    latex = points_latex([replace(point(), run=name) for name in names])
    plain = points_latex([replace(point(), run="mine") for _ in names])
    assert latex.count("\n") == plain.count("\n")
    rows = [line.replace(r"\&", "") for line in latex.splitlines()[4:8]]
    assert [row.count("&") for row in rows] == [line.count("&") for line in plain.splitlines()[4:8]]
    assert not any(row.startswith(("[", "*")) for row in rows)
    assert r"{}[1em] a \& b \textbackslash{}\textbackslash{} 50\%\_\$x\$ &" in latex
    assert r"\textbackslash{}x1b[2J\textbackslash{}u202e &" in latex
