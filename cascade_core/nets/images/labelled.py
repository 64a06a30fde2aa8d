"""Labels as files have them, numbers or names, made class numbers; and which of a file's entries is the picture."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

PICTURES = ("image", "img", "jpg", "jpeg", "png", "webp", "picture")
"""What a column or a file's ending is called that holds a picture, the likeliest first."""

LABELS = ("label", "cls", "class", "labels", "fine_label", "target")
"""The same of a label."""

MOST_CLASSES = 1 << 20


@dataclass(frozen=True, kw_only=True)
class Labelled:
    """The classes of N samples.

    Attributes:
        labels: (N,) int64 class numbers.
        names: K texts.
        ordered: Whether the order of the classes is the data's own; else that of their names.
    """

    labels: Tensor
    names: tuple[str, ...]
    ordered: bool


def labelled(values: Sequence[int | str], names: Sequence[str] | None, where: str) -> Labelled:
    """Classes of labels as they were found.

    Args:
        values: N numbers, or N names; texts that are all numbers are numbers.
        names: Those of the numbers, where the data say them.
        where: What the labels are of, for messages.

    Raises:
        ValueError: There are none, or a number is of no class.
    """
    if not values:
        raise ValueError(f"Expected {where} to hold samples but there are none")
    if all(isinstance(value, int) or (value.isascii() and value.isdecimal()) for value in values):
        found = [int(value) for value in values]
        least, most, count = min(found), max(found), MOST_CLASSES if names is None else len(names)
        if least < 0 or most >= count:
            raise ValueError(f"Expected labels of {where} from 0 to {count - 1:,} but they go from {least} to {most}")
        named = map(str, range(most + 1)) if names is None else names
        return Labelled(labels=torch.tensor(found), names=tuple(named), ordered=True)
    texts = list(map(str, values))
    known = sorted(set(texts))
    numbers = {name: number for number, name in enumerate(known)}
    return Labelled(labels=torch.tensor([numbers[text] for text in texts]), names=tuple(known), ordered=False)


def likeliest(names: Collection[str], known: Sequence[str], what: str, where: str) -> str:
    """The name that is likeliest to be a picture's, or a label's.

    Raises:
        ValueError: None is.
    """
    found = next((name for name in known if name in names), None)
    if found is None:
        raise ValueError(
            f"Expected {where} to have {what} called {', '.join(known)} but there are {', '.join(sorted(names)[:8])}"
        )
    return found
