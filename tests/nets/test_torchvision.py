"""torchvision comes in through one door, cleanly, and only once."""

from __future__ import annotations

import subprocess
import sys

import pytest

CODE = """
import sys
from cascade_core.nets import _torchvision
import torchvision
assert torchvision is _torchvision.torchvision
assert hasattr(torchvision.models, "resnet18")
kept = _torchvision._library
assert kept is None or not torchvision.extension._has_ops()
"""


def test_torchvision_imports_without_a_warning() -> None:
    done = subprocess.run([sys.executable, "-W", "error", "-c", CODE], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_another_failure_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    from cascade_core.nets import _torchvision

    def fail(_: str) -> None:
        raise RuntimeError("out of memory")

    monkeypatch.setattr("importlib.import_module", fail)
    with pytest.raises(RuntimeError, match="out of memory"):
        _torchvision._import()
