"""Verbs that run networks: what they tell of time, and for whom a bundle is written."""

from __future__ import annotations

from pathlib import Path

import pytest

from cascade_core import save_run
from cascade_core.__main__ import main
from cascade_core.commands.deploying import percentiles
from cascade_core.nets.running import bundle
from tests.samples import sample_run

CACHE = Path(__file__).resolve().parents[2] / "cache"


@pytest.mark.parametrize(
    ("milliseconds", "told"),
    [
        (range(1, 101), "p50 50.0 ms, p95 95.0 ms, p99 99.0 ms"),
        ([3, 1, 2], "p50 2.0 ms, p95 3.0 ms, p99 3.0 ms"),
        ([7], "p50 7.0 ms, p95 7.0 ms, p99 7.0 ms"),
    ],
)
def test_percentiles_are_times_within_which_that_share_was_answered(milliseconds: list[int], told: str) -> None:
    assert percentiles([one / 1000 for one in milliseconds]) == told


def test_a_bundle_is_for_its_own_program_or_for_triton(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for writer in ("_write_parts", "write_models"):
        monkeypatch.setattr(bundle, writer, lambda folder, *_, name=writer: (folder / name).touch())
    digits = ["--network", f"small-cnn+{CACHE / 'digits.safetensors'}"]
    choose = ["choose", str(CACHE / "digits.parquet"), "--policy", "shared", "--threshold", "90%", "--out", "c.json"]
    assert main(choose) == 0
    for target, wrote, told in (
        ([], "_write_parts", "wrote plain; python plain/run.py PICTURE classifies"),
        (["--target", "triton"], "write_models", "wrote triton; triton/models is a model repository for Triton"),
    ):
        out = "triton" if target else "plain"
        assert main(["bundle", "c.json", *digits, *target, "--out", out]) == 0
        assert [path.name for path in (tmp_path / out).iterdir()] == [wrote]
        assert told in capsys.readouterr().out


def test_a_bundle_for_other_stages_names_both(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    save_run(sample_run(m=2), "two.parquet")
    assert main(["choose", "two.parquet", "--policy", "shared", "--threshold", "90%", "--out", "two.json"]) == 0
    digits = ["--network", f"small-cnn+{CACHE / 'digits.safetensors'}"]
    assert main(["bundle", "two.json", *digits, "--out", "b"]) == 2
    assert "Expected a rule for 3 stages (2 thresholds) but it is for 2" in capsys.readouterr().err
    assert not (tmp_path / "b").exists()
