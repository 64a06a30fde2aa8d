"""Any traceable network, cut: the pieces composed are the network, bit for bit, and hold nothing twice."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch
from torch import Tensor, nn

from cascade_core.nets._torchvision import torchvision
from cascade_core.nets.cutting.attach import attach_exits, exit_costs
from cascade_core.nets.cutting.splitting import choose_points, exit_points, split
from cascade_core.nets.cutting.tracing import trace
from cascade_core.nets.macs import count_macs, stage_costs
from cascade_core.nets.networks.zoo import ZOO
from cascade_core.nets.opening import open_data
from cascade_core.nets.recording.precompute import precompute
from cascade_core.nets.staged import softmaxes
from cascade_core.nets.training.fitting import fit_heads
from cascade_core.nets.training.settings import Training
from tests.smallnets import plain as small

NETWORKS = (
    "resnet18",
    "resnet50",
    "mobilenet_v3_small",
    "efficientnet_b0",
    "densenet121",
    "regnet_y_400mf",
    "convnext_tiny",
    "vit_b_16",
    "swin_t",
)
"""Networks of torchvision's; images of 64 pixels are enough for each."""


def made(name: str) -> tuple[nn.Module, Tensor]:
    torch.manual_seed(0)
    options = {"image_size": 64} if name.startswith("vit") else {}
    network = torchvision.models.get_model(name, weights=None, num_classes=10, **options).eval()
    return network, torch.randn(2, 3, 64, 64)


def run(pieces: list[nn.Module], images: Tensor) -> Tensor:
    state: tuple[Tensor, ...] = (images,)
    for piece in pieces:
        result = piece(*state)
        state = result if isinstance(result, tuple) else (result,)
    return state[0]


@pytest.mark.parametrize("name", NETWORKS)
def test_pieces_composed_are_the_network(name: str) -> None:
    network, images = made(name)
    traced = trace(network, images)
    names = choose_points(exit_points(traced), "auto:4")
    pieces = split(traced, names)
    with torch.no_grad():
        assert torch.equal(run(pieces, images), network(images))
        # Another batch than the traced one goes the same way.
        assert torch.equal(run(pieces, images[:1]), network(images[:1]))
    # Every parameter lies in one piece, and in one only.
    assert sum(p.numel() for piece in pieces for p in piece.parameters()) == sum(
        p.numel() for p in network.parameters()
    )


def test_exits_lie_between_blocks_at_rising_shares() -> None:
    points = exit_points(trace(*made("resnet18")))
    # The stem and eight residual blocks; never inside one, where the shortcut is needed too.
    assert len(points) == 9
    assert [p.name for p in points] == ["maxpool", *(f"layer{i}.{j}" for i in range(1, 5) for j in range(2))]
    shares = [point.share for point in points]
    assert shares == sorted(shares)
    assert points[2].shape == (64, 16, 16)


def test_an_exit_has_several_names() -> None:
    points = exit_points(trace(*made("resnet18")))
    # The module that it ends, the one around that, and its operation; and in the order of the network.
    assert choose_points(points, "layer2.1") == choose_points(points, "layer2") == ("layer2.1",)
    assert choose_points(points, "layer3.0.relu_1, layer1.0,bn1") == ("maxpool", "layer1.0", "layer3.0")


class Named(nn.Module):
    """Layers whose names end in numbers, one layer used twice, and more to take than images."""

    def __init__(self) -> None:
        super().__init__()
        self.conv_1, self.conv_2, self.relu = nn.Conv2d(1, 2, 3), nn.Conv2d(2, 2, 3), nn.ReLU()

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        made = self.relu(self.conv_2(self.relu(self.conv_1(x))))
        return made.sum((2, 3)) if mask is None else made * mask


def test_names_are_those_of_the_modules() -> None:
    traced = trace(Named(), torch.randn(2, 1, 8, 8))
    assert traced.names == ("images", "conv_1", "relu", "conv_2", "relu_1", "sum", "output")
    # Summing computes nothing that counts, so nothing but the first layer lies before an exit.
    assert [p.name for p in exit_points(traced)] == ["relu"]


@pytest.mark.parametrize(("name", "share"), [("vit_b_16", 1 / 12), ("swin_t", 0.05)])
def test_attention_is_counted_where_it_is(name: str, share: float) -> None:
    points = {point.name: point.share for point in exit_points(trace(*made(name)))}
    blocks = (
        [f"encoder.layers.encoder_layer_{i}" for i in range(11)] if "vit" in name else ["features.1.0", "features.1.1"]
    )
    # Blocks of one width cost the same.
    for first, second in pairwise(blocks):
        assert points[second] - points[first] == pytest.approx(share, rel=0.03)


def test_automatic_exits_are_evenly_spaced() -> None:
    points = exit_points(trace(*made("resnet50")))
    shares = {point.name: point.share for point in points}
    for target, name in zip((0.25, 0.5, 0.75), choose_points(points, "auto:3"), strict=True):
        assert abs(shares[name] - target) < 0.1
    assert choose_points(points, f"auto:{len(points)}") == tuple(shares)


class Skipping(nn.Module):
    """Two layers, the second of which also sees the images: two tensors cross the cut between them."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(1, 1, 1)
        self.second = nn.Conv2d(2, 3, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.second(torch.cat([self.first(x), x], dim=1)).mean((2, 3))


def test_what_skips_a_stage_is_handed_on() -> None:
    network, images = Skipping().eval(), torch.randn(2, 1, 4, 4)
    traced = trace(network, images)
    assert "first" not in [point.name for point in exit_points(traced)]
    pieces = split(traced, ["first"])
    with torch.no_grad():
        assert len(pieces[0](images)) == 2
        assert torch.equal(run(pieces, images), network(images))


class Deciding(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x if x.sum() > 0 else -x


class Scaling(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        scale = x.mean(0)
        return (x * 2).flatten(1) * scale.sum()


def test_refusals_say_what_to_do() -> None:
    with pytest.raises(
        ValueError,
        match=r"can trace but Deciding is not: .*control flow, at test_splitting.py line \d+: "
        r"return x if x.sum\(\) > 0 else -x; run it in one piece, or write it as a StagedModel",
    ):
        trace(Deciding(), torch.zeros(2, 1))
    traced = trace(Scaling(), torch.zeros(2, 1, 4, 4))
    with pytest.raises(
        ValueError, match="Expected the name of an operation or module to cut behind but there is no 'none'"
    ):
        split(traced, ["none"])
    with pytest.raises(ValueError, match=r"tensors with a batch axis to cross the cut behind .* choose another exit"):
        split(traced, [traced.names[-4]])
    points = exit_points(trace(*made("resnet18")))
    for wish in ("auto:0", "auto:99", "auto:x"):
        with pytest.raises(ValueError, match="Expected auto:N with N from 1 to 9"):
            choose_points(points, wish)
    assert choose_points(points[:2], "auto:at most 3") == tuple(point.name for point in points[:2])
    assert choose_points(points, "auto:at most 3") == choose_points(points, "auto:3")
    for wish in ("auto:at most 3", "auto:1", "layer1"):
        with pytest.raises(ValueError, match=r"feature map, or tokens, alone, but it has none; a smaller network"):
            choose_points((), wish)
    with pytest.raises(ValueError, match="there is no 'layer9'"):
        choose_points(points, "layer1.0.relu_1,layer9")
    with pytest.raises(ValueError, match=r"Expected different exits but 'layer1,layer1\.1' names one of them twice"):
        choose_points(points, "layer1,layer1.1")


@pytest.mark.parametrize(
    ("name", "heads"),
    [("resnet18", "paper"), ("densenet121", "conv"), ("vit_b_16", "linear"), ("swin_t", "conv"), ("swin_t", "fine")],
)
def test_costs_of_the_stages_add_up_to_the_network(name: str, heads: str) -> None:
    network, images = made(name)
    cascade = attach_exits(network, images, exits="auto:3", heads=heads)
    stages = stage_costs(cascade, images[:1])
    assert sum(stage.trunk_macs for stage in stages) == count_macs(network, images[:1])
    assert all(stage.head_macs > 0 for stage in stages[:-1])
    assert stages[-1].head_macs == 0
    with torch.no_grad():
        assert torch.equal(cascade(images)[-1], network(images))
        assert cascade(images).shape == (4, 2, 10)


def test_every_exit_point_and_what_it_costs() -> None:
    network, images = made("resnet18")
    points, total = exit_costs(network, images)
    assert total == count_macs(network, images[:1])
    assert [macs / total for _, macs in points] == pytest.approx([point.share for point, _ in points], abs=1e-3)
    # The stem: 64 outputs x 3 inputs x 7x7 kernel at each of 32x32 places
    assert points[0][1] == 64 * 3 * 49 * 32 * 32


def test_a_network_made_for_nothing_of_this_becomes_a_cascade() -> None:
    plain, images = small(), ZOO["small-cnn"].preprocessing
    train, test = (open_data("digits", images, split=split) for split in ("train", "test"))
    cascade = attach_exits(plain, train[0][0][None].repeat(2, 1, 1, 1), exits="auto:2", heads="paper")
    fit = fit_heads(cascade, train, Training(epochs=2, reuse=3, batch_size=64, precision="float32"), progress=False)
    assert len(fit.accuracy) == 2
    outputs = precompute(cascade, test, device="cpu", progress=False)
    assert outputs.probs.shape == (3, 900, 10)
    # The untrained trunk guesses, its exits have learnt something from what it makes of the images.
    accuracy = outputs.record().stage_accuracy
    assert accuracy[0] > 2 * accuracy[-1]
    with torch.inference_mode():
        some = torch.stack([test[i][0] for i in range(50)])
        assert torch.equal(softmaxes(cascade, some)[-1], plain(some).softmax(dim=1))
