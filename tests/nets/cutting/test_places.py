"""Places for a trial: ends of blocks, thinned out; and many heads at one place, which cost and say what each does."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from cascade_core.nets.cutting.attach import cut, exit_points_of
from cascade_core.nets.cutting.crowding import crowded
from cascade_core.nets.cutting.places import LATEST, MOST, candidate_places
from cascade_core.nets.cutting.splitting import ExitPoint
from cascade_core.nets.heads.families import build, preset
from cascade_core.nets.macs import stage_costs
from tests.smallnets import plain

IMAGES = torch.rand(3, 1, 8, 8, generator=torch.Generator().manual_seed(0))


def point(name: str, share: float) -> ExitPoint:
    return ExitPoint(name=name, aliases=frozenset({name}), share=share, shape=(8, 4, 4))


def test_what_lies_within_a_block_or_at_the_very_end_is_left_out() -> None:
    points = [point("a", 0.1), point("b.act", 0.2), point("b", 0.3), point("bc", 0.4), point("c", LATEST + 0.01)]
    assert candidate_places(points) == ("a", "b", "bc")


def test_many_places_are_thinned_out_evenly() -> None:
    many = [point(f"layer{i}", (i + 1) / 62) for i in range(60)]
    chosen = candidate_places(many)
    assert len(chosen) == MOST
    shares = [p.share for p in many if p.name in chosen]
    assert max(b - a for a, b in zip([0.0, *shares], [*shares, 1.0], strict=True)) < 2 / MOST


def test_several_heads_at_a_place_answer_and_cost_as_each_alone() -> None:
    network = plain()
    pieces = cut(network, IMAGES, "stage1,stage2")
    heads = [build(tuple(preset(n, [s], 0)[0] for n in ("linear", "paper")), 10, 0) for s in pieces.shapes]
    model = crowded("small", pieces, heads)
    assert model.stage_names == ("stage1, 1", "stage1, 2", "stage2, 1", "stage2, 2", "end")
    stages = stage_costs(model, IMAGES[:1])
    # 8 channels at 8 x 8 of 9 inputs each: 4,608; then 16 at 4 x 4 of 72 each; nothing between heads of one place.
    assert [s.trunk_macs for s in stages[:4]] == [4608, 0, 18432, 0]
    assert [s.head_macs for s in stages[::2]][:2] == [8 * 10 + 10, 16 * 10 + 10]
    with torch.no_grad():
        said = model(IMAGES)
        (first,) = pieces.pieces[0](IMAGES)
        assert torch.equal(said[1], heads[0][1].eval()(first))
        assert torch.equal(said[-1], network(IMAGES))


class Skipping(nn.Module):
    """A network of which two tensors cross every cut."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b = nn.Conv2d(1, 4, 3, padding=1), nn.Conv2d(4, 4, 3, padding=1)
        self.head = nn.Linear(4, 10)

    def forward(self, x: Tensor) -> Tensor:
        first = self.a(x)
        second = torch.relu(self.b(torch.relu(first)))
        return self.head((second + torch.relu(self.b(second))).mean((2, 3)))


def test_pieces_that_compute_nothing_hand_on_what_they_are_given() -> None:
    network = Skipping().eval()
    names = ",".join(p.name for p in exit_points_of(network, IMAGES))
    pieces = cut(network, IMAGES, names)
    heads = [build(preset("linear", [shape, shape], 0), 10, 0) for shape in pieces.shapes]
    with torch.no_grad():
        assert torch.equal(crowded("n", pieces, heads)(IMAGES)[-1], network(IMAGES))
