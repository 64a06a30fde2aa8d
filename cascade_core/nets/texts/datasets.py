"""Labelled texts of a file, `texts:PATH`, opened as a `TextSet`.

Labels are looked up among the names that the network has for its classes; where they are numbers and no names, they are
class numbers.  Tokens are numbered once, and padded a batch at a time.
"""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor

from cascade_core.nets.classes import Classes, some
from cascade_core.nets.samples import SampleSet
from cascade_core.nets.texts.tables import read_texts
from cascade_core.nets.texts.tokens import Tokens

KIND = "texts"


@dataclass(kw_only=True)
class TextSet(SampleSet):
    """N labelled texts, prepared for one network.

    Attributes:
        tokens: What `batch` gives.
        numbers: Of the tokens of each text, at most as many as the network takes.
    """

    tokens: Tokens
    numbers: Sequence[Sequence[int]]

    unit: ClassVar[str] = "texts"

    def batch(
        self, index: Tensor, *, keep: bool = False, generator: torch.Generator | None = None, shift: int = 0
    ) -> Tensor:
        """(batch, 2, length) int64; texts are not augmented."""
        return self.tokens.padded([self.numbers[i] for i in index.tolist()])

    def take(self, index: Tensor) -> TextSet:
        """The set of the texts at `index` (n,) int64, in that order."""
        places = index.tolist()
        return replace(
            self,
            labels=self.labels[index],
            sample_ids=tuple(self.sample_ids[i] for i in places),
            numbers=[self.numbers[i] for i in places],
        )

    def describe(self) -> dict[str, Any]:
        """What a run file says of the set and its tokens, as JSON data."""
        return {"dataset": self.spec, "split": self.split, "transform": self.tokens.describe()}


def open_texts(spec: str, tokens: Tokens, *, split: str = "test", classes: str | None = None) -> TextSet:
    """Open `texts:PATH`.

    Args:
        split: "train" or "test", which is only noted.
        classes: Names of the network's classes in its order, as `Classes.read` takes them; without them its own.

    Warns:
        UserWarning: Texts are cut to the length, or all are far shorter.

    Raises:
        ValueError: The data are of another kind, the file is absent or damaged, or a label is no class.
    """
    kind, _, path = spec.partition(":")
    if kind != KIND or not path:
        raise ValueError(f"Expected data texts:PATH for a network of texts but it was {spec!r}")
    file = Path(path)
    held = read_texts(file)
    if held.labels is None:
        raise ValueError(f"Expected a column 'label' in {file.name} but there is none")
    names = tokens.class_names if classes is None else Classes.read(classes).names
    if held.ids is not None and len(set(held.ids)) < len(held.ids):
        raise ValueError(f"Expected distinct ids in {file.name} but {Counter(held.ids).most_common(1)[0][0]!r} repeats")
    return TextSet(
        spec=f"{kind}:{file.name}",
        split=split,
        labels=torch.tensor(_class_numbers(held.labels, names, held.first, file.name)),
        sample_ids=held.ids or tuple(f"{file.stem}/{i:05d}" for i in range(len(held.texts))),
        class_names=names,
        tokens=tokens,
        numbers=numbered(held.texts, tokens, file.name),
    )


def numbered(texts: Sequence[str], tokens: Tokens, name: str) -> list[list[int]]:
    """The numbers of the tokens of each text.

    Warns:
        UserWarning: Texts are cut to the length, or all are far shorter.
    """
    made = tokens.encode(texts, tokens.length)
    full = [text for text, numbers in zip(texts, made, strict=True) if len(numbers) == tokens.length]
    cut = sum(len(numbers) > tokens.length for numbers in tokens.encode(full, tokens.length + 1)) if full else 0
    longest = max(map(len, made), default=0)
    if cut:
        way = f"; --text-length takes up to {tokens.most:,}" if tokens.most > tokens.length else ""
        warnings.warn(
            f"{cut:,} of {len(texts):,} texts of {name} have more than {tokens.length} tokens and are cut there{way}",
            stacklevel=2,
        )
    elif 2 * longest <= tokens.length:
        warnings.warn(
            f"The longest text of {name} has {longest} tokens, and all are padded to {tokens.length}; "
            f"--text-length {longest} is computed in less time, with the same answers",
            stacklevel=2,
        )
    return made


def _class_numbers(labels: Sequence[str], names: Sequence[str], first: int, file: str) -> list[int]:
    """The class of each label: by its name, whatever its case, else by its number."""
    alike = Counter(name.strip().casefold() for name in names)
    known = {name: number for number, name in enumerate(names)}
    known = {str(number): number for number in range(len(names))} | {
        key: number
        for name, number in known.items()
        for key in (name, name.strip().casefold())
        if alike[name.strip().casefold()] == 1
    }
    result = []
    for row, label in enumerate(labels, first):
        number = known.get(label, known.get(label.strip().casefold()))
        if number is None:
            raise ValueError(
                f"Expected the label in row {row} of {file} to be one of the network's {len(names)} classes "
                f"{some(names)}, or its number from 0, but it was {label[:60]!r}; --classes gives other names for them"
            )
        result.append(number)
    return result
