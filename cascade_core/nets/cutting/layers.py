"""Networks that say themselves where they may be cut: a row of layers, between a front and an answer.

What `torch.fx` cannot trace, as encoders of texts, is cut behind its layers all the same.  That the pieces are the
network is not taken on trust: they are run on an example, and must give its answers.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from cascade_core.nets.cutting.splitting import ExitPoint
from cascade_core.nets.faults import told
from cascade_core.nets.macs import unfused

TOLERANCE = 1e-5
"""Largest difference of the pieces' logits from the network's, as a share of how far its logits are apart."""


class LayeredNetwork(nn.Module, ABC):
    """A classifier with layers in a row."""

    @property
    @abstractmethod
    def layer_names(self) -> tuple[str, ...]:
        """Paths of the layers.

        Raises:
            ValueError: It has none in a row.
        """

    @abstractmethod
    def pieces(self, ends: Sequence[int]) -> list[nn.Module]:
        """The network cut behind the layers numbered `ends`, in order, as `splitting.split` gives pieces."""


def layer_points(network: LayeredNetwork, example: Tensor) -> tuple[tuple[ExitPoint, ...], int]:
    """Places behind all layers but the last, and the MACs of the whole on one sample, by torch's own counter.

    Raises:
        ValueError: It has fewer than two layers, or its pieces do not give its answers.
    """
    names = network.layer_names
    if len(names) < 2:
        raise ValueError(f"Expected {type(network).__name__} to have layers to put exits between but it has one")
    state: tuple[Tensor, ...] = (example,)
    shapes, macs = [], []
    way_out = "Expected the layers of the network to be what it computes, one after another,"
    with torch.no_grad(), unfused(), told(f"{way_out} so that exits can lie between them;"):
        for piece in network.pieces(range(len(names) - 1)):
            with FlopCounterMode(display=False) as counter:
                result = piece(*state)
            state = result if isinstance(result, tuple) else (result,)
            shapes.append(tuple(state[0].shape[1:]))
            macs.append(counter.get_total_flops() // 2)
        answers = network(example)
    apart = float(answers.max() - answers.min())
    if state[0].shape != answers.shape or float((state[0] - answers).abs().max()) > TOLERANCE * apart:
        raise ValueError(f"{way_out} but they give other answers; run it in one piece, with precompute")
    total = max(sum(macs), 1)
    shares = torch.tensor(macs, dtype=torch.float64).cumsum(0).div(total).tolist()
    points = tuple(
        ExitPoint(name=name, aliases=frozenset({name}), share=share, shape=shape)
        for name, share, shape in zip(names[:-1], shares, shapes, strict=False)
    )
    return points, total // len(example)


def split_layers(network: LayeredNetwork, names: Sequence[str]) -> list[nn.Module]:
    """The network cut behind the layers `names`, in order."""
    return network.pieces([network.layer_names.index(name) for name in names])
