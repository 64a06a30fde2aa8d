"""A bundle's run.py, without torch: pictures in, lines out, and one line for whatever is wrong."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import warnings
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from torch import Tensor

from cascade_core.nets.images.pixels import Preprocessing, normalise, open_image, preprocess
from cascade_core.nets.running import bundled_run
from cascade_core.nets.running.bundled_run import Bundle, _visible
from cascade_core.nets.staged import StagedModel
from cascade_core.storage import pictures
from cascade_core.support.visible import visible
from tests.names import hostile_names, is_clean
from tests.nets.hostile import hostile_pictures
from tests.nets.running.bundles import CLASSES, DIGITS, IMAGES, changed, run
from tests.oddvalues import with_odd_values
from tests.traps import ghostscript_trap


def run_without(module: str, folder: Path, pictures: Path) -> subprocess.CompletedProcess[str]:
    """A bundle's run.py on pictures, where a module is missing."""
    script = f"import sys, runpy; sys.argv = ['run.py', {str(pictures)!r}]; sys.modules[{module!r}] = None; "
    script += f"sys.path.insert(0, {str(folder)!r}); "  # as Python does for a program that it is given
    script += f"runpy.run_path({str(folder / 'run.py')!r}, run_name='__main__')"
    return subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)


def test_classifies_pictures_from_the_command_line_without_torch(
    written: tuple[StagedModel, Path], images: Tensor, tmp_path: Path
) -> None:
    _, folder = written
    wanted = Bundle(folder)
    for i in range(6):
        Image.fromarray(DIGITS.read(i).squeeze(2), mode="L").save(tmp_path / f"{i}.png")
    (tmp_path / "broken.png").write_bytes(b"no picture")
    np.save(tmp_path / "some.npy", images[:2].numpy())
    done = run_without("torch", folder, tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith("error: Expected a picture in ")
    assert done.stderr.splitlines()[1:] == ["1 of 8 files were not classified"]
    predictions, _, stages = wanted(np.concatenate([images[:6].numpy(), images[:2].numpy()]))
    rows = [line.split("\t") for line in done.stdout.splitlines()]
    assert [row[1] for row in rows] == [CLASSES[k] for k in predictions]
    assert [row[3] for row in rows] == [wanted.stages[stage] for stage in stages]


@pytest.mark.parametrize(
    ("missing", "said"),
    [("onnxruntime", "pip install onnxruntime pillow"), ("PIL", "Pillow is missing, which reads pictures")],
)
def test_a_missing_library_is_one_line(
    written: tuple[StagedModel, Path], tmp_path: Path, missing: str, said: str
) -> None:
    for name in ("a.png", "b.png"):
        Image.new("L", (8, 8)).save(tmp_path / name)
    done = run_without(missing, written[1], tmp_path)
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (2, "", 1)
    assert said in done.stderr


@pytest.mark.parametrize("size", [(40, 30), (30, 41), (16, 16), (20, 20)])
def test_pictures_are_prepared_as_for_training(
    written: tuple[StagedModel, Path], tmp_path: Path, size: tuple[int, int]
) -> None:
    """Of another size: scaled and cropped to the pixel as torchvision does."""
    pixels = np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "p.png")
    bundle = Bundle(written[1])
    for wanted in (
        Preprocessing(size=16, resize=20),
        Preprocessing(size=16, interpolation="bicubic"),
        replace(IMAGES, size=10, resize=13),
    ):
        bundle.manifest["images"] = wanted.describe()
        expected = normalise(preprocess(open_image(tmp_path / "p.png"), wanted)[None], wanted)
        np.testing.assert_allclose(bundle.prepare(tmp_path / "p.png"), expected.numpy(), atol=1e-6)


def test_a_damaged_or_missing_file_is_named(written: tuple[StagedModel, Path], tmp_path: Path) -> None:
    copied = tmp_path / "copy"
    copied.mkdir()
    for file in written[1].iterdir():
        (copied / file.name).write_bytes(file.read_bytes())
    stage = copied / "stage_1.onnx"
    stage.write_bytes(stage.read_bytes()[:-1])
    with pytest.raises(ValueError, match=r"stage_1\.onnx as it was written but its SHA-256 differs"):
        Bundle(copied)
    stage.unlink()
    with pytest.raises(ValueError, match=r"the file .*stage_1\.onnx of the bundle but there is none"):
        Bundle(copied)
    other = json.loads((copied / "choice.json").read_text())
    other["rule"]["thresholds"][0]["stage"] = "elsewhere"
    with pytest.raises(ValueError, match=r"a choice for .*, not elsewhere"):
        Bundle(written[1]).set_choice(other)


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        (["stages"], None, "its stages are no list of texts"),
        (["stages"], ["one"], r"it names \d files and \d heads for 1 stages"),
        (["files", 0], "../copied/stage_0.onnx", "its sha256 are not those of its files"),
        (["files"], 3, "its files are no list of texts"),
        (["heads"], None, "its heads are no list of texts"),
        (["heads"], [], r"it names \d files and 0 heads for"),
        (["classes"], [1, 2], "its classes are no list of texts"),
        (["sha256"], {}, "its sha256 are not those of its files"),
        (["sha256", "stage_0.onnx"], "0" * 64, r"stage_0\.onnx as it was written but its SHA-256 differs"),
        (["images"], [], "its images have no size"),
        (["images", "size"], 1e9, "its images have no size"),
        (["images", "std"], [0], "its images have no mean, std and interpolation"),
        (["images", "interpolation"], "__class__", "its images have no mean, std and interpolation"),
    ],
)
def test_a_tampered_manifest_is_refused(copied: Path, path: list[str | int], value: object, words: str) -> None:
    changed(copied / "manifest.json", *path, value=value)
    with pytest.raises(ValueError, match=words):
        Bundle(copied)


def test_files_outside_the_folder_are_not_read(copied: Path) -> None:
    manifest = json.loads((copied / "manifest.json").read_text())
    (copied.parent / "outside.onnx").write_bytes((copied / "stage_0.onnx").read_bytes())
    manifest["files"][0] = "../outside.onnx"
    manifest["sha256"]["../outside.onnx"] = manifest["sha256"].pop("stage_0.onnx")
    (copied / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(ValueError, match=r"its file '\.\./outside\.onnx' would lie elsewhere"):
        Bundle(copied)


def test_a_stage_that_is_none_is_one_line(copied: Path) -> None:
    """Even with its digest in the manifest."""
    (copied / "stage_0.onnx").write_bytes(b"no network")
    digest = hashlib.sha256(b"no network").hexdigest()
    changed(copied / "manifest.json", "sha256", "stage_0.onnx", value=digest)
    with pytest.raises(ValueError, match=r"Expected a stage of a network in .*stage_0\.onnx but") as caught:
        Bundle(copied)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        (["rule"], None, "it lacks"),
        (["rule", "thresholds"], [], "Expected a choice for .*, not "),
        (["rule", "thresholds", 0, "threshold"], float("nan"), "float32 numbers"),
        (["rule", "thresholds", 0, "threshold"], 1e300, "float32 numbers"),
        (["rule", "thresholds", 0, "threshold"], "0.5", "float32 numbers"),
        (["rule", "thresholds", 0, "threshold"], [0.5] * 10, "one for each of 10 classes"),
        (["rule", "thresholds", 0, "threshold"], 10**400, "float32 numbers"),
        (["rule", "temperature"], 1, "or 3, without a temperature"),
        (["schema_version"], 2, "version 1 or 2, without a pool"),
        (["schema_version"], 4, "a choice of version 1 or 2"),
        (["rule", "pool"], 3, r"weights for each of \d stages"),
        (["rule", "pool"], {"weights": [[1.0]]}, r"weights for each of \d stages"),
        (["rule", "score"], "__import__", "a score of max_probability, margin, negative_entropy"),
        (["rule", "top_k"], 11, "a top_k"),
        (["stages", 0, "cumulative_macs"], "many", "MACs it can have"),
    ],
)
def test_a_choice_that_is_none_is_refused(copied: Path, path: list[str | int], value: object, words: str) -> None:
    changed(copied / "choice.json", *path, value=value)
    with pytest.raises(ValueError, match=words):
        Bundle(copied)


@pytest.mark.parametrize(
    "row", [[1.0], [0, 0, 1], ["0", 1], [0, 1e7], [0, -(10**400)], [float("nan"), 1], [0, True], 3]
)
def test_a_pool_that_is_none_is_refused(copied: Path, row: object) -> None:
    count = len(json.loads((copied / "manifest.json").read_text())["stages"])
    rows: list[object] = [[0] * stage + [1] for stage in range(count)]
    rows[1] = row
    changed(copied / "choice.json", "rule", "pool", value={"weights": rows})
    with pytest.raises(ValueError, match="2 weights up to 1e6 at stage 1"):
        Bundle(copied)


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b"[" * 100_000, b"[]", b'{"rule": 1' + b"0" * 5000 + b"}"])
def test_a_choice_that_is_no_json_is_one_line(copied: Path, content: bytes) -> None:
    (copied / "choice.json").write_bytes(content)
    with pytest.raises(ValueError, match="Expected"):
        Bundle(copied)


def test_a_hostile_folder_stops_nothing(written: tuple[StagedModel, Path], tmp_path: Path) -> None:
    good, bad = hostile_pictures(tmp_path)
    np.save(tmp_path / "text.npy", np.full((1, 1, 8, 8), "x"))
    np.save(tmp_path / "nan.npy", np.full((1, 1, 8, 8), np.nan))
    np.save(tmp_path / "shape.npy", np.zeros((1, 3, 8, 8)))
    status, rows, errors = run(written[1], str(tmp_path))
    assert status == 1
    assert len(rows) == good
    assert all(row.count("\t") == 4 for row in rows)
    assert len(errors) == bad + 3 + 1
    assert all(error.startswith("error: Expected a picture in ") for error in errors[:-1])
    assert errors[-1] == f"{bad + 3} of {good + bad + 3} files were not classified"


def test_statuses_of_the_bundle(written: tuple[StagedModel, Path], tmp_path: Path) -> None:
    (tmp_path / "broken.png").write_bytes(b"no picture")
    (tmp_path / "none").mkdir()
    assert run(written[1], str(tmp_path / "broken.png"))[0] == 2
    assert run(written[1], str(tmp_path / "nowhere.png"))[0] == 2
    status, _, errors = run(written[1], str(tmp_path / "none"))
    assert (status, errors) == (2, [f"error: Expected pictures in {tmp_path / 'none'} but there are none"])
    status, out, errors = run(written[1])
    assert (status, out) == (2, [])
    assert errors[-1].endswith("error: the following arguments are required: PICTURE_OR_FOLDER")
    Image.fromarray(np.full((8, 8), 30_000, np.uint16)).save(tmp_path / "sixteen.png")
    assert run(written[1], str(tmp_path / "sixteen.png"))[0] == 0


def test_sixteen_bits_are_prepared_as_for_training(written: tuple[StagedModel, Path], tmp_path: Path) -> None:
    ramp = np.arange(64, dtype=np.uint16).reshape(8, 8) * 1000
    Image.fromarray(ramp).save(tmp_path / "p.png")
    expected = normalise(preprocess(open_image(tmp_path / "p.png"), IMAGES)[None], IMAGES)
    np.testing.assert_allclose(Bundle(written[1]).prepare(tmp_path / "p.png"), expected.numpy(), atol=1e-6)


def test_a_reader_that_has_enough_ends_it_quietly(written: tuple[StagedModel, Path], tmp_path: Path) -> None:
    for i in range(2000):
        (tmp_path / f"{i}.png").symlink_to(tmp_path / "0.png") if i else Image.new("L", (8, 8)).save(tmp_path / "0.png")
    command = [sys.executable, "-u", str(written[1] / "run.py"), str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stderr
        assert process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""


def test_a_threshold_out_of_reach_is_off_and_said(copied: Path, images: Tensor) -> None:
    file, bundle = copied / "choice.json", Bundle(copied)
    changed(file, "rule", "thresholds", 0, "threshold", value=None)
    bundle.set_choice(json.loads(file.read_text()))
    expected = bundle(images.numpy())
    changed(file, "rule", "thresholds", 0, "threshold", value=90)
    with pytest.warns(UserWarning, match="no confidence reaches the threshold 90: it is off, as null is"):
        bundle.set_choice(json.loads(file.read_text()))
    assert bundle.rule.thresholds[0].tolist() == [np.inf]
    for found, wanted in zip(bundle(images.numpy()), expected, strict=True):
        np.testing.assert_array_equal(found, wanted)
    np.save(copied / "one.npy", images[:1].numpy())
    status, rows, errors = run(copied, str(copied / "one.npy"))
    assert (status, len(rows), len(errors)) == (0, 1, 1)
    assert errors[0].startswith("note: no confidence reaches the threshold 90")


def test_pictures_are_opened_by_the_page_s_rules(
    written: tuple[StagedModel, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the same readers, so that no other program is started; and no pipe is waited for."""
    assert (bundled_run.FORMATS, bundled_run.MAX_PIXELS) == (pictures.FORMATS, pictures.MAX_PIXELS)
    bundle = Bundle(written[1])
    file, started = ghostscript_trap(tmp_path / "a.png", monkeypatch)
    with pytest.raises(ValueError, match=r"Expected a picture in .* but cannot identify image file"):
        bundle.prepare(file)
    assert not started.exists()
    for name in ("pipe.png", "pipe.npy"):
        os.mkfifo(tmp_path / name)
        with pytest.raises(ValueError, match="there is no regular file"):
            bundle.prepare(tmp_path / name)


def test_its_filter_is_that_of_the_package() -> None:
    every = "".join(map(chr, range(sys.maxunicode + 1)))
    assert _visible(every) == visible(every)


def test_names_that_a_terminal_would_obey_are_shown(copied: Path, tmp_path: Path) -> None:
    Image.new("L", (8, 8)).save(tmp_path / "p\x1b[2J\u202e.png")
    (tmp_path / "broken\u200b\x1b[2J.png").write_bytes(b"no picture")
    manifest = json.loads((copied / "manifest.json").read_text())
    names = [f"{number}{name}" for number, name in enumerate(hostile_names(4, len(manifest["stages"])))]
    rows = json.loads((copied / "choice.json").read_text())["rule"]["thresholds"]
    changed(copied / "manifest.json", "stages", value=names)
    changed(copied / "manifest.json", "classes", value=[f"c\x1b[31m\u2028\u3164{i}" for i in range(len(CLASSES))])
    files = [str(file) for file in sorted(tmp_path.glob("*.png"))]
    for name, row in zip(names, rows, strict=True):
        row["stage"] = name
    status, out, errors = run(copied, *files)  # the choice names the stages of before
    assert (status, out, len(errors)) == (2, [], 1)
    assert is_clean(errors[0])
    changed(copied / "choice.json", "rule", "thresholds", value=rows)
    changed(copied / "choice.json", "rule", "thresholds", 0, "threshold", value=7)
    status, out, errors = run(copied, *files)
    assert status == 1
    assert len(out) == 1
    assert len(errors) == 3
    assert all(is_clean(line, keep="\t") for line in out + errors)
    assert "p\\x1b[2J\\u202e.png\tc\\x1b[31m" in out[0]


def test_any_odd_value_in_any_place_is_a_choice_or_one_line(copied: Path) -> None:
    bundle = Bundle(copied)
    choice = json.loads((copied / "choice.json").read_text())

    for spoiled in with_odd_values(choice):
        with warnings.catch_warnings(), suppress(ValueError):
            warnings.simplefilter("ignore")
            bundle.set_choice(spoiled)
            assert all(np.isfinite(w) for row in bundle.rule.weights for w in row)
            assert all(column.dtype == np.float32 for column in bundle.rule.thresholds)
            assert not any(np.isnan(column).any() for column in bundle.rule.thresholds)
            assert all(0 <= macs < 1 << 63 for macs in bundle.rule.macs)
