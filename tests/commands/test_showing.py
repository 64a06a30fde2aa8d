"""The verb `report`."""

from __future__ import annotations

import json
from html import unescape
from pathlib import Path

import pytest

from cascade_core.__main__ import main
from cascade_core.storage.reading import digest


@pytest.mark.parametrize(
    ("flags", "opens"),
    [
        ([], 0.01),
        (["--max-drop", "0.02", "--seed", "3"], 0.02),
        (["--max-drop", "90%", "--answers", "pooled", "--score", "margin"], 0.05),
        (["--policy", "budget", "--max-macs", "4000", "--top-k", "2"], 4000),
    ],
)
def test_report_opens_at_the_nearest_position(
    flags: list[str], opens: float, run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "report.html"
    assert main(["report", str(run), *flags, "--out", str(out)]) == 0
    assert f"wrote {out} ({out.stat().st_size:,} bytes), which opens at " in capsys.readouterr().out
    html = out.read_text(encoding="utf-8")
    choice = json.loads(unescape(html.split('id="choice">')[1].split("</code>")[0]))
    (value,) = choice["policy"]["parameters"].values()
    # 401 positions lie closer than that.
    assert value == pytest.approx(opens, abs=0.0002 if opens < 1 else 30)
    assert choice["run"] == {"name": "run", "sha256": digest(run)}
