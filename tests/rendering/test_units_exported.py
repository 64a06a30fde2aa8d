"""Report, slides and the table of all positions tell costs in the unit that thresholds were sought for."""

from __future__ import annotations

import re

import numpy as np
import pytest

from cascade_core import CheapestWithinDrop
from cascade_core.analysis.exploration import Exploration, Split, explore
from cascade_core.analysis.points import Setting
from cascade_core.rendering.axes import confidence_axis
from cascade_core.rendering.cost_words import amount
from cascade_core.rendering.live.data import live_data
from cascade_core.rendering.report import report_html
from cascade_core.rendering.report.slides import Stop, slides
from cascade_core.rendering.tables import path_table
from cascade_core.simulation.meters import MACS, Meter, along
from cascade_core.storage.origin import Origin
from tests.rendering.test_points import CENTS, TIMED
from tests.samples import sample_record


def explored(meter: Meter) -> Exploration:
    return explore(sample_record(), CheapestWithinDrop, Split(), 11, meter=meter)


def report(meter: Meter) -> str:
    exploration = explored(meter)
    axis = confidence_axis("max_probability", 5)
    data = live_data(exploration, axis, initial=0, published=(), meter=meter, unit="images", origin="")
    html = report_html(
        Setting(exploration=exploration, position=5), data, run={"name": "mine", "sha256": "0" * 64}, source={}
    )
    return html[html.index("<body>") :]


@pytest.mark.parametrize(
    ("meter", "plain", "heading", "upto"),
    [
        # Each stage adds 1, 2 and 3.5 cents for ten.
        (CENTS, "5 cents per 10 images", "cents up to here<small>per 10 samples, all heads run", ["1", "3", "6.5"]),
        # Two samples at once: 1.5 + 0.1, 6 + 0.1 and 6 + 0.1 seconds; the plain network takes 8.
        (
            TIMED,
            "4 thousand milliseconds per image in batches of 2",
            "milliseconds up to here<small>per sample in batches of 2, all heads run",
            ["800", "3.85 thousand", "6.9 thousand"],
        ),
    ],
)
def test_a_report_tells_what_stages_and_the_plain_network_cost(
    meter: Meter, plain: str, heading: str, upto: list[str]
) -> None:
    text = report(meter)
    assert f"what the plain network costs ({plain}) that is not spent" in text
    assert heading in text
    rows = re.findall(r'<tr><th scope="row">stage \d</th>(.*?)</tr>', text[text.index("Stages</h2>") :])
    assert [re.findall("<td>([^<]*)", row)[3] for row in rows] == upto


def test_a_report_in_macs_names_nothing_else() -> None:
    text = report(MACS)
    assert "what the plain network costs (6,070 MACs per image) that is not spent" in text
    assert "up to here<small>all heads run" in text
    assert text.count(" up to here") == 1


@pytest.mark.parametrize(
    ("meter", "unit"),
    [
        (MACS, "MACs per sample"),
        (CENTS, "cents per 10 samples"),
        (TIMED, "milliseconds per sample in batches of 2"),
    ],
)
def test_slides_tell_the_mean_beside_the_plain_network_s(meter: Meter, unit: str) -> None:
    setting = Setting(exploration=explored(meter), position=5)
    text = slides([Stop(name="mine", run="mine", origin=Origin.of({}), setting=setting)])
    mean, plain = meter.mean(setting.evaluation), meter.plain(setting.evaluation)
    assert f"{amount(mean)} of {amount(plain)} {unit}</dd>" in text
    assert ("For a million samples: " in text) == (meter is not MACS)


def test_all_positions_have_columns_that_name_the_unit() -> None:
    exploration = explored(CENTS)
    frame = path_table(exploration, CENTS)
    costs = along(CENTS, exploration.evaluation)
    np.testing.assert_array_equal(frame["mean_cents_per_10"], costs)
    np.testing.assert_array_equal(frame["saving_of_cents_per_10"], 1 - costs / 5)
    np.testing.assert_array_equal(frame["saving"], exploration.evaluation.saving)
