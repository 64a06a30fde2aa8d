"""Networks of the zoo for tests of `nets`, with fresh weights that depend on the seed alone."""

from __future__ import annotations

from torch import nn

from cascade_core.nets.cutting.attach import assemble, cut
from cascade_core.nets.heads import families
from cascade_core.nets.networks.named import build_plain, example, find, whole
from cascade_core.nets.staged import CascadedNetwork


def plain(name: str = "small-cnn", seed: int = 0, classes: int = 10) -> nn.Module:
    """The network itself."""
    return build_plain(find(name), classes, seed)


def in_one_piece(name: str = "small-cnn", seed: int = 0, classes: int = 10) -> CascadedNetwork:
    """The network as a cascade of one stage."""
    model = whole(find(name), plain(name, seed, classes))
    assert isinstance(model, CascadedNetwork)
    return model


def with_exits(name: str = "small-cnn", preset: str = "paper", seed: int = 0, classes: int = 10) -> CascadedNetwork:
    """The network, cut where it is cut by default, with fresh heads."""
    network = find(name)
    pieces = cut(plain(name, seed, classes), example(network, 2), network.exits)
    early = families.build(families.preset(preset, list(pieces.shapes), pieces.macs), classes, seed)
    return assemble(network.title, pieces, early, network.stage_names)
