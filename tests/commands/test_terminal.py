"""What verbs print, and others while they run: only what a terminal shows, in as many lines as were meant."""

from __future__ import annotations

import contextlib
import io
import logging
import sys
import warnings

import pandas as pd
import pytest

from cascade_core.__main__ import main
from cascade_core.commands.tables import tell_table
from cascade_core.commands.terminal import Readable, line, remark, tell, tell_lines
from tests.names import hostile_names, is_clean

NAMES = list(hostile_names(1, 300))


def test_each_line_is_one_and_clean(capsys: pytest.CaptureFixture[str]) -> None:
    for name in NAMES:
        tell(f"run {name}, done")
        tell(name, 7, name)
        remark(f"note: {name}")
        out, err = capsys.readouterr()
        assert out.count("\n") == 2
        assert out.splitlines()[1].count("\t") == 2
        assert err.count("\n") == 1
        assert is_clean(out, keep="\n\t")
        assert is_clean(err, keep="\n")
        assert "\n" not in line(ValueError(name))
        assert is_clean(line(ValueError(name)))


def test_a_table_has_a_line_for_each_row(capsys: pytest.CaptureFixture[str]) -> None:
    tell_table(pd.DataFrame({"stage": NAMES, f"share {NAMES[0]}": 0.5}))
    out = capsys.readouterr().out
    assert out.count("\n") == len(NAMES) + 3 - 1
    assert is_clean(out, keep="\n")
    tell_lines("\n".join(NAMES))
    assert is_clean(capsys.readouterr().out, keep="\n")


def test_a_stream_that_others_write_to() -> None:
    for name in NAMES:
        written = io.StringIO()
        stream = Readable(written, "standard error")
        print(name, file=stream)
        stream.writelines([name, name])
        assert is_clean(written.getvalue(), keep="\n\t")


def test_what_others_print_while_a_verb_runs_is_clean(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    name = "\x1b[2J\u202e\u200b\u2028\x9b"
    logger = logging.getLogger("tests.elsewhere")

    def noisy(_: object) -> None:
        print(name)
        print(name, file=sys.stderr)
        warnings.warn(name, stacklevel=1)
        handler = logging.StreamHandler()
        logger.addHandler(handler)
        logger.error(name)
        logger.removeHandler(handler)
        raise ZeroDivisionError(name)

    monkeypatch.setattr("cascade_core.commands.runs.read_metadata", noisy)
    assert main(["show", "a.parquet"]) == 3
    assert is_clean("".join(capsys.readouterr()), keep="\n")
    monkeypatch.setenv("CASCADE_TRACEBACK", "1")
    assert main(["show", "a.parquet"]) == 3
    out, err = capsys.readouterr()
    assert "in noisy" in err
    assert is_clean(out + err, keep="\n")


def test_without_streams_nothing_is_in_the_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stderr", None)
    with contextlib.redirect_stdout(io.StringIO()) as said:
        assert main(["exits", "small-cnn"]) == 0
    assert "stage1" in said.getvalue()
