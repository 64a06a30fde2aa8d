"""Pictures are found by ids among listings alone, opened with limits, and made small with their pixels as they are."""

from __future__ import annotations

import base64
import io
import os
import struct
import threading
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_digits

from cascade_core.storage.origin import Origin
from cascade_core.storage.pictures import (
    SIDE,
    PictureFolder,
    PictureFolders,
    Thumbnail,
    are_built_in,
    digit_thumbnail,
    file_thumbnail,
    in_colour,
    opened_picture,
    thumbnail,
)
from cascade_core.support.files import BadFile, Contents
from tests.traps import ghostscript_trap


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Pictures in data/, and beside it what must stay out of reach."""
    for name in ("data/cat/0001.png", "data/dog/sub/0001.PNG", "secret.png"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (4, 2), (10, 20, 30)).save(path, "PNG")
    (tmp_path / "data" / "cat" / "notes.txt").write_text("no picture")
    (tmp_path / "data" / "folder.png").mkdir()
    return tmp_path / "data"


def decoded(found: Thumbnail) -> Image.Image:
    return Image.open(io.BytesIO(found.data))


def test_ids_name_files_at_any_depth(folder: Path) -> None:
    pictures = PictureFolder(folder)
    assert pictures.find("cat/0001.png") == folder / "cat" / "0001.png"
    assert pictures.find("dog/sub/0001.PNG") == folder / "dog" / "sub" / "0001.PNG"


@pytest.mark.parametrize(
    "sample_id",
    [
        "../../etc/passwd",
        "../secret.png",
        "cat/../../secret.png",
        "cat/../cat/0001.png",
        "./cat/0001.png",
        "/etc/passwd",
        "",
        "cat",
        "cat/",
        "cat//0001.png",
        "cat\\0001.png",
        "cat/0001.png/",
        "cat/0001.png\x00",
        "cat/notes.txt",
        "folder.png",
        "~/0001.png",
        "/".join(["cat"] * 5000),
    ],
)
def test_other_ids_name_nothing(folder: Path, sample_id: str) -> None:
    assert PictureFolder(folder).find(sample_id) is None


def test_an_absolute_path_as_id_names_nothing(folder: Path) -> None:
    assert PictureFolder(folder).find(str(folder / "cat" / "0001.png")) is None


def test_only_regular_files_are_pictures(folder: Path) -> None:
    os.mkfifo(folder / "pipe.png")
    (folder / "nowhere.png").symlink_to(folder / "absent.png")
    assert PictureFolder(folder).find("pipe.png") is None
    assert PictureFolder(folder).find("nowhere.png") is None


@pytest.mark.parametrize("root", ["nowhere", "~nobody-of-that-name/data", "x" * 5000, "\x00", "file.png"])
def test_a_missing_folder_is_refused(tmp_path: Path, root: str) -> None:
    (tmp_path / "file.png").touch()
    with pytest.raises(ValueError, match=r"Expected a folder of pictures at '.*' but there is none"):
        PictureFolder(root if root.startswith("~") else tmp_path / root)


def test_small_pictures_are_enlarged_pixel_by_pixel() -> None:
    random = np.random.default_rng(0)
    pixels = random.integers(0, 256, (32, 32, 3), dtype=np.uint8)
    found = thumbnail(Image.fromarray(pixels))
    assert found.crisp
    assert found.mime == "image/png"
    # 32 pixels fill 128 four times.
    np.testing.assert_array_equal(np.asarray(decoded(found)), pixels.repeat(4, axis=0).repeat(4, axis=1))


def test_factors_are_whole() -> None:
    # 128 / 28 is 4.57: each pixel becomes 4 by 4.
    assert decoded(thumbnail(Image.new("L", (28, 20)))).size == (112, 80)
    assert decoded(thumbnail(Image.new("L", (SIDE, 1)))).size == (SIDE, 1)


def test_large_pictures_are_made_smaller(tmp_path: Path) -> None:
    Image.new("RGB", (640, 320), (200, 100, 50)).save(tmp_path / "large.jpg")
    found = file_thumbnail(tmp_path / "large.jpg")
    assert not found.crisp
    assert decoded(found).size == (128, 64)
    assert np.abs(np.asarray(decoded(found)).astype(int) - (200, 100, 50)).max() <= 3
    assert base64.b64decode(found.uri.removeprefix("data:image/jpeg;base64,")) == found.data


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGBA", "I;16", "CMYK"])
def test_every_kind_of_pixel_is_shown(tmp_path: Path, mode: str) -> None:
    path = tmp_path / ("one.jpg" if mode == "CMYK" else "one.png")
    Image.new(mode, (8, 8)).save(path)
    assert decoded(file_thumbnail(path)).size == (SIDE, SIDE)


def png(width: int, height: int) -> bytes:
    """A small file that declares any size."""
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    data = b"IDAT" + zlib.compress(b"")
    chunks = (struct.pack(">I", len(one) - 4) + one + struct.pack(">I", zlib.crc32(one)) for one in (header, data))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


@pytest.mark.parametrize(("width", "height"), [(8200, 8200), (60_000, 60_000)])
def test_bombs_are_refused_before_they_are_decoded(tmp_path: Path, width: int, height: int) -> None:
    (tmp_path / "bomb.png").write_bytes(png(width, height))
    with pytest.raises(BadFile, match=r"bomb.png: .*(at most 40,000,000 pixels|exceeds limit)"):
        file_thumbnail(tmp_path / "bomb.png")


@pytest.mark.parametrize(
    "content", [b"", b"no picture", png(4, 4), b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n"]
)
def test_what_is_no_picture_is_one_line(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "one.png").write_bytes(content)
    with pytest.raises(BadFile, match=r"Cannot read .*one.png: "):
        file_thumbnail(tmp_path / "one.png")


def test_texts_in_a_picture_are_not_unpacked_without_a_limit(tmp_path: Path) -> None:
    """64 kB that would be 64 MB."""
    stream = io.BytesIO()
    Image.new("RGB", (4, 4)).save(stream, "PNG")
    raw, content = stream.getvalue(), b"zTXtkey\0\0" + zlib.compress(bytes(64 << 20))
    chunk = struct.pack(">I", len(content) - 4) + content + struct.pack(">I", zlib.crc32(content))
    # After the signature and the header, which take 33 bytes.
    (tmp_path / "text.png").write_bytes(raw[:33] + chunk + raw[33:])
    with pytest.raises(BadFile, match=r"Cannot read .*text\.png: Decompressed data too large"):
        file_thumbnail(tmp_path / "text.png")


def test_of_a_moving_picture_the_first_frame_is_shown(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (4, 4), colour) for colour in ("red", "blue", "lime")]
    frames[0].save(tmp_path / "moving.webp", save_all=True, append_images=frames[1:], lossless=True)
    with Image.open(io.BytesIO(file_thumbnail(tmp_path / "moving.webp").data)) as shown:
        assert shown.convert("RGB").getpixel((0, 0)) == (255, 0, 0)


def test_digits_are_built_in() -> None:
    assert are_built_in(Origin.of({"dataset": "digits"}))
    assert not are_built_in(Origin.of({"dataset": "imagefolder:digits"}))
    assert not are_built_in(Origin.of({"dataset": ["digits"]}))
    found = digit_thumbnail("digits/0042")
    assert found is not None
    ink = load_digits().images[42]
    # Sixteen levels of ink, dark on light; 8 pixels fill 128 sixteen times.
    shown = np.asarray(decoded(found))[8::16, 8::16]
    np.testing.assert_array_equal(shown, 255 - np.round(ink * 255 / 16).astype(np.uint8))


@pytest.mark.parametrize("sample_id", ["digits/1797", "digits/42", "digits/00042", "digits/-001", "42", "digits/०००१"])
def test_ids_that_name_no_digit_have_no_picture(sample_id: str) -> None:
    assert digit_thumbnail(sample_id) is None


def test_several_folders_are_looked_through_in_order(folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "other" / "cat" / "0001.png"
    other.parent.mkdir(parents=True)
    Image.new("RGB", (4, 2)).save(other)
    (tmp_path / "other" / "new.png").write_bytes(other.read_bytes())
    folders = PictureFolders(os.pathsep.join(map(str, (tmp_path / "nowhere", folder, "", tmp_path / "other"))))
    assert folders.find("cat/0001.png") == folder / "cat" / "0001.png"
    assert folders.find("new.png") == tmp_path / "other" / "new.png"
    assert folders.find("../secret.png") is None
    assert folders.missing == [f"Expected a folder of pictures at '{tmp_path / 'nowhere'}' but there is none"]
    assert PictureFolders("").find("new.png") is None


def test_no_other_program_is_started_for_a_picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file, started = ghostscript_trap(tmp_path / "a.png", monkeypatch)
    with pytest.raises(BadFile, match="it is damaged, or none of PNG"):
        file_thumbnail(file)
    assert not started.exists()


def test_sixteen_bits_are_shown_as_the_grey_that_they_are(tmp_path: Path) -> None:
    Image.fromarray(np.full((SIDE, SIDE), 79 * 256, np.uint16)).save(tmp_path / "a.png")
    shown = np.asarray(decoded(file_thumbnail(tmp_path / "a.png")))
    assert shown.reshape(-1, 3).tolist() == [[79, 79, 79]] * SIDE**2


def test_filters_of_warnings_are_as_before_however_threads_overlap() -> None:
    """The first to begin ends first; both see no warning of Pillow's, and others are seen."""
    stream = io.BytesIO()
    Image.new("RGB", (4, 2)).save(stream, "PNG")
    source, began, ended = Contents(name="a.png", raw=stream.getvalue()), threading.Event(), threading.Event()
    before = list(warnings.filters)

    def second() -> None:
        with opened_picture(source, 8):
            began.set()
            ended.wait()

    thread = threading.Thread(target=second)
    with opened_picture(source, 8) as image:
        thread.start()
        began.wait()
        assert in_colour(image).size == (4, 2)
    assert list(warnings.filters) != before
    ended.set()
    thread.join()
    assert list(warnings.filters) == before
