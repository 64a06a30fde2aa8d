"""Figures for papers: fonts are inside, sizes are as asked, grey is enough, and names are text."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from dataclasses import replace
from io import BytesIO
from itertools import combinations
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pytest
from matplotlib.colors import to_rgb
from PIL import Image

from cascade_core import BestWithinBudget, CheapestWithinDrop, PaperRule
from cascade_core.analysis.exploration import Exploration, Split, explore, halves
from cascade_core.policies.base import Sweep
from cascade_core.rendering.axes import BINS, confidence_axis
from cascade_core.rendering.comparison.data import Curve
from cascade_core.rendering.paper import Draw, Sheet, Style, comparison, curve, exits, histograms, texts, written
from cascade_core.rendering.paper.histograms import LAYERS, layers
from cascade_core.rendering.published import PUBLISHED
from cascade_core.simulation.meters import along
from tests.samples import sample_record, sample_run
from tests.simulation.test_own_costs import costs

AXIS = confidence_axis("max_probability", 5)
HOSTILE = "_a$x^2$ <b>&amp;--> \x0b\\frac %"


def swept(policy: type[Sweep] = CheapestWithinDrop, **more: Any) -> Exploration:
    return explore(sample_record(**more), policy, Split(), 31)


def of(run: str, exploration: Exploration) -> Curve:
    return Curve(run=run, exploration=exploration, meter=exploration.meter)


def charts(exploration: Exploration, run: str = "mine") -> dict[str, Draw]:
    other = explore(sample_record(seed=1), PaperRule, Split(), 31)
    return {
        "curve": curve(exploration, exploration.at(12), PUBLISHED[:1]),
        "exits": exits(exploration.at(12)),
        "histograms": histograms(exploration.test, exploration.path.rule(12), AXIS),
        "comparison": comparison([of(run, exploration), of("other", other)], PUBLISHED[:1]),
    }


def drawn(draw: Draw) -> Sheet:
    sheet = Sheet(Style())
    draw(sheet)
    return sheet


@pytest.mark.parametrize("name", ["curve", "exits", "histograms", "comparison"])
@pytest.mark.parametrize(("width", "font"), [(3.3, "sans"), (6.9, "serif")])
def test_fonts_are_inside_and_widths_as_asked(name: str, width: float, font: str) -> None:
    draw, style = charts(swept())[name], Style(width=width, font=font)
    pdf = written(draw, style, "pdf")
    assert pdf.startswith(b"%PDF-")
    embedded, named = pdf.count(b"/FontFile2"), len(re.findall(rb"/Type /FontDescriptor", pdf))
    assert embedded == named > 0
    assert b"/Type3" not in pdf
    box = re.search(rb"/MediaBox \[ ?([\d. ]+) ?\]", pdf)
    assert box is not None
    assert float(box[1].split()[2]) == pytest.approx(72 * width, abs=0.1)
    svg = written(draw, style, "svg").decode()
    root = ET.fromstring(svg)
    assert "<text" not in svg
    assert "font-family" not in svg
    assert float(root.attrib["width"].removesuffix("pt")) == pytest.approx(72 * width, abs=0.1)
    with Image.open(BytesIO(written(draw, style, "png"))) as image:
        assert image.width == pytest.approx(600 * width, abs=1)


def test_equal_figures_are_equal_files() -> None:
    draw = charts(swept())["curve"]
    for form in ("pdf", "svg", "png"):
        assert written(draw, Style(), form) == written(draw, Style(), form)


def test_settings_of_others_stay() -> None:
    before = dict(matplotlib.rcParams)
    written(charts(swept())["exits"], Style(font="serif", size=12), "svg")
    assert dict(matplotlib.rcParams) == before


def test_texts_are_replaced() -> None:
    draw = charts(swept())["curve"]
    said = texts(draw)
    assert {"plain network", "oracle", "chosen", "cascade", "accuracy, %"} <= set(said)
    style = Style(names={"plain network": "ResNet-56", "accuracy, %": "right"})
    svg = written(draw, style, "svg").decode()
    assert "<!-- ResNet-56 -->" in svg
    assert "<!-- right -->" in svg
    assert "<!-- plain network -->" not in svg
    with pytest.raises(
        ValueError, match=r"Expected a text of this figure to replace but it was “plane”; it has .*“oracle”"
    ):
        written(draw, Style(names={"plane": "x"}), "svg")


def test_names_are_text_and_nothing_else() -> None:
    exploration = explore(halves(sample_run(names=[HOSTILE, "$", "c" * 150]), Split()), CheapestWithinDrop, Split(), 31)
    for draw in charts(exploration, HOSTILE).values():
        for form in ("svg", "pdf"):
            assert written(draw, Style(), form)
        ET.fromstring(written(draw, Style(), "svg"))
    names = [text.get_text() for text in drawn(charts(exploration, HOSTILE)["exits"]).figure.axes[0].get_xticklabels()]
    assert names[0].startswith("_a$x^2$ <b>&am")
    assert names[1] == "$"


@pytest.mark.parametrize(("argument", "value"), [("width", 0.5), ("width", 21), ("size", 3), ("font", "Comic Sans")])
def test_styles_are_checked(argument: str, value: Any) -> None:
    with pytest.raises(ValueError, match=f"Expected {argument} to be"):
        Style(**{argument: value})


def test_formats_are_checked() -> None:
    with pytest.raises(ValueError, match="Expected format to be one of pdf, svg, png but it was 'gif'"):
        written(charts(swept())["exits"], Style(), "gif")


def ends(line: Any) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in line.get_xydata()]


def test_the_curve_is_the_exploration() -> None:
    exploration = swept()
    result, chosen, plain = exploration.evaluation, exploration.at(12), exploration.test.baseline_macs
    lines = [ends(line) for line in drawn(charts(exploration)["curve"]).figure.axes[0].get_lines()]
    singles = sorted(line[0] for line in lines if len(line) == 1)
    expected = [(plain, chosen.full_accuracy), (exploration.oracle.mean_macs, exploration.oracle.accuracy)]
    expected.append((chosen.mean_macs, chosen.accuracy))
    assert np.array(singles) == pytest.approx(np.array(sorted((100 * x / plain, 100 * y) for x, y in expected)))
    path = np.array(sorted(zip(result.mean_macs * 100 / plain, 100 * result.accuracy, strict=True)))
    assert np.array(sorted(lines[0])) == pytest.approx(path)
    assert len(lines[2]) == len(PUBLISHED[0].points)


def test_curves_are_drawn_against_what_was_sought_for() -> None:
    record = sample_record()
    meter = costs(record.stage_names)
    exploration = explore(record, CheapestWithinDrop, Split(), 31, meter=meter)
    result, chosen = exploration.evaluation, exploration.at(12)
    draw = curve(exploration, chosen, PUBLISHED[:1])
    axes = drawn(draw).figure.axes[0]
    assert axes.get_xlabel() == "mean cents, % of the plain network"
    lines = [ends(line) for line in axes.get_lines()]
    assert np.array(sorted(lines[0])) == pytest.approx(
        np.array(sorted(zip(100 * along(meter, result) / 5, 100 * result.accuracy, strict=True)))  # 5 cents for ten
    )
    assert (100 * meter.mean(chosen) / 5, 100 * chosen.accuracy) in [line[0] for line in lines if len(line) == 1]
    assert not [text for text in texts(draw) if text.startswith("published")]


def test_networks_that_differ_are_compared_in_the_unit_itself() -> None:
    record = sample_record()
    double = replace(record, baseline_macs=2 * record.baseline_macs)
    meter = costs(record.stage_names)
    one, other = (explore(each, CheapestWithinDrop, Split(), 31, meter=meter) for each in (record, double))
    axes = drawn(comparison([of("one", one), of("other", other)])).figure.axes[0]
    assert axes.get_xlabel() == "mean cents per 10 samples"
    expected = sorted(zip(along(meter, one.evaluation), 100 * one.evaluation.accuracy, strict=True))
    assert np.array(sorted(ends(axes.get_lines()[0]))) == pytest.approx(np.array(expected))
    alike = drawn(comparison([of("one", one), of("two", one)], PUBLISHED[:1]))
    assert alike.figure.axes[0].get_xlabel() == "mean cents, % of the plain network"
    with pytest.raises(ValueError, match=r"costs of all runs to be in one unit but there were mean cents.*, mean MACs"):
        comparison([of("one", one), of("other", swept())])


def test_long_titles_of_axes_are_broken() -> None:
    unit = replace(costs(sample_record().stage_names), unit="kilowatt-hours of the whole data centre")
    exploration = explore(sample_record(), CheapestWithinDrop, Split(), 31, meter=unit)
    for line in drawn(curve(exploration, exploration.at(12))).figure.axes[0].get_xlabel().splitlines():
        assert len(line) <= 45


@pytest.mark.parametrize("policy", [CheapestWithinDrop, PaperRule, BestWithinBudget])
def test_layers_count_what_becomes_of_each_sample(policy: type[Sweep]) -> None:
    exploration = swept(policy, m=4, n=300)
    record = exploration.test
    for position in (0, 9, 30):
        rule = exploration.path.rule(position)
        expected = np.zeros((4, 4, BINS), dtype=int)
        for sample in range(record.n):
            for stage in range(4):
                sure = record.confidence[stage, sample]
                leaves = stage == 3 or sure >= rule.thresholds[stage]
                layer = 2 * int(record.correct[stage, sample]) + int(not leaves)
                expected[stage, layer, int(AXIS.bins(np.array([sure]))[0])] += 1
                if leaves:
                    break
        assert np.array_equal(layers(record, rule, AXIS), expected)


def luminance(colour: str) -> float:
    return float(np.dot(to_rgb(colour), (0.299, 0.587, 0.114)))


def test_grey_is_enough() -> None:
    """Lines differ in dash or marker; areas in lightness or hatching."""
    looks: Sequence[Any] = [looks for _, _, looks in LAYERS]
    for one, other in combinations(looks, 2):
        hatched = one.get("hatch") != other.get("hatch")
        assert hatched or abs(luminance(one["facecolor"]) - luminance(other["facecolor"])) > 0.25
    lines = [
        of(run, explore(sample_record(seed=seed), policy, Split(), 31))
        for seed, run in enumerate(("one", "two", "three"))
        for policy in (CheapestWithinDrop, PaperRule)
    ]
    drawn_lines = [one for one in drawn(comparison(lines)).figure.axes[0].get_lines() if len(ends(one)) > 1]
    kinds = {(one.get_marker(), str(one._dash_pattern)) for one in drawn_lines}  # type: ignore[attr-defined]
    assert len(kinds) == len(drawn_lines) == 6


def test_it_looks_the_same_in_grey(tmp_path: Path) -> None:
    """Turned to grey, the picture keeps its contrast: ink of several shades, none lost in the paper."""
    with Image.open(BytesIO(written(charts(swept())["histograms"], Style(), "png"))) as image:
        shades = np.asarray(image.convert("L"))
    for low, high in ((0, 60), (80, 130), (160, 210)):  # type, what leaves, what goes on
        assert ((shades >= low) & (shades <= high)).mean() > 0.001
