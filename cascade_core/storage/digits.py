"""scikit-learn's 1,797 8x8 digits, which need no file: a data set to train on, and pictures to show."""

from __future__ import annotations

import re
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

_ID = re.compile(r"digits/([0-9]{4})")


@cache
def digits() -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """(1797, 8, 8) grey pixels, light on dark, and (1797,) what each shows."""
    rows = _rows()
    return np.round(rows[:, :-1].reshape(-1, 8, 8) * (255 / 16)).astype(np.uint8), rows[:, -1].astype(np.int64)


def _rows() -> NDArray[np.float64]:
    """(1797, 65) grey values up to 16, and what each row shows."""
    # scikit-learn takes seconds to import, and a tenth of one to be read without.
    spec = find_spec("sklearn")
    for folder in (spec.submodule_search_locations if spec else None) or ():
        path = Path(folder, "datasets", "data", "digits.csv.gz")
        if path.is_file():
            return np.loadtxt(path, delimiter=",")
    from sklearn.datasets import load_digits

    loaded = load_digits()
    return np.column_stack([loaded.data, loaded.target])


def digit_id(number: int) -> str:
    """The sample id of a digit."""
    return f"digits/{number:04d}"


def digit_pixels(sample_id: str) -> NDArray[np.uint8] | None:
    """(8, 8) pixels of a digit, light on dark; None if the id names none."""
    match = _ID.fullmatch(sample_id)
    pixels, _ = digits()
    return None if match is None or int(match[1]) >= len(pixels) else pixels[int(match[1])]
