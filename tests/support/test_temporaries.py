"""What is half-written: swept once its writer is no more, never before, and gone where the disk is full."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from cascade_core.support.files import atomic_folder, atomic_write, check_writable

WRITING = """
import sys
from pathlib import Path
from cascade_core.support.files import atomic_folder, atomic_write
path = Path(sys.argv[2])
with {"file": atomic_write, "folder": atomic_folder}[sys.argv[1]](path) as unfinished:
    (unfinished / "part" if unfinished.is_dir() else unfinished).write_text("half")
    print("writing", flush=True)
    sys.stdin.read()
"""


def writer(kind: str, path: Path) -> subprocess.Popen[str]:
    """Another process that is in the middle of writing `path`, and goes on when its input ends."""
    command = [sys.executable, "-c", WRITING, kind, str(path)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "writing\n"
    return process


def names(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_what_a_killed_writer_left_is_swept_by_the_next_and_a_living_one_s_stays(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "run.parquet"
    (tmp_path / ".run.parquet.tmp").touch()
    (tmp_path / ".run.parquet.mine.tmp").touch()
    (tmp_path / ".other.parquet.abcdefgh.tmp").touch()
    others = names(tmp_path)
    with writer(kind, path) as killed:
        killed.kill()
    assert len(names(tmp_path)) == len(others) + 1
    with writer(kind, path) as living:
        assert len(names(tmp_path)) == len(others) + 1
        check_writable(path, ".parquet")
        with atomic_write(path) as unfinished:
            unfinished.write_text("mine")
        assert len(names(tmp_path)) == len(others) + 2
        if kind == "folder":
            path.unlink()
        living.communicate(timeout=120)
    assert living.returncode == 0
    written = path / "part" if kind == "folder" else path
    assert written.read_text() == "half"
    assert names(tmp_path) == sorted([*others, path.name])


def test_a_pipe_and_a_link_of_such_a_name_are_not_opened(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("kept")
    os.mkfifo(tmp_path / ".run.json.abcdefgh.tmp")
    (tmp_path / ".run.json.ijklmnop.tmp").symlink_to(tmp_path / "precious")
    check_writable(tmp_path / "run.json", ".json")
    assert (tmp_path / "precious").read_text() == "kept"


def failing(path: Path, error: Exception, door: Callable[[Path], AbstractContextManager[Path]] = atomic_write) -> None:
    """Write half of `path`, and fail."""
    with door(path) as unfinished:
        (unfinished / "part" if unfinished.is_dir() else unfinished).write_text("half")
        if isinstance(error, OSError) and error.filename == "TEMPORARY":
            error.filename = str(unfinished)
        raise error


def test_a_folder_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError):
        failing(tmp_path / "deploy", ZeroDivisionError(), atomic_folder)
    assert names(tmp_path) == []
    with atomic_folder(tmp_path / "deploy") as unfinished:
        (unfinished / "run.py").touch()
    assert names(tmp_path / "deploy") == ["run.py"]


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(28, "No space left on device"), "Cannot write PATH: no space left on device"),
        (OSError(28, "Error writing bytes. Detail: [errno 28] ..."), "Cannot write PATH: no space left on device"),
        (OSError(122, "Disk quota exceeded", "TEMPORARY"), "Cannot write PATH: disk quota exceeded"),
        (
            FileNotFoundError(2, "No usable temporary directory found in ['/tmp']"),
            "Cannot write PATH: no temporary files can be written; set TMPDIR to a folder that has room",
        ),
        (OSError("short write"), "Cannot write PATH: short write"),
        (OSError(2, "No such file or directory", "a.ttf"), "[Errno 2] No such file or directory: 'a.ttf'"),
    ],
)
def test_what_the_system_refuses_is_said_of_the_file_that_was_asked_for(
    error: OSError, said: str, tmp_path: Path
) -> None:
    path = tmp_path / "run.parquet"
    path.write_text("the old run")
    with pytest.raises(OSError, match=f"^{re.escape(said.replace('PATH', str(path)))}$"):
        failing(path, error)
    assert path.read_text() == "the old run"
    assert names(tmp_path) == ["run.parquet"]


def test_results_have_the_permissions_of_any_new_file(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    with atomic_write(tmp_path / "written") as unfinished:
        unfinished.touch()
    with atomic_folder(tmp_path / "made"):
        pass
    assert (tmp_path / "written").stat().st_mode == (tmp_path / "file").stat().st_mode
    assert (tmp_path / "made").stat().st_mode == (tmp_path / "folder").stat().st_mode
