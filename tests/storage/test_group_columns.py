"""Groups from a table beside a run: joined by id in any order, and one line for what does not fit."""

from __future__ import annotations

from pathlib import Path

import pytest

from cascade_core.storage.group_columns import read_groups
from cascade_core.support.files import BadFile


def table(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "groups.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_samples_are_joined_by_id(tmp_path: Path) -> None:
    path = table(tmp_path, 'camera,sample_id\n"left, upper",b\nright,a\nright,other\n,d\n')
    (groups,) = read_groups(path, ["a", "b", "c", "d"], "camera")
    assert [groups.name_of(i) for i in range(4)] == ["right", "left, upper", "(none)", "(none)"]


def test_blanks_behind_commas_are_none(tmp_path: Path) -> None:
    (groups,) = read_groups(table(tmp_path, "sample_id, camera\na, left\n"), ["a"])
    assert (groups.what, groups.names) == ("camera", ("left",))


def test_each_column_is_a_division(tmp_path: Path) -> None:
    path = table(tmp_path, "camera,sample_id,month\nleft,a,May\nright,b,May\n")
    camera, month = read_groups(path, ["b", "a"])
    assert (camera.what, camera.names, camera.of.tolist()) == ("camera", ("left", "right"), [1, 0])
    assert (month.what, month.names, month.of.tolist()) == ("month", ("May",), [0, 0])


def test_a_mark_of_the_encoding_and_repeated_rows_are_fine(tmp_path: Path) -> None:
    path = table(tmp_path, "\ufeffsample_id,camera\na,left\na,left\n")
    assert read_groups(path, ["a"], "camera")[0].names == ("left",)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "expected a column 'sample_id' but it has none"),
        ("id,camera\na,left\n", "expected a column 'sample_id' but it has 'id', 'camera'"),
        ("sample_id,lens\na,left\n", "expected a column 'camera' but it has 'sample_id', 'lens'"),
        ("sample_id,camera\na,left\na,right\n", "'a' is in 'left' and 'right'"),
        ("sample_id,camera\nz,left\n", "ids of the run's samples, such as 'a', .* there are none of them: 'z'"),
        ("sample_id,camera\na,left,May\n", "expected 2 columns but line 2 has more"),
        ("sample_id,camera,camera\na,left,right\n", "each with a name of its own"),
        (f"sample_id,camera\na,{'x' * 201}\n", "names of 1 to 200 letters by 'camera'"),
    ],
)
def test_what_does_not_fit_is_said(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(BadFile, match=said):
        read_groups(table(tmp_path, text), ["a"], "camera")


def test_a_table_of_ids_alone_divides_nothing(tmp_path: Path) -> None:
    with pytest.raises(BadFile, match="expected columns of groups beside 'sample_id'"):
        read_groups(table(tmp_path, "sample_id\na\n"), ["a"])


def test_too_many_groups_are_none(tmp_path: Path) -> None:
    rows = "".join(f"{i},{i}\n" for i in range(1001))
    with pytest.raises(BadFile, match="at most 1,000 groups by 'camera' but there are 1,001"):
        read_groups(table(tmp_path, f"sample_id,camera\n{rows}"), [str(i) for i in range(1001)], "camera")


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    path = tmp_path / "groups.csv"
    path.write_bytes(b"sample_id,camera\n\xff\xfe,x\n")
    with pytest.raises(BadFile, match="expected UTF-8"):
        read_groups(path, ["a"], "camera")
