"""Standardising what a linear layer reads while it is trained, and folding that into the layer afterwards.

Gradient steps on features of unlike means and sizes are slow; on standardised ones they are not.  Since the
standardisation is linear, so is the layer with it in front: folded, it costs nothing and leaves no trace.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


def first_linear(head: nn.Sequential) -> int:
    """Where the first linear layer of a head stands; there is one."""
    return next(i for i, layer in enumerate(head) if isinstance(layer, nn.Linear))


class Standardise(nn.Module):
    """Features (batch, d) less their mean, times the inverse of their deviation; fixed."""

    mean: Tensor
    scale: Tensor

    def __init__(self, mean: Tensor, scale: Tensor) -> None:
        super().__init__()
        self.register_buffer("mean", mean)
        self.register_buffer("scale", scale)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, d) to (batch, d)."""
        return (x - self.mean) * self.scale


def standardise(x: Tensor) -> Standardise:
    """The standardisation that features like `x` (n, d) need."""
    mean, variance = x.mean(0), x.var(0, correction=0)
    # A feature that is nearly constant must not be blown up into noise.
    return Standardise(mean, (variance + 1e-6 * variance.mean() + 1e-12).rsqrt())


@torch.no_grad()
def fold(tail: nn.Sequential, head: nn.Sequential) -> None:
    """Put a trained tail (standardisation, linear layer, ...) into its head, which is then the same function."""
    before, first = tail[0], tail[1]
    assert isinstance(before, Standardise)
    assert isinstance(first, nn.Linear)
    weight = first.weight.double() * before.scale.double()
    first.bias.copy_(first.bias.double() - weight @ before.mean.double())
    first.weight.copy_(weight)
    for own, trained in zip(list(head)[first_linear(head) :], list(tail)[1:], strict=True):
        own.load_state_dict(trained.state_dict())
