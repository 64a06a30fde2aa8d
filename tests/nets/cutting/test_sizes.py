"""Networks that read sizes off their input are cut all the same, and answer for any number of images."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from cascade_core.nets.cutting.attach import attach_exits
from cascade_core.nets.cutting.splitting import exit_points, split
from cascade_core.nets.cutting.tracing import trace
from cascade_core.nets.staged import softmaxes
from tests.nets import brought

IMAGES = torch.randn(6, 3, 16, 16, generator=torch.Generator().manual_seed(0))

READING = ["Shapes", "BatchSize", "Length", "Windows"]


def plain(name: str) -> nn.Module:
    torch.manual_seed(0)
    network: nn.Module = getattr(brought, name)(10)
    return network.eval()


@pytest.mark.parametrize("name", READING)
@pytest.mark.parametrize("count", [1, 2, 5, 6])
def test_networks_that_read_sizes_are_cut(name: str, count: int) -> None:
    network = plain(name)
    cut = attach_exits(network, IMAGES, exits="first,second", heads="linear")
    assert cut.stage_names == ("first", "truediv" if name == "Windows" else "second", "end")
    with torch.no_grad():
        assert torch.equal(cut(IMAGES[:count])[-1], network(IMAGES[:count]))


@pytest.mark.parametrize("name", ["Squeeze", "SqueezeFunction"])
@pytest.mark.parametrize("count", [1, 2, 6])
def test_squeezing_keeps_a_batch_of_one(name: str, count: int) -> None:
    network = plain(name)
    cut = attach_exits(network, IMAGES, exits="first,second", heads="linear")
    with torch.no_grad():
        assert cut(IMAGES[:count])[-1].shape == (count, 10)
        assert torch.equal(softmaxes(cut, IMAGES)[-1][:count], network(IMAGES).softmax(1)[:count])


def test_exits_lie_where_they_do_without_sizes() -> None:
    expected = [(point.name, point.shape) for point in exit_points(trace(plain("Plain"), IMAGES))]
    assert [name for name, _ in expected] == ["first", "second", "third"]
    for name in ("BatchSize", "Shapes"):
        assert [(p.name, p.shape) for p in exit_points(trace(plain(name), IMAGES))][:2] == expected[:2]


def test_what_depends_on_values_is_refused_with_its_line() -> None:
    with pytest.raises(ValueError, match=r"Deciding is not: .*, at brought.py line \d+: if x.sum\(\) > 0:; run it in"):
        attach_exits(plain("Deciding"), IMAGES)


class OfBatch(brought.Base):
    """Divides by the number of images, as nobody should."""

    def forward(self, x: Tensor) -> Tensor:
        return self.exits[2](self.third(self.second(self.first(x / (len(x) + 0.5)))).mean((2, 3)))


class ByBatch(brought.Base):
    """Computes another thing for few images."""

    def forward(self, x: Tensor) -> Tensor:
        x = self.first(x)
        x = x * 2 if len(x) < 6 else x
        return self.exits[2](self.third(self.second(x)).mean((2, 3)))


@pytest.mark.parametrize("network", [OfBatch(), ByBatch()])
def test_what_depends_on_the_number_of_images_is_refused(network: nn.Module) -> None:
    with pytest.raises(ValueError, match="what it computes depends on the number of images"):
        attach_exits(network, IMAGES)


def test_the_networks_modules_are_as_they_were() -> None:
    network, call, get = plain("Length"), nn.Module.__call__, nn.Module.__getattr__
    before = set(vars(network))
    pieces = split(trace(network, IMAGES), ["first", "second"])
    assert len(pieces) == 3
    assert (nn.Module.__call__, nn.Module.__getattr__) == (call, get)
    assert set(vars(network)) == before
