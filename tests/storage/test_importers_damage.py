"""Damaged and hostile NumPy archives are refused in one line.

Nothing in them is run, and nothing is unpacked beyond what it declares.
"""

from __future__ import annotations

import os
import pickle
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cascade_core import import_run
from cascade_core.support.files import BadFile
from tests.oracle import assert_one_line
from tests.storage.archives import ARRAYS, archive, assert_bad, good, headed, npy, npz

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")  # what is odd about runs of few MACs


class Payload:
    """Unpickling this makes a folder."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return os.mkdir, (str(self.path),)


def test_pickles_are_refused_and_not_run(tmp_path: Path) -> None:
    trap = tmp_path / "executed"
    objects = np.array([Payload(trap), None], dtype=object)
    header = "{'descr': '|O', 'fortran_order': False, 'shape': (2,), }"
    raw = pickle.dumps(objects, protocol=2)
    for members in (good(labels=headed(header, raw)), good(sample_ids=headed(header, raw))):
        assert_bad(archive(tmp_path, members), "holds pickled objects, which are not read")
    path = tmp_path / "mine.npz"
    path.write_bytes(raw)
    assert_bad(path, "not a zip file")
    path.write_bytes(npy(np.ones(3)))  # a bare .npy
    assert_bad(path, "not a zip file")
    assert not trap.exists()
    pickle.loads(raw)  # the trap works
    assert trap.exists()


def test_zip_bomb_is_refused_before_unpacking(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shape = (2, 1000, 1000)
    header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}"
    path = archive(tmp_path, good(probs=headed(header, bytes(8_000_000))))
    assert path.stat().st_size < 20_000
    monkeypatch.setattr(zipfile.ZipFile, "open", None)
    assert_bad(path, "at most 1,000,000 bytes unpacked but the archive declares more", max_bytes=1_000_000)


def test_a_second_member_of_the_same_name_does_not_slip_past_the_checks(tmp_path: Path) -> None:
    """`probs` beside `probs.npy`: numpy.load would read the one whose size and header were not checked."""
    for extra in (("probs", npy(np.zeros((9, 9)))), ("probs", b"x")):
        assert_bad(archive(tmp_path, [extra, *good()]), "one array 'probs' but there are 2")
        assert_bad(archive(tmp_path, [*good(), extra]), "one array 'probs' but there are 2")


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_members_that_unpack_beyond_what_they_declare_are_not_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, method: int
) -> None:
    path = tmp_path / "mine.npz"
    with zipfile.ZipFile(path, "w", method) as stream:
        for name, raw in good():
            stream.writestr(name, raw)
    monkeypatch.setattr(zipfile.ZipFile, "open", None)
    assert_bad(path, "array 'probs' to be plain or deflated; write it with numpy.savez_compressed")


@pytest.mark.parametrize(
    "names",
    [
        np.array([0x110000, ord("a"), ord("b")], np.uint32).view("<U1"),
        np.array([0xD800, ord("a"), ord("b")], np.uint32).view("<U1"),
        np.array([b"\xff", b"a", b"b"]),
    ],
)
def test_texts_of_no_characters(tmp_path: Path, names: Any) -> None:
    assert_bad(npz(tmp_path, **ARRAYS, class_names=names), "array 'class_names' to hold texts but some bytes")


@pytest.mark.parametrize(
    ("header", "words"),
    [
        (
            "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 900, 900), }",
            "declares shape (2, 900, 900) but holds",
        ),
        ("{'descr': '<f4', 'fortran_order': False, 'shape': (-2, -20, 3), }", "of shape (-2, -20, 3)"),
        ("{'descr': '<f4', 'fortran_order': False, 'shape': (0, 10000000000000000000000), }", ""),
        (
            "{'descr': '<U0', 'fortran_order': False, 'shape': (1000000000000,), }",
            "numbers or texts but it declares <U0",
        ),
        (
            "{'descr': '|V0', 'fortran_order': False, 'shape': (1000000000000,), }",
            "numbers or texts but it declares |V0",
        ),
        ("{'descr': '<c8', 'fortran_order': False, 'shape': (2, 20, 3), }", "declares complex64"),
        ("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2, 2, 3), }", "numbers or texts but it declares"),
        ("(" * 9_000, "array 'probs' to begin with a NumPy header but it is damaged"),
        ("1+" * 4_000 + "1", "array 'probs' to begin with a NumPy header"),
        ("'''", "array 'probs' to begin with a NumPy header"),
        ("__import__('os').mkdir('x')", "array 'probs' to begin with a NumPy header"),
    ],
)
def test_headers_that_lie(tmp_path: Path, header: str, words: str) -> None:
    assert_bad(archive(tmp_path, good(probs=headed(header, bytes(480)))), words)


def test_no_header_and_unknown_version(tmp_path: Path) -> None:
    assert_bad(archive(tmp_path, good(probs=b"abc")), "begin with a NumPy header")
    assert_bad(archive(tmp_path, good(probs=headed("{}", version=b"\x09\x09"))), "begin with a NumPy header")


def test_truncated_and_spoiled_archives(tmp_path: Path) -> None:
    path = npz(tmp_path, **ARRAYS)
    raw = path.read_bytes()
    for size in (0, 1, 4, len(raw) // 2, len(raw) - 1):
        path.write_bytes(raw[:size])
        assert_bad(path)
    random = np.random.default_rng(0)
    for _ in range(300):
        spoiled = bytearray(raw)
        for place in random.integers(0, len(raw), 4):
            spoiled[place] = random.integers(0, 256)
        path.write_bytes(spoiled)
        try:
            import_run(path)
        except BadFile as error:
            assert_one_line(error, "Cannot import")
