"""Answers that are softmaxes already: seen on an example, and made logits again, so that nothing softmaxes them twice.

A network whose `forward` ends in a softmax gives rows of at least 0 that sum to 1, which logits do by no chance.  Their
logarithms are logits with exactly those softmaxes.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from cascade_core.nets.faults import told
from cascade_core.nets.staged import StagedModel, State

TOLERANCE = 0.01
"""Largest difference of a row's sum from 1; bfloat16 rounds by up to 0.4 % a number."""


class Logarithm(nn.Module):
    """Softmaxes to logits that have them."""

    def forward(self, probabilities: Tensor) -> Tensor:
        """Logarithms of at least the smallest number above 0, in float32."""
        numbers = probabilities.float()
        return numbers.clamp_min(torch.finfo(numbers.dtype).tiny).log()


def are_softmaxes(rows: Tensor) -> bool:
    """Whether all rows (..., K) are of at least 0 and sum to 1."""
    numbers = rows.float()
    return rows.numel() > 0 and bool((numbers >= 0).all()) and bool(((numbers.sum(-1) - 1).abs() <= TOLERANCE).all())


def to_logits(rows: Tensor, name: str) -> nn.Module:
    """What makes logits of a network's answers: a logarithm if `rows` (batch, K) of them are softmaxes, else nothing.

    Warns:
        UserWarning: They are.
    """
    if not are_softmaxes(rows):
        return nn.Identity()
    _say(name)
    return Logarithm()


def as_logits(model: StagedModel, images: Tensor) -> StagedModel:
    """The model, whose stages that answer with softmaxes give logits instead.

    Args:
        images: (batch, channels, height, width) to look at its answers to.

    Warns:
        UserWarning: Some of its stages do.

    Raises:
        ValueError: It fails on them.
    """
    with torch.no_grad(), told(f"Expected the stages to take images of shape {tuple(images.shape)}"):
        return with_logits(model, model(images))


def with_logits(model: StagedModel, answers: Tensor) -> StagedModel:
    """The same, where its answers (M, batch, K) to some images are at hand."""
    softmaxes = [are_softmaxes(rows) for rows in answers]
    names = [name for name, found in zip(model.stage_names, softmaxes, strict=True) if found]
    if not names:
        return model
    _say(" and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names))
    return _OfSoftmaxes(model, softmaxes)


def _say(name: str) -> None:
    warnings.warn(
        f"Answers of {name} are softmaxes (rows of at least 0 that sum to 1) and are taken as they are", stacklevel=3
    )


class _OfSoftmaxes(StagedModel):
    """A model with the logarithms of some stages' answers."""

    def __init__(self, model: StagedModel, softmaxes: Sequence[bool]) -> None:
        super().__init__()
        self.model, self.stage_names = model, model.stage_names
        self.mends = nn.ModuleList(Logarithm() if found else nn.Identity() for found in softmaxes)

    def begin(self, images: Tensor) -> State:
        """The model's."""
        return self.model.begin(images)

    def extend(self, state: State, stage: int) -> State:
        """The model's."""
        return self.model.extend(state, stage)

    def classify(self, state: State, stage: int) -> Tensor:
        """Logits, or logarithms of softmaxes, (batch, K)."""
        logits: Tensor = self.mends[stage](self.model.classify(state, stage))
        return logits

    def keep(self, state: State, index: Tensor) -> State:
        """The model's."""
        return self.model.keep(state, index)

    def plain(self, images: Tensor) -> Tensor:
        """The same of the plain network, which answers as the last stage does."""
        logits: Tensor = self.mends[-1](self.model.plain(images))
        return logits
