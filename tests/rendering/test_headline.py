"""One line on what is looked at."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cascade_core import CheapestWithinDrop
from cascade_core.analysis.exploration import Split, explore
from cascade_core.rendering.headline import headline, network_title
from cascade_core.storage.origin import HeadsOrigin, NetworkOrigin, Origin
from tests.samples import sample_record

RECORD = sample_record()
EXPLORED = explore(RECORD, CheapestWithinDrop, Split(), count=3)
PLAIN = f"plain network {100 * EXPLORED.evaluation.full_accuracy:.1f} %"
ONE = Origin(networks=(NetworkOrigin(name="cifar-resnet56"),), dataset="CIFAR-10")


def test_a_network_with_exits() -> None:
    # Three stages are two early exits and the end; the plain network has 6,070 MACs.
    expected = f"ResNet-56 with 2 exits on CIFAR-10 (200 test samples); {PLAIN}, 6.07 thousand MACs"
    assert headline(EXPLORED, ONE, "mine") == expected
    assert f"; {PLAIN}" in headline(EXPLORED, replace(ONE, assumed_macs=True), "mine")
    assert "MACs" not in headline(EXPLORED, replace(ONE, assumed_macs=True), "mine")


def test_networks_behind_one_another() -> None:
    heads = HeadsOrigin(file=None, preset=None, exits=("layer1.0",), trunk=None, training=None)
    small = NetworkOrigin(name="cifar-resnet20", heads=heads)
    both = replace(ONE, networks=(small, NetworkOrigin(name="cifar-resnet56")))
    assert headline(EXPLORED, both, "mine").startswith("ResNet-20 with 1 exit, then ResNet-56 on CIFAR-10 (")


def test_without_networks_the_title_or_the_name_stands() -> None:
    assert headline(EXPLORED, Origin(title="Our model."), "mine").startswith("Our model (200 test samples); ")
    assert headline(EXPLORED, Origin(), "mine").startswith("mine (200 test samples); ")


def test_in_sample_numbers_are_not_of_test_samples() -> None:
    explored = explore(RECORD, CheapestWithinDrop, Split(in_sample=True), count=3)
    assert "(400 samples)" in headline(explored, ONE, "mine")


@pytest.mark.parametrize(
    ("name", "title"), [("cifar-resnet20", "ResNet-20"), ("resnet18", "ResNet-18"), ("a:b", "a:b")]
)
def test_titles(name: str, title: str) -> None:
    assert network_title(name) == title
