"""A folder of pictures as nobody would wish for: odd ones that can be read, broken ones, and things that are none."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
from PIL import Image


def hostile_pictures(folder: Path) -> tuple[int, int]:
    """Fill `folder`; the numbers of files that can be classified, and of those that look like pictures and cannot."""
    colour = Image.fromarray(np.random.default_rng(0).integers(0, 256, (40, 30, 3), dtype=np.uint8))
    good = {
        "cmyk.jpg": colour.convert("CMYK"),
        "palette.png": colour.convert("P"),
        "alpha.webp": colour.convert("RGBA"),
        "grey.bmp": colour.convert("L"),
        "sixteen.png": Image.fromarray(np.full((9, 9), 30_000, np.uint16)),
        "one pixel.png": colour.resize((1, 1)),
        "long.png": colour.resize((3000, 1)),
        "ünï \N{CAT FACE}.png": colour,
        "tab\tnew\nline.png": colour,
    }
    for name, image in good.items():
        image.save(folder / name)
    colour.save(folder / "moving.gif", save_all=True, append_images=[colour])
    (folder / "folder.png").mkdir()
    colour.save(folder / "folder.png" / "inner.png")
    whole = (folder / "folder.png" / "inner.png").read_bytes()
    (folder / os.fsdecode(b"no text \xff.png")).write_bytes(whole)
    bad = {"cut.png": whole[:200], "empty.jpg": b"", "no picture.png": b"no picture"}
    for name, content in bad.items():
        (folder / name).write_bytes(content)
    Image.new("1", (20_000, 20_000)).save(folder / "bomb.png")
    Image.fromarray(np.ones((8, 8), np.float32)).save(folder / "fractions.tif")
    (folder / "leads nowhere.png").symlink_to("nowhere")
    os.mkfifo(folder / "pipe.png")
    return len(good) + 3, len(bad) + 2
