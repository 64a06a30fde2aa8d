"""Whether the samples of a run had a part in choosing thresholds, as far as a choice file tells.

A choice names the run it was made on by its digest, and how that was divided; what its thresholds were chosen on proves
nothing about other samples.
"""

from __future__ import annotations

from enum import Enum
from pathlib import Path

from cascade_core.simulation.record import Record
from cascade_core.storage.choice import Choice
from cascade_core.storage.reading import digest


class Part(Enum):
    """Which part samples had in choosing; the value says it in words, of samples."""

    NONE = "had no part in choosing the thresholds"
    OTHER_RUN = "are of another run than the thresholds were chosen on"
    ALL = "had a part in choosing the thresholds"
    UNKNOWN = "may have had a part in choosing the thresholds: the choice does not say"

    @property
    def independent(self) -> bool:
        """Whether what is measured on them holds for others."""
        return self in (Part.NONE, Part.OTHER_RUN)


def judging_part(choice: Choice, path: str | Path, record: Record) -> tuple[Record, Part]:
    """The samples of a run that may judge a choice, all of them where none are better, and their part in it.

    Args:
        path: The run that `record` was read from.
    """
    split = choice.measured.get("split")
    if choice.run is None or split is None:
        return record, Part.UNKNOWN
    if choice.run["sha256"] != digest(path):
        return record, Part.OTHER_RUN
    if split["measured_on"] != "test":
        return record, Part.ALL
    return record.split(split["fraction"], split["seed"])[1], Part.NONE
