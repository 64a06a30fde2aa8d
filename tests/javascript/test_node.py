"""The panel's pure functions, tested by node's own runner beside this file."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

NODE = shutil.which("node")
HERE = Path(__file__).parent


def _version() -> tuple[int, ...]:
    if NODE is None:
        return (0,)
    told = subprocess.run([NODE, "--version"], capture_output=True, text=True, check=True).stdout
    return tuple(int(part) for part in told.strip().removeprefix("v").split("-")[0].split("."))


@pytest.mark.skipif(_version() < (20, 19), reason="needs node 20.19 or later, which takes .js files with imports")
def test_pure_functions() -> None:
    assert NODE is not None
    files = sorted(map(str, HERE.glob("*.test.mjs")))
    command = [NODE, "--disable-warning=MODULE_TYPELESS_PACKAGE_JSON", "--test", *files]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
