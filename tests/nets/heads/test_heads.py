"""Heads: which is built for which shape, what each costs, and that each reads its layout."""

from __future__ import annotations

import pytest
import torch

from cascade_core.nets.heads import families
from cascade_core.nets.heads.families import HeadSpec, Shape, layout, preset
from cascade_core.nets.macs import count_macs


@pytest.mark.parametrize(
    ("shape", "wanted"),
    [
        ((16, 32, 32), "map"),
        ((64, 64, 64), "map"),
        ((56, 56, 96), "channels last"),
        ((197, 768), "tokens"),
    ],
)
def test_layouts(shape: Shape, wanted: str) -> None:
    assert layout(shape) == wanted


@pytest.mark.parametrize("shape", [(5,), (1, 2, 3, 4)])
def test_other_shapes_are_refused(shape: Shape) -> None:
    with pytest.raises(ValueError, match=r"Expected a feature map .* or tokens .* choose another exit"):
        preset("fine", [shape], 10**6)


@pytest.mark.parametrize("name", families.PRESETS)
@pytest.mark.parametrize("shape", [(16, 32, 32), (64, 8, 8), (24, 3, 5), (14, 14, 48), (9, 12)])
def test_every_preset_answers_for_every_layout(name: str, shape: Shape) -> None:
    head = preset(name, [shape], 10**6)[0].build(7).eval()
    with torch.no_grad():
        assert head(torch.rand(2, *shape)).shape == (2, 7)


def test_channels_last_is_the_same_map_in_another_order() -> None:
    spec = preset("conv", [(14, 14, 48)], 10**6)[0]
    torch.manual_seed(0)
    last = spec.build(5).eval()
    torch.manual_seed(0)
    first = HeadSpec(family="conv", shape=(48, 14, 14), parameters=spec.parameters).build(5).eval()
    x = torch.rand(2, 48, 14, 14)
    with torch.no_grad():
        assert torch.equal(first(x), last(x.permute(0, 2, 3, 1)))


def test_convolutional_heads_of_a_cifar_resnet() -> None:
    specs = preset("conv", [(16, 32, 32), (32, 16, 16), (64, 8, 8)], 10**6)
    assert [dict(s.parameters) for s in specs] == [
        {"halvings": 2, "dense": 1, "middle": 192, "width": 256},
        {"halvings": 1, "dense": 1, "middle": 192, "width": 256},
        {"halvings": 0, "dense": 0, "middle": 192, "width": 256},
    ]
    # On 64 channels at 8 x 8: 64 * 9 * 64 + 64 * 192 * 64, then at 4 x 4: 192 * 9 * 16 + 192 * 256 * 16; 256 * 10 + 10.
    last = 36_864 + 786_432 + 27_648 + 786_432 + 2_570
    # Full convolutions before: 16 -> 32 at 16 x 16 is 16 * 9 * 32 * 256, 32 -> 64 at 8 x 8 is 32 * 9 * 64 * 64.
    wanted = [1_179_648 + 1_179_648 + last, 1_179_648 + last, last]
    assert [count_macs(s.build(10), torch.zeros(1, *s.shape)) for s in specs] == wanted


def test_wide_maps_get_heads_of_bounded_width() -> None:
    spec = preset("conv", [(1024, 28, 28)], 10**6)[0]
    assert dict(spec.parameters) == {"halvings": 2, "dense": 0, "middle": 768, "width": 1024}


def test_token_heads_read_the_first_token_and_the_mean() -> None:
    pool = families.TokenPool()
    x = torch.tensor([[[1.0, 2.0], [3.0, 6.0]]])
    assert pool(x).tolist() == [[1.0, 2.0, 2.0, 4.0]]
    assert [type(layer).__name__ for layer in preset("linear", [(9, 12)], 10**6)[0].build(3)] == ["TokenPool", "Linear"]


def test_a_family_that_does_not_fit_the_shape_is_refused() -> None:
    with pytest.raises(ValueError, match=r"family 'conv' to read another shape than \(9, 12\)"):
        HeadSpec(family="conv", shape=(9, 12), parameters={})
    with pytest.raises(ValueError, match=r"family 'tokens' to read another shape than \(3, 8, 8\)"):
        HeadSpec(family="tokens", shape=(3, 8, 8), parameters={"hidden": 0})
    with pytest.raises(ValueError, match=r"a head's shape .* to be a whole number to 65536 but it was 70000"):
        HeadSpec(family="linear", shape=(70_000, 8, 8), parameters={})
