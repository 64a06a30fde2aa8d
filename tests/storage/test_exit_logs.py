"""Lines of exit logs: what they mean, what is not counted and why, and that nothing else is lost by it."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from cascade_core.storage import exit_logs
from cascade_core.storage.exit_lines import line_of
from cascade_core.storage.exit_logs import FOREIGN, UNREADABLE, parse

STAGES = ("a", "b", "c")
GOOD = {"time": 5.5, "stage": "b", "confidence": [0.25, 0.75], "answer": 2, "milliseconds": 1.5}


def block(*lines: Any) -> bytes:
    return b"".join((line if isinstance(line, bytes) else json.dumps(line).encode()) + b"\n" for line in lines)


def test_a_line_says_where_a_sample_left() -> None:
    entries, faults = parse(block(GOOD, {"stage": "c", "time": 6}), STAGES)
    assert not faults
    assert entries.time.tolist() == [5.5, 6]
    assert entries.stage.tolist() == [1, 2]
    np.testing.assert_array_equal(entries.confidence, np.array([[0.25, 0.75, np.nan], [np.nan] * 3], np.float32))
    assert entries.answer.tolist() == [2, -1]
    np.testing.assert_array_equal(entries.milliseconds, [1.5, np.nan])
    assert not entries.audited.any()


def test_heads_that_were_off_audits_and_late_labels() -> None:
    audit = {**GOOD, "confidence": [0.25, 0.75, 1], "answers": [0, 2, 1], "plain": 1}
    lines = block(
        {**GOOD, "confidence": [None, 0.75]}, audit, {"time": 7, "answer": 2, "label": 1}, {**GOOD, "label": 2}
    )
    entries, faults = parse(lines, STAGES)
    assert not faults
    assert entries.stage.tolist() == [1, 1, -1, 1]
    assert entries.audited.tolist() == [False, True, False, False]
    assert entries.answers[1].tolist() == [0, 2, 1]
    assert entries.label.tolist() == [-1, -1, 1, 2]
    assert np.isnan(entries.confidence[0, 0])


def test_what_is_written_is_read() -> None:
    line = line_of(1764180000.25, "b", [None, 0.123456789], 4, 0.5, ([1, 4, 4], 3))
    entries, _ = parse(line.encode(), STAGES)
    assert (entries.time[0], entries.stage[0], entries.answer[0], entries.plain[0]) == (1764180000.25, 1, 4, 3)
    assert entries.confidence[0, 1] == np.float32(0.1234568)


ODD: list[tuple[bytes, str]] = [
    (b"garbage", UNREADABLE),
    (b"null", UNREADABLE),
    (b"1", UNREADABLE),
    (b'"a"', UNREADABLE),
    (b"[1, 2]", UNREADABLE),
    (b"{}", FOREIGN),
    (b"{} null {}", UNREADABLE),
    (b'{"time": 1', UNREADABLE),
    (b'{"time": {}, "stage": "a"}', UNREADABLE),
    (b'{"time": 1, "stage": 5}', UNREADABLE),
    (b'{"stage": "a", "answer": 1.5}', UNREADABLE),
    (b'{"stage": "a", "answer": 99999999999999999999}', UNREADABLE),
    (b'{"stage": "a", "confidence": [[1]]}', UNREADABLE),
    (b"\xff\xfe\x00", UNREADABLE),
    (b"[" * 100_000, UNREADABLE),
    (b'{"x": ' * 50_000, UNREADABLE),
    (b'{"time": 1, "stage": "zzz"}', FOREIGN),
    (b'{"stage": "\xff"}', FOREIGN),
    (b'{"time": 1}', FOREIGN),
    (b'{"time": 1, "label": 3}', FOREIGN),
    (b'{"stage": "a", "confidence": [0.1, 0.2, 0.3, 0.4]}', FOREIGN),
]


@pytest.mark.parametrize(("odd", "why"), ODD, ids=[repr(line[:40]) for line, _ in ODD])
@pytest.mark.parametrize("around", [0, 3])
def test_odd_lines_are_counted_and_lose_nothing_else(odd: bytes, why: str, around: int) -> None:
    entries, faults = parse(block(*[GOOD] * around, odd, *[GOOD] * around), STAGES)
    assert len(entries) == 2 * around
    assert faults == {why: 1}


@pytest.mark.parametrize(
    "line",
    [
        b'{"time": 1, "time": 2, "stage": "a"}',
        b'{"time": 1, "stage": "a", "note": "} null {", "more": [{"x": 1}, 2]}',
        b'{"time": NaN, "stage": "a"}',
        b'{"time": 1e400, "stage": "a"}',
        b' {"stage": "a"} \r',
    ],
)
def test_what_is_odd_but_clear_is_counted(line: bytes) -> None:
    entries, faults = parse(block(line, GOOD), STAGES)
    assert (len(entries), dict(faults)) == (2, {})


def test_a_line_that_was_cut_and_written_on_keeps_what_follows() -> None:
    entries, faults = parse(
        block(GOOD, json.dumps(GOOD).encode()[:30] + json.dumps({**GOOD, "time": 9}).encode()), STAGES
    )
    assert entries.time.tolist() == [5.5, 9]
    assert faults == {UNREADABLE: 1}


def test_many_bad_lines_stay_in_order() -> None:
    lines = [{**GOOD, "time": i} if i % 3 else b"bad" for i in range(1, 400)]
    entries, faults = parse(block(*lines), STAGES)
    assert entries.time.tolist() == [i for i in range(1, 400) if i % 3]
    assert faults == {UNREADABLE: 133}


def test_nothing_is_no_line() -> None:
    assert len(parse(b"", STAGES)[0]) == len(parse(b"\n\n", STAGES)[0]) == 0


@pytest.mark.parametrize(
    "raw", [b"", b"\n", b"{}", b"{}\r\n", b"{}\n\n", b"{}{}\n", b"{}\n{}\n}\n{", b'{"a": {}}\n', b"1\n{}\n"]
)
def test_only_flat_objects_a_line_are_read_without_a_closer_look(raw: bytes) -> None:
    line = line_of(1.0, "a", [0.5], 1, 2.0).encode()
    assert exit_logs._is_flat(line * 3)
    assert exit_logs._is_flat(line + raw) == (not raw)
    assert not exit_logs._is_flat(raw)
