"""The verb `site`."""

from __future__ import annotations

from pathlib import Path

import pytest

from cascade_core import save_run
from cascade_core.__main__ import main
from cascade_core.policies import SWEEPS
from tests.benchmarks.site_numbers import held
from tests.samples import sample_run


def test_a_folder_of_runs_becomes_a_site(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cache, out = tmp_path / "cache", tmp_path / "site"
    save_run(sample_run(), cache / "a.parquet")
    save_run(sample_run(seed=1), cache / "b.parquet")
    (cache / "c.parquet").write_bytes(b"no run")
    assert main(["site", str(cache), "--out", str(out), "--open-on", "b"]) == 1
    said = capsys.readouterr()
    assert "left out: " in said.err
    assert "1 of 3 runs were left out" in said.err
    assert f"wrote {out}: 2 runs, " in said.out
    scripts = sorted(out.glob("run-*.js"))
    assert [len(held(script.read_text())["payloads"]) for script in scripts] == [len(SWEEPS)] * 2
    assert 'value="b" selected' in (out / "index.html").read_text()
    assert {path.name for path in out.iterdir()} == {"index.html", *(script.name for script in scripts)}


def test_a_run_that_is_not_there_is_not_opened_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = save_run(sample_run(), tmp_path / "a.parquet")
    assert main(["site", str(run), "--out", str(tmp_path / "site"), "--open-on", "z"]) == 2
    assert "--open-on to be one of a but it was 'z'" in capsys.readouterr().err
    assert not (tmp_path / "site").exists()
