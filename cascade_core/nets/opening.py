"""Labelled samples by name, prepared for a network of images or of texts."""

from __future__ import annotations

from typing import overload

from cascade_core.nets.images.datasets import ImageSet, open_images
from cascade_core.nets.images.pixels import Preprocessing
from cascade_core.nets.texts.datasets import TextSet, open_texts
from cascade_core.nets.texts.tokens import Tokens
from cascade_core.support import checks


@overload
def open_data(
    spec: str, inputs: Preprocessing, *, split: str = ..., download: bool = ..., classes: str | None = ...
) -> ImageSet: ...
@overload
def open_data(
    spec: str, inputs: Tokens, *, split: str = ..., download: bool = ..., classes: str | None = ...
) -> TextSet: ...


@overload
def open_data(
    spec: str, inputs: Preprocessing | Tokens, *, split: str = ..., download: bool = ..., classes: str | None = ...
) -> ImageSet | TextSet: ...


def open_data(
    spec: str,
    inputs: Preprocessing | Tokens,
    *,
    split: str = "test",
    download: bool = False,
    classes: str | None = None,
) -> ImageSet | TextSet:
    """Open `KIND` or `KIND:PATH`.

    Args:
        inputs: What the network takes.
        split: "train" or "test"; which half of the set (a folder and a file have none, there it is only noted).
        download: Whether torchvision may fetch what is absent.
        classes: Names of the network's classes in its order, as `Classes.read` takes them; without them the set's own,
            or those of a network of texts.

    Warns:
        UserWarning: Class folders stand in another order by number than by letter, or texts are cut.

    Raises:
        ValueError: The kind is unknown or not the network's, the path is missing, there is nothing at it, or a class
            has no such name.
    """
    checks.one_of("split", split, ("train", "test"))
    if isinstance(inputs, Tokens):
        return open_texts(spec, inputs, split=split, classes=classes)
    return open_images(spec, inputs, split=split, download=download, classes=classes)
