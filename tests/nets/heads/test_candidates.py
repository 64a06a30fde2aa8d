"""Candidate heads: as large as leaving there pays for, whatever the network, and counted as they cost."""

from __future__ import annotations

import pytest
import torch

from cascade_core.nets.heads.candidates import SHARES, candidates
from cascade_core.nets.heads.families import Shape
from cascade_core.nets.macs import count_macs

SHAPES = [(16, 32, 32), (80, 8, 8), (24, 3, 5), (14, 14, 48), (7, 1, 1), (9, 12)]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("behind", [10**5, 10**7])
def test_heads_cost_a_share_of_what_leaving_spares(shape: Shape, behind: int) -> None:
    first, *others = candidates(shape, 10, 10**9, behind)
    assert first.family in ("linear", "tokens")
    assert len({str(spec) for spec in (first, *others)}) == len(others) + 1
    for spec in others:
        head = spec.build(10)
        assert head.eval()(torch.rand(2, *shape)).shape == (2, 10)
        # Beside what is compared, the counter has an addition for each bias.
        biases = sum(layer.bias.numel() for layer in head if isinstance(layer, torch.nn.Linear))
        assert count_macs(head, torch.rand(1, *shape)) <= max(SHARES) * behind + biases


def test_heads_grow_with_what_they_spare_and_never_beyond_the_trunk() -> None:
    def largest(here: int, behind: int) -> int:
        return max(
            count_macs(spec.build(10), torch.rand(1, 80, 8, 8)) for spec in candidates((80, 8, 8), 10, here, behind)
        )

    assert largest(10**9, 10**5) < largest(10**9, 10**6) < largest(10**9, 10**7)
    assert largest(10**5, 10**7) <= 10**5 + 2000
    # Where nothing larger pays, a linear head is still tried: 80 * 10, and 10 biases.
    assert [count_macs(s.build(10), torch.rand(1, 80, 8, 8)) for s in candidates((80, 8, 8), 10, 9, 9)] == [810]


def test_sizes_by_hand() -> None:
    # Behind 80 channels at 8 x 8, a share of 1 / 16 of 1.6 M: 100,000 MACs.
    widths = {
        (s.family, s.parameters.get("height")): s.parameters for s in candidates((80, 8, 8), 10, 10**9, 1_600_000)
    }
    # (80 * 16 + 10) h <= 100,000: h = 64 of the sizes; (80 * 64 + 10) h: 16.
    assert widths["enhanced", 4]["hidden"] == 64
    assert widths["enhanced", 8]["hidden"] == 16
    # 16 * (80 * 9 + 80 c + 9 c + c * c) + 10 c: 86,976 with c = 32, 129,120 with 48.
    assert widths["light", 4]["channels"] == 32
