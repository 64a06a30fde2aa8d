"""A policy of one's own needs its class and an entry in the registry, and nothing else anywhere."""

from __future__ import annotations

from dataclasses import dataclass, field
from html import unescape
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
from numpy.typing import NDArray

from cascade_core import evaluate, load_choice, load_run, save_run
from cascade_core.__main__ import main
from cascade_core.analysis.comparison import compare
from cascade_core.analysis.exploration import Split, explore
from cascade_core.policies import POLICIES, SWEEPS, Slider, Sweep, describe
from cascade_core.policies.base import Positions, rule_path
from cascade_core.policies.parameters import number, whole
from cascade_core.simulation.paths import RulePath
from cascade_core.simulation.record import Record
from tests.policies.test_policies import check_policy
from tests.samples import sample_record, sample_run


@dataclass(frozen=True)
class SurestOfEach(Sweep):
    """At each stage as many samples may leave, of those that are at least so sure."""

    count: int = field(metadata=whole(0, 1_000_000, "samples that may leave at a stage"))
    least: float = field(default=0.0, metadata=number(0.0, 1.0, "confidence below which none leaves (default 0)"))

    name: ClassVar[str] = "made-up"
    title: ClassVar[str] = "The surest of each stage"
    promise: ClassVar[str] = "Nothing is promised."
    slider: ClassVar[Slider] = Slider(
        parameter="count", label="samples a stage", unit="samples", scale=1, decimals=0, opening=20
    )

    @classmethod
    def positions(cls, record: Record, count: int) -> NDArray[np.float64]:
        return np.linspace(0, record.n, count).round()

    @classmethod
    def path(cls, record: Record, positions: Positions, least: float = 0.0) -> RulePath:
        falling = -np.sort(-record.confidence[:-1], axis=1)
        falling = np.concatenate([np.full((len(falling), 1), np.inf), falling], axis=1)
        thresholds = np.maximum(falling[:, np.asarray(positions, dtype=int)].T, least)
        return rule_path(record, positions, thresholds)


@pytest.fixture
def _registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(POLICIES, SurestOfEach.name, SurestOfEach)
    monkeypatch.setitem(SWEEPS, SurestOfEach.name, SurestOfEach)


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return save_run(sample_run(), tmp_path / "run.parquet")


@pytest.mark.usefixtures("_registered")
def test_the_command_line_reads_and_exports_its_parameters(run: Path, tmp_path: Path) -> None:
    out = tmp_path / "choice.json"
    assert main(["choose", str(run), "--policy", "made-up", "--count", "3", "--least", "0.2", "--out", str(out)]) == 0
    choice = load_choice(out)
    assert choice.policy == {"name": "made-up", "parameters": {"count": 3, "least": 0.2}}
    calibration, _ = load_run(run).record(pool=choice.rule.pool).split(0.5, 0)
    # The third surest sample of each stage is the last that may leave there.
    assert choice.thresholds.tolist() == (-np.sort(-calibration.confidence[:-1], axis=1))[:, 2].tolist()


@pytest.mark.usefixtures("_registered")
@pytest.mark.parametrize(
    ("flags", "words"),
    [
        ([], "policy made-up needs --count"),
        (["--count", "-1"], "Expected count to be a whole number from 0 to 1000000 but it was -1"),
        (["--count", "3", "--least", "2"], "Expected least to be from 0 to 1 but it was 2"),
        (["--count", "3", "--epsilon", "0"], "policy made-up takes no --epsilon"),
    ],
)
def test_its_fields_say_what_is_refused(
    flags: list[str], words: str, run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["choose", str(run), "--policy", "made-up", *flags]) == 2
    assert words in capsys.readouterr().err


@pytest.mark.usefixtures("_registered")
def test_a_whole_number_is_read_as_one_and_help_explains_it(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["choose", str(run), "--policy", "made-up", "--count", "3.5"])
    assert "argument --count: invalid int value: '3.5'" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["choose", "--help"])
    told = " ".join(capsys.readouterr().out.split())
    assert "--count COUNT for made-up: samples that may leave at a stage" in told
    assert "made-up The surest of each stage" in told


def test_it_is_swept_compared_and_described(monkeypatch: pytest.MonkeyPatch) -> None:
    record = sample_record(600)
    exploration = explore(record, SurestOfEach, Split(), count=31)
    assert exploration.shown.tolist() == SurestOfEach.positions(exploration.calibration, 31).tolist()
    assert exploration.chosen(exploration.opening) == SurestOfEach(20)
    assert describe(exploration.chosen(2)) == {"name": "made-up", "parameters": {"count": 20, "least": 0.0}}
    check_policy(SurestOfEach, record, [0, 7, 300])
    monkeypatch.setitem(SWEEPS, SurestOfEach.name, SurestOfEach)
    (one,) = (one for one in compare(record, Split(), 0.02) if one.policy is SurestOfEach)
    chosen = SurestOfEach(int(one.value)).choose(exploration.calibration)
    assert one.rule.thresholds.tolist() == chosen.thresholds.tolist()
    assert evaluate(exploration.calibration, one.rule).accuracy_drop <= 0.02


@pytest.mark.usefixtures("_registered")
def test_reports_open_at_its_parameter(run: Path, tmp_path: Path) -> None:
    out = tmp_path / "report.html"
    assert main(["report", str(run), "--policy", "made-up", "--count", "40", "--out", str(out)]) == 0
    assert '"parameters": {\n      "count": 40,' in unescape(out.read_text(encoding="utf-8"))
