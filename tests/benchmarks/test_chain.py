"""The network that nothing was tuned for: it learns, costs what is said, and can be left behind every convolution."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from cascade_core.nets.cutting.attach import exit_points_of
from tests.benchmarks import chain


def test_a_chain_learns_and_can_be_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chain, "EPOCHS", 1)
    chain.main(["digits", str(tmp_path / "chain.pt")])
    network = chain.Chain()
    network.load_state_dict(torch.load(tmp_path / "chain.pt", weights_only=True))
    points = exit_points_of(network, torch.zeros(2, 3, 32, 32))
    assert [point.name for point in points][:7] == [f"layers.{number}" for number in range(7)]
    # 3 x 3 kernels on maps that strides make smaller; the whole is the convolutions and the last layer, 128 x 10.
    sides = (32, 16, 16, 8, 8, 8, 4, 4)
    macs = [9 * w * v * s * s for w, v, s in zip(chain.WIDTHS, chain.WIDTHS[1:], sides, strict=False)]
    assert points[0].share == pytest.approx(macs[0] / (sum(macs) + 1280))
