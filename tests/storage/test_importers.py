"""NumPy archives: other people's softmaxes come in right, and what is wrong with a file is said in one line.

Damaged archives are tested in `test_importers_damage`, tables in `test_importers_tables`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cascade_core import save_run
from cascade_core.storage import importers
from cascade_core.storage.importers import EQUAL_MACS, with_macs
from cascade_core.storage.writing import run_bytes
from cascade_core.support.files import BadFile, Contents
from tests.oracle import assert_one_line
from tests.runfiles import import_softmaxes
from tests.storage.archives import ARRAYS, MADE, archive, assert_bad, npz

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")  # what is odd about runs of few MACs


def test_npz_of_softmaxes(tmp_path: Path) -> None:
    found = import_softmaxes(npz(tmp_path, **ARRAYS))
    assert found.probs.tobytes() == MADE.probs.tobytes()
    assert (found.labels == MADE.labels).all()
    assert [(s.name, s.trunk_macs, s.head_macs) for s in found.stages] == [("stage 1", 40, 0), ("stage 2", 60, 0)]
    assert found.baseline_macs == 100
    assert found.source == {"imported_from": "mine.npz"}


def test_npz_of_logits_and_everything_optional(tmp_path: Path) -> None:
    logits = np.array([[[0, np.log(3)], [1000, 0]]])
    found = import_softmaxes(
        npz(
            tmp_path,
            logits=logits,
            labels=np.array([1, 0], np.uint8),
            macs=np.array([50.0]),
            head_macs=[20],
            baseline_macs=70,
            stage_names=["small"],
            class_names=np.array([b"no", b"yes"]),
            sample_ids=["x", "y"],
            unknown=np.ones(3),
        )
    )
    # Softmax of (0, ln 3) is (1/4, 3/4); of (1000, 0) it is (1, 0) without overflow.
    assert found.probs.ravel().tolist() == pytest.approx([0.25, 0.75, 1, 0], abs=1e-7)
    assert (found.stages[0].trunk_macs, found.stages[0].head_macs, found.baseline_macs) == (30, 20, 70)
    assert (found.stages[0].name, found.class_names) == ("small", ("no", "yes"))
    assert found.sample_ids.tolist() == ["x", "y"]


def test_arguments_override_the_file(tmp_path: Path) -> None:
    path = npz(tmp_path, **ARRAYS)
    found = import_softmaxes(path, macs=[1, 2], baseline_macs=9, stage_names=["p", "q"], class_names=["u", "v", "w"])
    assert [s.trunk_macs for s in found.stages] == [1, 2]
    assert (found.baseline_macs, found.class_names) == (9, ("u", "v", "w"))
    assert found.stages[1].name == "q"


def test_run_file_is_read_as_it_is(tmp_path: Path) -> None:
    path = save_run(MADE, tmp_path / "run.parquet")
    assert import_softmaxes(path).probs.tobytes() == MADE.probs.tobytes()
    assert_bad(path, "expected no macs, class_names for a run file", macs=[1, 2], class_names=["a", "b", "c"])


def test_files_in_memory(tmp_path: Path) -> None:
    path = npz(tmp_path, **ARRAYS)
    found = import_softmaxes(Contents(name="mine.npz", raw=path.read_bytes()))
    assert found.probs.tobytes() == MADE.probs.tobytes()
    run = import_softmaxes(Contents(name="any/name.parquet", raw=run_bytes(MADE)))
    assert run.probs.tobytes() == MADE.probs.tobytes()
    with pytest.raises(BadFile) as caught:
        import_softmaxes(Contents(name="mine.npz", raw=b"PK"))
    assert_one_line(caught.value, "Cannot import mine.npz: expected a NumPy archive", "not a zip file, or is cut short")


def test_unknown_macs_are_taken_to_be_equal_and_the_run_says_so(tmp_path: Path) -> None:
    path = npz(tmp_path, probs=MADE.probs, labels=MADE.labels)
    assert_bad(path, "expected macs, the multiply-accumulates that each of the 2 stages adds", assume_equal_macs=False)
    found = import_softmaxes(path)
    assert [s.trunk_macs for s in found.stages] == [EQUAL_MACS, EQUAL_MACS]
    assert found.source["macs_assumed"] is True
    assert "MACs were not given" in found.source["title"]
    known = with_macs(found, [40, 60])
    assert [(s.name, s.trunk_macs) for s in known.stages] == [("stage 1", 40), ("stage 2", 60)]
    assert known.source == {"imported_from": "mine.npz"}
    assert (known.baseline_macs, with_macs(found, [40, 60], 70).baseline_macs) == (100, 70)
    assert import_softmaxes(path, macs=[2, 2]).source == {"imported_from": "mine.npz"}


def test_large_file_is_refused(tmp_path: Path) -> None:
    path = npz(tmp_path, **ARRAYS)
    assert_bad(path, "at most 10 bytes but the file has", max_bytes=10)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"probs": None}, "either probs or logits, of shape (stages, samples, classes)"),
        ({"logits": MADE.probs}, "either probs or logits"),
        ({"probs": MADE.probs[0]}, "shape (stages, samples, classes) but it had shape (20, 3)"),
        ({"probs": MADE.probs + 0.1}, "each row summing to 1"),
        ({"probs": MADE.probs[:, :0], "labels": []}, "hold a stage, a sample and a class"),
        (
            {"probs": None, "logits": np.full((2, 20, 3), np.inf)},
            "logits to be numbers or -inf but stage 0, sample 0, class 0 is inf",
        ),
        (
            {"probs": None, "logits": MADE.probs[0]},
            "logits to have shape (stages, samples, classes) but it had shape (20, 3)",
        ),
        ({"probs": np.full((2, 20, 3), "x")}, "probs to be numbers"),
        ({"labels": MADE.labels[:-1]}, "labels to have shape (20,) (samples) but it had shape (19,)"),
        ({"labels": MADE.labels + 1}, "a class from 0 to 2 in sample"),
        (
            {"labels": MADE.labels + [0.5] * 20},
            f"a class as a whole number in sample 0 but it is {MADE.labels[0] + 0.5}",
        ),
        ({"macs": [1, 2, 3]}, "macs to have shape (2,) (stages) but it had shape (3,)"),
        ({"macs": [1, -2]}, "macs to be 0 or more but stage 1 has -2"),
        ({"macs": [1, 2.5]}, "macs to be whole numbers (stages) but there is 2.5 at 1"),
        ({"head_macs": [41, 0]}, "head_macs to be part of macs but the head of stage 0 costs more than the stage"),
        ({"baseline_macs": 1.5}, "baseline_macs to be whole numbers"),
        ({"baseline_macs": np.inf}, "baseline_macs to be whole numbers"),
        ({"baseline_macs": [5, 6]}, "baseline_macs to have shape ()"),
        ({"stage_names": ["a", "a"]}, "stage_names to be distinct but 'a' repeats"),
        ({"stage_names": "ab"}, "stage_names to hold 2 names, one for each stage, but it held 1"),
        ({"class_names": ["a"]}, "class_names to hold 3 names"),
        ({"sample_ids": ["a"]}, "sample_ids to have shape (20,)"),
    ],
)
def test_arrays_that_do_not_fit(tmp_path: Path, changes: dict[str, Any], words: str) -> None:
    arrays = {name: array for name, array in (ARRAYS | changes).items() if array is not None}
    assert_bad(npz(tmp_path, **arrays), words)


def test_other_arrays(tmp_path: Path) -> None:
    assert_bad(npz(tmp_path, x=[1]), "expected arrays probs, logits, labels, macs but there are x")
    assert_bad(archive(tmp_path, []), "but there are none")


def test_endings_folders_and_missing_files(tmp_path: Path) -> None:
    for name in ("run.pkl", "run", "run.npy"):
        (tmp_path / name).touch()
        assert_bad(
            tmp_path / name, "the file's ending to be one of .npz, .csv, .tsv, .parquet, .jsonl, .ndjson but it was"
        )
    for ending in importers.FORMATS:
        folder = tmp_path / f"folder{ending}"
        folder.mkdir()
        assert_bad(folder, "expected a regular file but it is a folder")
        assert_bad(tmp_path / f"none{ending}", "no such file")
        (tmp_path / f"empty{ending}").touch()
        assert_bad(tmp_path / f"empty{ending}")
