"""The results that the method's authors published, as data.

Berestizshevsky & Even, "Dynamically Sacrificing Accuracy for Reduced Computation: Cascaded Inference
Based on Softmax Confidence", arXiv 1805.10982 (v2, 2020), and the workbook beside it.  Accuracies are
measured on each data set's test images; a saving is against the plain network.
"""

from __future__ import annotations

from dataclasses import dataclass

from cascade_core.support.terms import Reference
from cascade_core.support.wording import percent

SOURCE = "Berestizshevsky & Even, arXiv 1805.10982"


@dataclass(frozen=True)
class PublishedPoint:
    """What the paper's rule did at one epsilon; all are fractions."""

    epsilon: float
    accuracy: float
    saving: float


@dataclass(frozen=True)
class PublishedResult:
    """One published series.

    Attributes:
        name: Data set, and what counts as right.
        network: What was cascaded.
        baseline_macs: MACs of the plain network, where the authors report them for this series.
        stage_accuracy: Of each stage on all samples, fractions; the last is the plain network's.
        images: How many were tested.
        points: From the smallest epsilon to the largest.
    """

    name: str
    network: str
    baseline_macs: int | None
    stage_accuracy: tuple[float, ...]
    images: int
    points: tuple[PublishedPoint, ...]


def _percent(*rows: tuple[float, float, float]) -> tuple[PublishedPoint, ...]:
    """Rows of epsilon, accuracy and saving, each in percent."""
    return tuple(PublishedPoint(*(round(value / 100, 6) for value in row)) for row in rows)


PUBLISHED = (
    PublishedResult(
        name="CIFAR-10",
        network="ResNet-110, 3 stages",
        baseline_macs=253_928_090,
        stage_accuracy=(0.775, 0.814, 0.931),
        images=10_000,
        points=_percent(
            (0, 93.12, 6.0), (1, 92.70, 27.4), (2, 91.90, 33.9), (4, 91.10, 42.4), (7, 87.32, 49.6), (8, 86.35, 51.6)
        ),
    ),
    PublishedResult(
        name="CIFAR-100",
        network="ResNet-110, 3 stages",
        baseline_macs=253_933_940,
        stage_accuracy=(0.481, 0.500, 0.705),
        images=10_000,
        points=_percent(
            (0, 70.50, 0.9), (1, 70.65, 4.2), (2, 70.50, 6.7), (4, 70.30, 10.4), (7, 69.94, 14.9), (8, 69.78, 16.2)
        ),
    ),
    PublishedResult(
        name="SVHN",
        network="ResNet-110, 3 stages",
        baseline_macs=None,
        stage_accuracy=(0.898, 0.852, 0.9703),
        images=26_032,
        points=_percent((0, 97.03, 0.1), (1, 95.60, 53.9), (2, 94.00, 59.0), (4, 91.30, 63.9), (7, 89.76, 66.1)),
    ),
    PublishedResult(
        name="ImageNet top-1",
        network="ResNet-50-v2, 3 stages",
        baseline_macs=4_037_883_817,
        stage_accuracy=(0.4669, 0.6276, 0.7651),
        images=50_000,
        points=_percent(
            (0, 76.51, -0.1), (1, 76.51, 3.2), (2, 76.50, 6.9), (5, 75.90, 13.6), (6, 75.56, 15.1), (7, 75.19, 16.5)
        ),
    ),
    PublishedResult(
        name="ImageNet top-5",
        network="ResNet-50-v2, 3 stages",
        baseline_macs=4_037_883_817,
        stage_accuracy=(0.7022, 0.8431, 0.9321),
        images=50_000,
        points=_percent(
            (0, 93.21, -0.1), (1, 92.84, 10.6), (2, 92.02, 17.4), (5, 88.54, 28.4), (6, 87.30, 31.0), (7, 86.13, 33.3)
        ),
    ),
)
"""Every published series, in the paper's order."""


def difference(series: PublishedResult, accuracy: float, samples: int) -> str:
    """What to bear in mind where a series stands beside a run.

    Args:
        accuracy: Of the run's plain network, a fraction.
        samples: Of the run.
    """
    whole, network = f"{percent(series.stage_accuracy[-1], 1)} without a cascade", series.network.partition(",")[0]
    if samples == series.images:
        whose = f"another network's, {network} ({whole}; here {percent(accuracy, 1)})"
    else:
        whose = (
            f"of other images and another network: {series.images:,} images, {network} ({whole}); here "
            f"{samples:,} samples ({percent(accuracy, 1)})"
        )
    return f"Published results on {series.name} are {whose}: compare what a drop saves, not accuracies."


def published_on(dataset: str | None, reference: Reference = "labels") -> tuple[PublishedResult, ...]:
    """Series on a data set, by the name that `Origin.dataset` has of it, such as "CIFAR-10"; on "ImageNet" top-1.

    They are accuracies: beside answers that are compared with anything but labels there are none.
    """
    if reference != "labels":
        return ()
    return tuple(series for series in PUBLISHED if dataset in (series.name, series.name.removesuffix(" top-1")))
