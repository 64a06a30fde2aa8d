"""The ladder: its sizes and costs by hand, what a rung takes, and that exits learn what those below found."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from cascade_core.nets.heads.families import preset
from cascade_core.nets.heads.ladder import Block, Rung, ladder_parameters
from cascade_core.nets.macs import baseline_macs, stage_costs
from cascade_core.nets.networks.zoo import ZOO
from cascade_core.nets.opening import open_data
from cascade_core.nets.staged import CascadedNetwork
from cascade_core.nets.training.fitting import fit_heads
from cascade_core.nets.training.settings import Training
from tests.smallnets import with_exits

CIFAR = 125_000_000
"""About the MACs of ResNet-56."""


def test_sizes_on_a_cifar_resnet() -> None:
    first, second, third = ladder_parameters([(16, 32, 32), (16, 32, 32), (32, 16, 16)], CIFAR)
    # 125e6 / 26 / (18 * 64) = 4173, the square of 64.6: the nearest multiple of 16 is 64.
    assert first == {"channels": 64, "height": 8, "width": 8, "halvings": 2, "before": 1, "blocks": 1}
    assert second == {"channels": 64, "height": 8, "width": 8, "halvings": 2, "before": 0, "blocks": 1}
    assert third == {"channels": 64, "height": 8, "width": 8, "halvings": 1, "before": 0, "blocks": 1}


def test_sizes_stay_within_bounds() -> None:
    assert ladder_parameters([(8, 6, 6)], 1000)[0] | {"before": 0} == {
        "channels": 16, "height": 1, "width": 1, "halvings": 3, "before": 0, "blocks": 1
    }  # fmt: skip
    assert ladder_parameters([(256, 56, 56), (2048, 7, 7)], 10**12)[1]["channels"] == 512
    assert ladder_parameters([(256, 56, 56), (2048, 7, 7)], 10**9)[1]["halvings"] == 0


def test_costs_by_hand() -> None:
    network = with_exits("cifar-resnet56", preset="ladder")
    image = torch.zeros(1, 3, 32, 32)
    plain = stage_costs(with_exits("cifar-resnet56", preset="linear"), image)
    first, second, last = stage_costs(network, image)
    # 16 -> 32 channels at 16 x 16 and 32 -> 64 at 8 x 8 cost 1,179,648 each, a block at either size twice 2,359,296.
    assert first.trunk_macs - plain[0].trunk_macs == 2 * 1_179_648 + 2 * 2 * 2_359_296
    assert second.trunk_macs - plain[1].trunk_macs == 1_179_648 + 2 * 2_359_296
    assert last == plain[2]
    # 64 * 9 and 64 * 128 at 4 x 4, then 128 * 10 + 10.
    assert first.head_macs == second.head_macs == 16 * (576 + 8_192) + 1_290
    assert baseline_macs(network, image) == 125_485_706


@torch.no_grad()
@pytest.mark.parametrize("shape", [(24, 3, 5), (48, 14, 14), (16, 32, 32), (100, 9, 9)])
def test_a_rung_gives_the_ladders_map_whatever_the_trunks(shape: tuple[int, int, int]) -> None:
    for halvings in (0, 1, 2):
        rung = Rung(shape, channels=32, height=7, width=6, halvings=halvings, before=1, blocks=2).eval()
        x, below = torch.rand(2, *shape), torch.rand(2, 32, 7, 6)
        assert rung(x).shape == rung(x, below).shape == (2, 32, 7, 6)
        assert not torch.equal(rung(x), rung(x, below))


@torch.no_grad()
def test_a_rung_without_blocks_is_its_sum() -> None:
    rung = Rung((4, 6, 6), channels=8, height=6, width=6, halvings=0, before=0, blocks=0).eval()
    x, below = torch.rand(2, 4, 6, 6), torch.rand(2, 8, 6, 6)
    torch.testing.assert_close(rung(x, below), torch.relu(rung.adapt(x) + below))
    block = Block(8).eval()
    torch.testing.assert_close(block(below), torch.relu(below + block.body(below)))


def test_tokens_get_heads_that_stand_alone() -> None:
    assert [spec.family for spec in preset("ladder", [(9, 12), (9, 12)], CIFAR)] == ["tokens", "tokens"]
    assert [spec.family for spec in preset("ladder", [(14, 14, 48), (7, 7, 96)], CIFAR)] == ["rung", "rung"]


@torch.no_grad()
def test_later_exits_answer_from_the_rungs_below() -> None:
    network = with_exits(preset="ladder").eval()
    images = torch.randn(4, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    before = network(images)
    for parameter in network.rungs[0].parameters():
        parameter.mul_(3)
    changed = [not torch.equal(old, new) for old, new in zip(before, network(images), strict=True)]
    assert changed == [True, True, False]


def test_a_rung_for_each_early_stage_or_none() -> None:
    parts = [nn.Identity()] * 3
    with pytest.raises(ValueError, match="a rung for each early stage, or none, but it had 1"):
        CascadedNetwork("net", ("a", "b", "c"), parts, parts, [nn.Identity()])


def test_a_ladder_learns_digits() -> None:
    network = with_exits(preset="ladder")
    data = open_data("digits", ZOO["small-cnn"].preprocessing, split="train")
    fit = fit_heads(network, data, Training(epochs=12, batch_size=64, learning_rate=1e-2), progress=False)
    assert all(accuracy > 0.8 for accuracy in fit.accuracy)
