"""Standardising what a linear layer reads while it is trained, and folding that into the layer afterwards.

Gradient steps on features of unlike means and sizes are slow; on standardised ones they are not.  Since the
standardisation is linear, so is the layer with it in front: folded, it costs nothing and leaves no trace.  Only a
head that begins with a linear layer needs it; a convolutional one has batch norms of its own.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn


def first_trained(head: nn.Sequential) -> int:
    """Where the first layer with weights stands in a head; there is one."""
    return next(i for i, layer in enumerate(head) if any(True for _ in layer.parameters()))


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


def tail(head: nn.Sequential, x: Tensor) -> nn.Sequential:
    """The trained part of a head, with the standardisation that its inputs `x` need in front if it begins linearly."""
    layers = list(head)[first_trained(head) :]
    return nn.Sequential(*([standardise(x)] if isinstance(layers[0], nn.Linear) else []), *layers)


def tail_of_state(head: nn.Sequential, state: Mapping[str, Tensor]) -> nn.Sequential:
    """The same, with a standardisation and weights that were kept."""
    layers = list(head)[first_trained(head) :]
    front = [Standardise(state["0.mean"], state["0.scale"])] if isinstance(layers[0], nn.Linear) else []
    result = nn.Sequential(*front, *layers)
    result.load_state_dict(dict(state))
    return result


@torch.no_grad()
def fold(trained: nn.Sequential, head: nn.Sequential) -> None:
    """Put a trained tail into its head, which is then the same function."""
    for own, layer in zip(list(head)[::-1], list(trained)[::-1], strict=False):
        if not isinstance(layer, Standardise):
            own.load_state_dict(layer.state_dict())
    before, first = trained[0], head[first_trained(head)]
    if isinstance(before, Standardise):
        assert isinstance(first, nn.Linear)
        weight = first.weight.double() * before.scale.double()
        first.bias.copy_(first.bias.double() - weight @ before.mean.double())
        first.weight.copy_(weight)
