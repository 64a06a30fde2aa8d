"""How to train a small network from what a given one answers: settings, and those that were found to do well."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from cascade_core.nets.training.settings import Training
from cascade_core.support import checks

VIEWS = 16
"""Views of each image that the given network is asked about, unless the user says otherwise."""

FRONT_SETTINGS: dict[str, Any] = {
    "epochs": 90,
    "batch_size": 128,
    "learning_rate": 0.2,
    "weight_decay": 5e-4,
    "distil": 0.9,
    "temperature": 4.0,
    "held_out": 0.02,
}
"""How to train by default; found by trials on training images of CIFAR-10 that were held out.

A temperature of 2, a rate of 0.4 and views without mixtures did worse.
"""

MOST_VIEWS, MOST_MINUTES = 1000, 60 * 24 * 365


@dataclass(frozen=True, kw_only=True)
class Distilling:
    """How to train a small network.

    Attributes:
        training: Epochs, batches, rate, largest shift, distillation, and what is held out.
        views: Of each image, that the given network is asked about; fewer where answers to them have no room.
        minutes: When to be done, by fewer views and epochs if need be; None = whenever.

    Raises:
        ValueError: A number is out of range.
    """

    training: Training
    views: int = VIEWS
    minutes: float | None = None

    def __post_init__(self) -> None:
        checks.whole("views", self.views, 1, MOST_VIEWS)
        if self.minutes is not None:
            checks.in_range("minutes", self.minutes, 0.0, MOST_MINUTES)
        if self.training.held_out <= 0:
            raise ValueError("Expected held_out to be above 0, to tell how right each exit is, but it was 0")

    def describe(self) -> dict[str, Any]:
        """The fields, as JSON data."""
        return {**self.training.describe(), "views": self.views, "minutes": self.minutes}
