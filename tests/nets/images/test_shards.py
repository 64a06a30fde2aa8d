"""Pictures in tar shards, Parquet files and data sets of Hugging Face, wherever they lie; and what is refused."""

from __future__ import annotations

import io
import json
import pickle
import tarfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from numpy.typing import NDArray
from PIL import Image

from cascade_core.nets import open_data
from cascade_core.nets.images import tars
from cascade_core.nets.images.pixels import Preprocessing
from cascade_core.nets.recording.precompute import precompute, precompute_to
from cascade_core.support.remote import Remote
from tests.buckets import line_to_the_server
from tests.nets.working import network
from tests.oracle import assert_one_line
from tests.runfiles import load_softmaxes

INPUTS = Preprocessing(channels=1, size=6, mean=(0.5,), std=(0.3,))
PIXELS = np.random.default_rng(0).integers(0, 256, (23, 6, 6), dtype=np.uint8)
LABELS = [int(label) for label in np.random.default_rng(1).permutation(np.arange(23) % 5)]
NAMES = ("ant", "bee", "cat", "dog", "eel")


def png(pixels: NDArray[np.uint8]) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "png")
    return stream.getvalue()


def tar(files: Sequence[tuple[str, bytes]]) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for name, raw in files:
            member = tarfile.TarInfo(name)
            member.size = len(raw)
            archive.addfile(member, io.BytesIO(raw))
    return stream.getvalue()


def shards(*, names: bool = False) -> dict[str, bytes]:
    """All samples in three shards of 10, 10 and 3, labels before or behind the pictures."""
    made = {}
    for number in range(3):
        files = []
        for i in range(10 * number, min(10 * number + 10, 23)):
            label = NAMES[LABELS[i]] if names else str(LABELS[i])
            files += [(f"x/{i:04d}.seg.json", b"{}"), (f"x/{i:04d}.PNG", png(PIXELS[i]))]
            files.insert(len(files) - i % 3, (f"x/{i:04d}.cls", f"{label}\n".encode()))
        made[f"a-{number:03d}.tar"] = tar(files)
    return made


def table(rows: slice, features: bool, *, flat: bool = False) -> bytes:
    """Some samples as Parquet, of groups of 4 rows, with or without what Hugging Face writes of classes."""
    images = [png(pixels) for pixels in PIXELS[rows]]
    said = {"info": {"features": {"label": {"names": NAMES, "_type": "ClassLabel"}, "image": {"_type": "Image"}}}}
    columns = {"image": images if flat else [{"bytes": raw, "path": None} for raw in images], "label": LABELS[rows]}
    stream = io.BytesIO()
    made = pa.table(columns).replace_schema_metadata({"huggingface": json.dumps(said)} if features else {})
    pq.write_table(made, stream, row_group_size=4)
    return stream.getvalue()


def put(folder: Path | Remote, files: dict[str, bytes]) -> None:
    for name, raw in files.items():
        if isinstance(folder, Path):
            folder.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(raw)
        else:
            (folder / name).put(io.BytesIO(raw))


def assert_all_samples(data: Any, names: Sequence[str], ids: Sequence[str]) -> None:
    assert data.labels.tolist() == LABELS
    assert data.class_names == tuple(names)
    assert (data.sample_ids[0], data.sample_ids[-1], len(set(data.sample_ids))) == (*ids, 23)
    # From anywhere, in any order.
    for i in (22, 0, 11, 9, 10, 3):
        assert (data.read(i)[..., 0] == PIXELS[i]).all()
    again = pickle.loads(pickle.dumps(data.read))
    assert (again(7)[..., 0] == PIXELS[7]).all()


@pytest.mark.parametrize("text", ["a-*.tar", "a-{000..002}.tar", ""])
def test_tar_shards(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path, {**shards(), ".hidden.tar": b"", "notes.txt": b""})
    monkeypatch.setattr(tars, "BLOCK", 700)  # pictures that lie in two blocks
    data = open_data(f"wds:{tmp_path}/{text}", INPUTS)
    assert_all_samples(data, "01234", ("a-000/x/0000", "a-002/x/0022"))
    assert data.spec == f"wds:{text or tmp_path.name}"


def test_labels_that_are_names_and_numbers_of_given_classes(tmp_path: Path) -> None:
    put(tmp_path / "named", shards(names=True))
    put(tmp_path / "numbered", shards())
    assert_all_samples(open_data(f"wds:{tmp_path}/named", INPUTS), NAMES, ("a-000/x/0000", "a-002/x/0022"))
    given = open_data(f"wds:{tmp_path}/named", INPUTS, classes="eel,dog,cat,bee,ant,fly")
    assert [given.class_names[label] for label in given.labels] == [NAMES[label] for label in LABELS]
    numbered = open_data(f"wds:{tmp_path}/numbered", INPUTS, classes=",".join(NAMES))
    assert_all_samples(numbered, NAMES, ("a-000/x/0000", "a-002/x/0022"))


@pytest.mark.parametrize("features", [False, True])
def test_parquet_files(features: bool, tmp_path: Path) -> None:
    put(tmp_path, {"b-0.parquet": table(slice(0, 15), features), "b-1.parquet": table(slice(15, 23), features)})
    data = open_data(f"parquet:{tmp_path}/b-*.parquet", INPUTS)
    assert_all_samples(data, NAMES if features else "01234", ("b-0/000000", "b-1/000007"))


def test_a_bucket_and_a_folder_record_the_same(bucket: Remote, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection that is cut in the middle ends the recording, and the same again goes on."""
    put(bucket / "set", shards())
    put(tmp_path / "set", shards())
    options: dict[str, Any] = {"batch_size": 4, "device": "cpu", "progress": False}
    wanted = precompute(network(), open_data(f"wds:{tmp_path}/set", INPUTS), **options)
    monkeypatch.setattr(tars, "BLOCK", 1 << 10)
    with line_to_the_server(monkeypatch) as line:
        data = open_data(f"wds:{bucket}/set", INPUTS)
        read = data.read

        def cut_at_12(i: int) -> Any:
            if i == 12:
                line.cut()
            return read(i)

        data.read = cut_at_12
        with pytest.raises(OSError, match=r"NETWORK_CONNECTION.*; 3 of 6 chunks are done in .*start the same") as error:
            precompute_to(tmp_path / "run", network(), data, chunk_size=4, **options)
    assert_one_line(error.value, f"Cannot read {bucket}/set/a-001.tar: ")
    assert len(list((tmp_path / "run").glob("part-*"))) == 3
    model = network()
    precompute_to(tmp_path / "run", model, open_data(f"wds:{bucket}/set", INPUTS), chunk_size=4, **options)
    pause: Any = model.trunk[0]
    assert 11 <= pause[0].samples <= 11 + 4
    assert load_softmaxes(tmp_path / "run").probs.tobytes() == wanted.probs.tobytes()


BROKEN = tar([("a.png", b"no picture"), ("a.cls", b"1")])


@pytest.mark.parametrize(
    ("files", "text", "message"),
    [
        ({}, "wds:{}/a-*.tar", r"Expected files called .*a-\*\.tar but there are none"),
        ({}, "wds:{}/a-{{9..3}}.tar", r"Expected rising numbers, .* but they were \{9\.\.3\}"),
        ({}, "wds:{}/a.tar", r"Cannot read .*/a\.tar: no such file or directory"),
        ({"a.tar": shards()["a-000.tar"][:3000]}, "wds:{}", r"Cannot read .*/a\.tar: unexpected end of data"),
        ({"a.tar": b"\x1f\x8b" + b"x" * 2000}, "wds:{}", r"Cannot read .*/a\.tar: "),
        ({"a.tar": tar([("a.png", b"x")])}, "wds:{}", r"sample 'a' to have a label called .* but there are png"),
        ({"a.tar": tar([("a.cls", b"1")])}, "wds:{}", r"sample 'a' to have a picture called .* but there are cls"),
        ({"a.tar": tar([("a.png", b"x"), ("a.cls", b" ")])}, "wds:{}", r"a label in a\.cls, a number or a name"),
        (
            {"a.tar": tar([("a.png", b"x"), ("a.cls", b"9" * 40)])},
            "wds:{}",
            "from 0 to 1,048,575 but they go from 9",
        ),
        ({"a.tar": tar([])}, "wds:{}", "to hold samples but there are none"),
        ({"a.parquet": b"PAR1"}, "parquet:{}", r"Cannot read .*/a\.parquet: expected a Parquet file"),
    ],
)
def test_what_is_refused(files: dict[str, bytes], text: str, message: str, tmp_path: Path) -> None:
    put(tmp_path, files)
    with pytest.raises(ValueError, match=message) as error:
        open_data(text.format(tmp_path), INPUTS)
    assert "\n" not in str(error.value)


def test_parquet_that_is_refused(tmp_path: Path) -> None:
    columns = {"label": [0, 7], "image": [b"x", None]}
    for names, message in (
        (("label",), "a column of pictures called image, .* but there are "),
        (("image",), "a column of labels called label, .* but there are "),
    ):
        pq.write_table(pa.table({name: columns[name] for name in names}), tmp_path / "a.parquet")
        with pytest.raises(ValueError, match=message):
            open_data(f"parquet:{tmp_path}", INPUTS)
    pq.write_table(pa.table(columns), tmp_path / "a.parquet")
    data = open_data(f"parquet:{tmp_path}", INPUTS)
    with pytest.raises(ValueError, match="Expected an image in a/000000 but it cannot be read"):
        data.read(0)
    with pytest.raises(ValueError, match="Expected an image in a/000001 but it has no bytes"):
        data.read(1)


def test_hugging_face(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    datasets = pytest.importorskip("datasets", reason="datasets is not installed: requirements-data.txt")
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    folder = tmp_path / "set"
    put(folder, {"test-0.parquet": table(slice(0, 23), True), "train-0.parquet": table(slice(0, 4), True)})
    data = open_data(f"hf:{folder}", INPUTS)
    assert_all_samples(data, NAMES, ("test/000000", "test/000022"))
    assert len(open_data(f"hf:{folder}", INPUTS, split="train")) == 4
    # Neither the network is asked, nor is code of a data set run.
    with pytest.raises(ValueError, match=r"Expected hf:nobody/has-this to be a data set of images but .*--download"):
        open_data("hf:nobody/has-this", INPUTS)
    ran = tmp_path / "ran"
    (folder / "set.py").write_text(f"open({str(ran)!r}, 'w')")
    with pytest.raises(ValueError, match=r"Expected hf:.* to be a data set of images but"):
        open_data(f"hf:{folder}", INPUTS)
    assert not ran.exists()
