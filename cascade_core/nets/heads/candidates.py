"""Heads worth a trial behind one place of any network: several families, as large as leaving there can pay for.

A head is run for every sample that comes by, and spares what lies behind it for those that leave.  So its size follows
from the multiply-accumulates around its place: it costs at most a share (`SHARES`) of those that leaving spares, and
never more than the trunk took to get there.  Which of them is worth its cost is decided on samples (`training.exits`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from cascade_core.nets.heads.families import HeadSpec, Shape, layout, map_shape

SHARES = (1 / 64, 1 / 16)
"""Most MACs of a head, as shares of those that leaving behind it spares."""

GRIDS = (4, 8)
"""Heights and widths that feature maps are pooled to; light convolutions come as far on the first as on the second."""

WIDTHS = (16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024)
"""Sizes of hidden layers and channels."""

DEPTH = 2
"""Depthwise-separable convolutions of a light head."""

Sized = Callable[[int], tuple[int, HeadSpec]]
"""From a width to a head's MACs and the head."""


def candidates(shape: Shape, classes: int, here: int, behind: int) -> tuple[HeadSpec, ...]:
    """Different heads for a place, a linear one first.

    Args:
        shape: Of what the trunk computes there, without the batch.
        here, behind: MACs of the trunk up to there, and of the rest of the network.

    Raises:
        ValueError: No head fits the shape.
    """
    simplest, kinds = _of_tokens(shape, classes) if layout(shape) == "tokens" else _of_maps(shape, classes)
    found = [simplest]
    for sized in kinds:
        for share in SHARES:
            affordable = [spec for macs, spec in map(sized, WIDTHS) if macs <= min(share * behind, here)]
            if affordable and affordable[-1] not in found:
                found.append(affordable[-1])
    return tuple(found)


def _of_tokens(shape: Shape, classes: int) -> tuple[HeadSpec, Sequence[Sized]]:
    def hidden(width: int) -> tuple[int, HeadSpec]:
        macs = width * (2 * shape[1] + classes)
        return macs, HeadSpec(family="tokens", shape=shape, parameters={"hidden": width})

    return HeadSpec(family="tokens", shape=shape, parameters={"hidden": 0}), [hidden]


def _of_maps(shape: Shape, classes: int) -> tuple[HeadSpec, Sequence[Sized]]:
    channels, *sides = map_shape(shape)

    def enhanced(size: dict[str, int], hidden: int) -> tuple[int, HeadSpec]:
        macs = hidden * (channels * size["height"] * size["width"] + classes)
        return macs, HeadSpec(family="enhanced", shape=shape, parameters=size | {"hidden": hidden})

    def light(size: dict[str, int], width: int) -> tuple[int, HeadSpec]:
        inputs = (channels, *[width] * (DEPTH - 1))
        macs = size["height"] * size["width"] * sum(c * 9 + c * width for c in inputs) + width * classes
        return macs, HeadSpec(family="light", shape=shape, parameters=size | {"channels": width, "depth": DEPTH})

    grids = dict.fromkeys(tuple(min(grid, side) for side in sides) for grid in GRIDS)
    sizes = [{"height": height, "width": width} for height, width in grids if height * width > 1]
    kinds = [*(partial(enhanced, size) for size in sizes), *(partial(light, size) for size in sizes[:1])]
    return HeadSpec(family="linear", shape=shape, parameters={}), kinds
