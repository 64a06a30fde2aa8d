"""Many heads behind each place of one network: stages that follow one another with nothing to compute between them."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from cascade_core.nets.cutting.attach import LAST, Cut
from cascade_core.nets.staged import CascadedNetwork


class Same(nn.Module):
    """A piece of a network that computes nothing."""

    def forward(self, *state: Tensor) -> Tensor | tuple[Tensor, ...]:
        """The state as it came."""
        return state if len(state) > 1 else state[0]


def crowded(title: str, pieces: Cut, heads: Sequence[Sequence[nn.Module]]) -> CascadedNetwork:
    """The pieces with any number of heads after each but the last, in eval mode.

    Args:
        heads: For each exit one head at least; stages are called after exit and number, such as "layer1, 2".
    """
    trunk, names = [], []
    for piece, exit, here in zip(pieces.pieces, pieces.exits, heads, strict=False):
        trunk += [piece, *(Same() for _ in here[1:])]
        names += [f"{exit}, {number + 1}" for number in range(len(here))]
    answers = [*(head for here in heads for head in here), pieces.answer]
    return CascadedNetwork(title, [*names, LAST], [*trunk, pieces.pieces[-1]], answers).eval()
