"""Exits attached to a network that was not made for them: traced, cut, and given a fresh head at each exit.

The result is a `CascadedNetwork` whose last stage answers exactly as the network does.  Its early heads know
nothing yet; `training.fit_heads` fits them.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from cascade_core.nets import heads as families
from cascade_core.nets.splitting import choose_points, exit_points, split, trace
from cascade_core.nets.staged import CascadedNetwork


def attach_exits(
    network: nn.Module, example: Tensor, *, exits: str = "auto:3", heads: str = "fine", seed: int = 0
) -> CascadedNetwork:
    """Cut `network` at `exits` and put heads there; it shares the network's weights, and is in eval mode.

    Args:
        network: A classifier that `torch.fx` can trace.
        example: At least two images, (batch, channels, height, width), as the network takes them.
        exits: "auto:3" for three at about equal shares of MACs, or names from `exit_points`, a,b.
        heads: A preset's name.
        seed: Of the heads' first weights.

    Raises:
        ValueError: The network cannot be traced, an exit is unknown, or lies behind something other than a
            feature map.
    """
    traced = trace(network, example)
    points = {point.name: point for point in exit_points(traced)}
    names = choose_points(tuple(points.values()), exits)
    shapes = []
    for name in names:
        shape = points[name].shape
        if len(shape) != 3:
            raise ValueError(
                f"Expected a feature map (channels, height, width) behind {name!r} but it has shape {shape}"
            )
        shapes.append((shape[0], shape[1], shape[2]))
    with torch.no_grad():
        classes = network(example).shape[1]
    early = families.build(families.preset(heads, shapes), classes, seed)
    title = type(network).__name__
    return CascadedNetwork(title, (*names, "end"), split(traced, names), [*early, nn.Identity()]).eval()
