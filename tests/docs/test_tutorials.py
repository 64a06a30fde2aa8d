"""Each tutorial is followed from start to end, as its reader would: all blocks, in order, in an empty folder.

Shell and Python are run, blocks with a title are written to the file of that name, and what a ``text`` block shows must
have been printed by the block before it, numbers aside.  Beside the page lies ``cache/``, as in a checkout.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.pages import ROOT, blocks, name

TUTORIALS = sorted(page for page in (ROOT / "docs" / "tutorials").glob("*.md") if page.stem != "index")
SECONDS = 600
"""Most that one block may take on a busy machine."""

RUN = {"sh": ("bash", "-euo", "pipefail", "-c"), "python": (sys.executable, "-c")}


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Variables under which `python` and `cascade-core` are those of the tests, and runs lie in ``cache/``."""
    programs = tmp_path / "programs"
    programs.mkdir()
    for program, words in {"python": "", "cascade-core": "-m cascade_core"}.items():
        (programs / program).write_text(f'#!/bin/sh\nexec "{sys.executable}" {words} "$@"\n', encoding="utf-8")
        (programs / program).chmod(0o755)
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "cache").symlink_to(ROOT / "cache")
    return os.environ | {
        "PATH": f"{programs}:{os.environ['PATH']}",
        "PYTHONPATH": f"{ROOT}:{tmp_path / 'work'}",
        "OMP_NUM_THREADS": "1",
    }


@pytest.mark.parametrize("page", TUTORIALS, ids=lambda page: page.stem)
def test_a_tutorial_does_what_it_says(page: Path, environment: dict[str, str], tmp_path: Path) -> None:
    work, printed, followed = tmp_path / "work", "", 0
    for block in blocks(page):
        if block.title:
            (work / block.title).write_text(block.text, encoding="utf-8")
        elif block.language == "text":
            missing = [line for line in _lines(block.text) if line not in _lines(printed)]
            assert not missing, f"{name(page)} shows {missing}, but it was\n{printed}"
        elif block.language in RUN and block.is_run:
            command = [*RUN[block.language], block.text]
            done = subprocess.run(command, cwd=work, env=environment, capture_output=True, text=True, timeout=SECONDS)
            assert done.returncode == 0, f"{name(page)}:\n{block.text}\n{done.stdout}{done.stderr}"
            printed, followed = done.stdout + done.stderr, followed + 1
    assert followed > 2
    assert not list((ROOT / "cache").glob(".*tmp*"))


def _lines(text: str) -> list[str]:
    """Lines without their numbers and the widths of their columns; ... stands for some that are not shown."""
    plain = (" ".join(re.sub(r"[-+]?\d[\d,.]*(e-?\d+)?", "#", line).split()) for line in text.splitlines())
    return [line for line in plain if line not in ("", "...")]
