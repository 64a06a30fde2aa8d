"""What a network of texts takes: the numbers of tokens, all texts of one length, and which of them are real.

A batch is one tensor (batch, 2, length) int64: the numbers, then 1 for a token and 0 for padding.  Every text is cut
or padded to the same length, which is what multiply-accumulates are counted at.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import torch
from torch import Tensor

from cascade_core.support import checks

USUAL_LENGTH = 128
"""Tokens of a text unless the user says otherwise, where the network takes as many."""

LETTERS = "abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True, kw_only=True)
class Tokens:
    """The texts that a network expects.

    Attributes:
        length: Tokens of every text, those that mark its ends among them.
        most: The most that the network takes.
        vocabulary: What tells the tokens' numbers from those of other tokenizers.
        class_names: What the network calls its classes.
        padding: The number that stands where there is no token.
        encode: Texts and a length to the numbers of their tokens, cut to it.

    Raises:
        ValueError: `length` is out of range.
    """

    length: int
    most: int
    vocabulary: str
    class_names: tuple[str, ...]
    padding: int
    encode: Callable[[Sequence[str], int], list[list[int]]] = field(compare=False, repr=False)

    unit: ClassVar[str] = "texts"

    def __post_init__(self) -> None:
        checks.whole("text length", self.length, 1, self.most)

    def example(self, batch: int) -> Tensor:
        """(batch, 2, length) of made-up texts; the first fills the length, others are shorter down to half of it."""
        lengths = [self.length - row * self.length // (2 * batch) for row in range(batch)]
        words = [" ".join(LETTERS[(7 * i + row) % 26] for i in range(self.length)) for row in range(batch)]
        return self.padded([self.encode([text], most)[0] for text, most in zip(words, lengths, strict=True)])

    def padded(self, texts: Sequence[Sequence[int]]) -> Tensor:
        """(texts, 2, length) of numbers of tokens."""
        result = torch.zeros(len(texts), 2, self.length, dtype=torch.int64)
        result[:, 0] = self.padding
        for row, numbers in zip(result, texts, strict=True):
            row[0, : len(numbers)] = torch.tensor(numbers, dtype=torch.int64)
            row[1, : len(numbers)] = 1
        return result

    def describe(self) -> dict[str, Any]:
        """What decides the numbers, as JSON data."""
        return {"tokens": self.length, "vocabulary": self.vocabulary}

    def changed(self, wishes: Mapping[str, Any]) -> Tokens:
        """The same but for the length in `wishes`."""
        images = sorted(set(wishes) - {"length"})
        if images:
            raise ValueError(f"Expected no --image-{images[0]} for a network of texts; --text-length sets their tokens")
        return replace(self, **wishes)
