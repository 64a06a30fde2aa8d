"""What must not happen when a file is read: a program that leaves a mark where it is started."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

POSTSCRIPT = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 8 8\n%%EndComments\nshowpage\n%%EOF\n"


def ghostscript_trap(picture: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """A picture in PostScript under any name, and the file that is there once `gs` was started for it."""
    picture.parent.mkdir(parents=True, exist_ok=True)
    picture.write_bytes(POSTSCRIPT)
    mark = picture.parent / "started"
    program = picture.parent / "programs" / "gs"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\ntouch '{mark}'\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setattr("PIL.EpsImagePlugin.gs_binary", None)
    return picture, mark
