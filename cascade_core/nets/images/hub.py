"""Data sets of Hugging Face by name or folder, `hf:NAME` or `hf:FOLDER`, where `datasets` is installed.

The library finds out which files are which part of a data set, and converts them once into a form of its own, in its
own cache, of which samples are read by number.  Names are looked up there; what is not is fetched with `--download`
alone.  It runs no code of a data set.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from cascade_core.nets.faults import reason
from cascade_core.nets.images.labelled import LABELS, PICTURES, Labelled, labelled, likeliest
from cascade_core.nets.images.pixels import Pixels, open_image
from cascade_core.support.extras import require
from cascade_core.support.files import Contents

SPLITS: Mapping[str, tuple[str, ...]] = {"train": ("train",), "test": ("test", "validation", "valid", "val")}
"""What a split may be called, the likeliest first."""


@dataclass(frozen=True, kw_only=True)
class HubPictures:
    """N pictures of a data set, read by number.

    Attributes:
        rows: The data set, whose pictures are not decoded.
        column: Of pictures.
        split: What its split is called.
    """

    rows: Any
    column: str
    split: str

    def __call__(self, i: int) -> Pixels:
        """Pixels of picture i, as stored.

        Raises:
            ValueError: It is no picture.
        """
        found = self.rows[i][self.column]
        raw = found["bytes"] if isinstance(found, Mapping) else found
        if raw is None:
            raise ValueError(f"Expected an image in {self.name(i)} but it has no bytes")
        return open_image(Contents(name=self.name(i), raw=raw))

    def name(self, i: int) -> str:
        """What sample i is called."""
        return f"{self.split}/{i:06d}"


def open_hub(name: str, split: str, *, download: bool) -> tuple[HubPictures, Labelled]:
    """Pictures and labels of a data set.

    Args:
        name: A folder, or a data set's name on the hub.
        split: "train" or "test"; of a data set without a test split, its validation split is that.
        download: Whether what is not on this machine may be fetched.

    Raises:
        MissingExtra: `datasets` is not installed.
        ValueError: There is no such data set, split, or column.
    """
    require("data")
    import datasets

    try:
        with _quiet(datasets, offline=not download):
            parts = datasets.load_dataset(name)
    # Its readers of foreign files raise errors of every kind.
    except Exception as error:
        remedy = "" if download else "; --download fetches what is not on this machine"
        raise ValueError(f"Expected hf:{name} to be a data set of images but {reason(error)}{remedy}") from None
    called = next((one for one in SPLITS[split] if one in parts), None)
    if called is None:
        raise ValueError(f"Expected hf:{name} to have a {split} split but it has {', '.join(parts)}")
    rows = parts[called]
    picture = likeliest(rows.column_names, PICTURES, "a column of pictures", f"hf:{name}")
    label = likeliest(rows.column_names, LABELS, "a column of labels", f"hf:{name}")
    names = getattr(rows.features[label], "names", None)
    if isinstance(rows.features[picture], datasets.Image):
        rows = rows.cast_column(picture, datasets.Image(decode=False))
    return HubPictures(rows=rows, column=picture, split=called), labelled(list(rows[label]), names, f"hf:{name}")


@contextmanager
def _quiet(datasets: Any, *, offline: bool) -> Iterator[None]:
    """Within the block it shows no bars, and asks no other machine where it must not."""
    import huggingface_hub.constants as hub

    places: list[Any] = [datasets.config, hub]
    before = [(place, place.HF_HUB_OFFLINE) for place in places]
    datasets.disable_progress_bars()
    for place, value in before:
        place.HF_HUB_OFFLINE = offline or value
    try:
        yield
    finally:
        for place, value in before:
            place.HF_HUB_OFFLINE = value
