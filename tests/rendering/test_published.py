"""Published results: what is said where they stand beside a run."""

from __future__ import annotations

from cascade_core.rendering.published import PUBLISHED, difference


def test_another_network_on_as_many_images() -> None:
    assert difference(PUBLISHED[1], 0.8026, 10_000) == (
        "Published results on CIFAR-100 are another network's, ResNet-110 (70.5 % without a cascade; here 80.3 %): "
        "compare what a drop saves, not accuracies."
    )


def test_other_images() -> None:
    assert difference(PUBLISHED[3], 0.92, 1_000) == (
        "Published results on ImageNet top-1 are of other images and another network: 50,000 images, ResNet-50-v2 "
        "(76.5 % without a cascade); here 1,000 samples (92.0 %): compare what a drop saves, not accuracies."
    )
