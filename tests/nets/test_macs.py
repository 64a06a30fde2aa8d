"""Counted multiply-accumulates against arithmetic by hand, torch's own counter, and the paper's table."""

from __future__ import annotations

import warnings

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.flop_counter import FlopCounterMode

from cascade_core.nets.heads import families
from cascade_core.nets.macs import baseline_macs, count, count_macs, stage_costs
from cascade_core.nets.networks.named import example, find
from cascade_core.nets.staged import ModelCascade
from tests.smallnets import plain
from tests.smallnets import with_exits as network


@pytest.mark.parametrize(
    ("layer", "image", "macs"),
    [
        # 16 outputs x 3 inputs x 3x3 kernel at each of 8x8 places
        (nn.Conv2d(3, 16, 3, padding=1, bias=False), (1, 3, 8, 8), 16 * 3 * 9 * 64),
        # stride 2 leaves 4x4 places; a bias is one more at each of 16 x 4x4 outputs
        (nn.Conv2d(3, 16, 3, padding=1, stride=2), (1, 3, 8, 8), 16 * 3 * 9 * 16 + 16 * 16),
        # in two groups each output sees half of the 4 inputs
        (nn.Conv2d(4, 8, 1, groups=2, bias=False), (1, 4, 5, 5), 8 * 2 * 25),
        (nn.Linear(256, 64), (1, 256), 256 * 64 + 64),
        (nn.Sequential(nn.BatchNorm2d(3), nn.ReLU(), nn.AdaptiveAvgPool2d(1)), (1, 3, 8, 8), 0),
    ],
)
def test_single_layers_by_hand(layer: nn.Module, image: tuple[int, ...], macs: int) -> None:
    assert count_macs(layer, torch.zeros(image)) == macs


def test_products_that_are_no_layers_are_counted_too() -> None:
    a, b = torch.zeros(1, 2, 3), torch.zeros(1, 3, 4)
    assert count(lambda: a @ b).macs == 2 * 3 * 4
    assert count(lambda: torch.einsum("bij,bjk->bik", a, b)).macs == 2 * 3 * 4
    assert count(lambda: functional.linear(a, torch.zeros(5, 3))).macs == 2 * 3 * 5
    q = torch.zeros(1, 2, 5, 8)
    # two heads: 5x5 scores of 8 products each, then 5x8 values of 5 products each
    assert count(lambda: functional.scaled_dot_product_attention(q, q, q)).macs == 2 * (5 * 5 * 8 + 5 * 8 * 5)


def test_a_transformer_layer_is_counted_whole() -> None:
    layer = nn.TransformerEncoderLayer(16, 2, 32, batch_first=True)
    # 5 tokens: q, k, v and output projections of 16x16, the two of 16x32, all with bias, and attention
    linear = 5 * (4 * (16 * 16 + 16) + (16 * 32 + 32) + (32 * 16 + 16))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch warns of nested tensors when such a layer is built or run
        assert count_macs(layer, torch.zeros(1, 5, 16)) == linear + 2 * (5 * 5 * 8) * 2


def test_what_is_not_counted_is_named() -> None:
    class Fourier(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            made: Tensor = torch.fft.fft(x).real
            return made

    with pytest.warns(UserWarning, match="Multiply-accumulates of Fourier leave out _fft_r2c"):
        assert count_macs(Fourier(), torch.zeros(1, 8)) == 0


def test_modes_and_hooks_are_left_as_they_were() -> None:
    net = nn.Sequential(nn.Conv2d(1, 2, 1), nn.BatchNorm2d(2), nn.Dropout())
    net[1].eval()
    count_macs(net, torch.zeros(1, 1, 4, 4))
    assert [part.training for part in net.modules()] == [True, True, False, True]
    assert not any(part._forward_hooks or part._forward_pre_hooks for part in net.modules())


def test_a_failing_network_says_why_in_one_line() -> None:
    with pytest.raises(ValueError, match=r"failed on the example: RuntimeError: .*shapes") as error:
        count_macs(nn.Linear(3, 4), torch.zeros(1, 5))
    assert "\n" not in str(error.value)


def test_an_example_is_one_image() -> None:
    with pytest.raises(ValueError, match=r"\(1, channels, height, width\) but it had \(2, 1, 8, 8\)"):
        stage_costs(network("small-cnn"), torch.zeros(2, 1, 8, 8))


@pytest.mark.parametrize(("name", "macs"), [("cifar-resnet20", 40_551_050), ("cifar-resnet56", 125_485_706)])
def test_known_networks(name: str, macs: int) -> None:
    assert count_macs(plain(name), example(find(name))) == macs


@pytest.mark.parametrize("name", ["cifar-resnet20", "small-cnn"])
@pytest.mark.parametrize("preset", families.PRESETS)
def test_torchs_own_counter_agrees(name: str, preset: str) -> None:
    model, image = network(name, preset), example(find(name))
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        model(image)
    biases = sum(part.out_features for part in model.modules() if isinstance(part, nn.Linear))
    stages = stage_costs(model, image)
    # torch counts multiplications and additions apart, and no biases
    assert sum(s.trunk_macs + s.head_macs for s in stages) == counter.get_total_flops() // 2 + biases


@pytest.mark.parametrize(
    ("classes", "published"),
    [(10, (86_000_922, 84_068_170, 83_909_578)), (100, (86_006_772, 84_074_020, 83_915_428))],
)
def test_the_papers_table(classes: int, published: tuple[int, ...]) -> None:
    # The paper counts pooling too, hence not exactly.
    stages = stage_costs(network("cifar-resnet110", classes=classes), torch.zeros(1, 3, 32, 32))
    assert [s.trunk_macs + s.head_macs for s in stages] == pytest.approx(published, rel=0.01)


def test_a_cascade_of_models_costs_the_sum_of_its_members() -> None:
    small, large = network("cifar-resnet20"), network("cifar-resnet56")
    image = torch.zeros(1, 3, 32, 32)
    joined = ModelCascade([("small", small), ("large", large)])
    alone = (*stage_costs(small, image), *stage_costs(large, image))
    together = stage_costs(joined, image)
    assert [(s.trunk_macs, s.head_macs) for s in together] == [(s.trunk_macs, s.head_macs) for s in alone]
    assert baseline_macs(joined, image) == 125_485_706
    assert baseline_macs(large, image) == 125_485_706
