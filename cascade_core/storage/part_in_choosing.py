"""Whether the samples of a run had a part in choosing thresholds, as far as a choice file tells.

A choice names the run it was made on by its digest, and how that was divided; what its thresholds were chosen on proves
nothing about other samples.  A run that was written anew, with groups for instance, has another digest: it is known by
what the choice does on the part that measured it, which comes out again to the last sample.
"""

from __future__ import annotations

from enum import Enum
from pathlib import Path

import numpy as np

from cascade_core.simulation.evaluation import evaluate
from cascade_core.simulation.record import Record
from cascade_core.storage.choice import Choice
from cascade_core.storage.reading import digest


class Part(Enum):
    """Which part samples had in choosing; the value says it in words, of samples."""

    NONE = "had no part in choosing the thresholds"
    OTHER_RUN = "are of another run than the thresholds were chosen on, and are taken to have had no part in that"
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
    in_sample, known = split["measured_on"] != "test", choice.run["sha256"] == digest(path)
    judged = 1.0 if in_sample else 1 - split["fraction"]
    if not known and abs(judged * record.n - choice.measured["n"]) > 1:
        return record, Part.OTHER_RUN
    judging = record if in_sample else record.split(split["fraction"], split["seed"])[1]
    if not known and not _measured_it(choice, judging):
        return record, Part.OTHER_RUN
    return judging, Part.ALL if in_sample else Part.NONE


def _measured_it(choice: Choice, judging: Record) -> bool:
    """Whether a choice does on these samples just what it was measured to do, at every stage."""
    measured = choice.measured
    if judging.n != measured["n"]:
        return False
    found = evaluate(judging, choice.rule)
    same = np.array_equal(found.exit_counts, choice.exit_counts) and found.reference == measured.get(
        "reference", "labels"
    )
    return bool(same and np.isclose(found.accuracy, measured["accuracy"], rtol=0, atol=0.5 / judging.n))
