"""One call from what stages said to thresholds: what README, command line, page and exported script all do."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cascade_core.policies.answers import Divided, Halves
from cascade_core.policies.base import Policy
from cascade_core.policies.priced import describe_in
from cascade_core.simulation.dividing import split_indices
from cascade_core.simulation.evaluation import Evaluation, evaluate
from cascade_core.simulation.exits import ExitRule
from cascade_core.simulation.meters import MACS, Meter
from cascade_core.simulation.record import Record
from cascade_core.simulation.recorded import Outputs
from cascade_core.storage.choice import save_choice
from cascade_core.storage.notes import notes_on
from cascade_core.storage.reading import identity
from cascade_core.storage.schema import run_metadata, usual_meter
from cascade_core.support.remote import Place, Somewhere


@dataclass(frozen=True, kw_only=True, eq=False)
class Tuned:
    """Thresholds, and what they do to samples that had no part in choosing them.

    Attributes:
        rule: The thresholds, with the pool (None where stages answer for themselves).
        evaluation: On the test samples.
        answers: "own" or "pooled".
        why: Why these, in a sentence.
        policy: As `describe` gives it.
        split: How the samples were divided.
        meter: What costs are told in beside MACs.
    """

    rule: ExitRule
    evaluation: Evaluation
    answers: str
    why: str
    policy: dict[str, Any]
    split: dict[str, Any]
    meter: Meter = MACS

    def save(self, path: str | Somewhere, run: str | Place | None = None) -> Path | Somewhere:
        """Write the choice as JSON; with the run's file, its name and digest are in it, so that it is known again."""
        source = None if run is None else identity(run)
        about: dict[str, Any] = {"policy": self.policy, "run": source, "split": self.split, "meter": self.meter}
        return save_choice(path, self.rule, self.evaluation, **about)


def tune(
    outputs: Outputs | Record,
    policy: Policy,
    *,
    fraction: float = 0.5,
    seed: int = 0,
    score: str | None = None,
    top_k: int = 1,
    answers: str = "auto",
    meter: Meter | None = None,
    in_every: str | None = None,
) -> Tuned:
    """Choose thresholds on one part of the samples, and measure on the other what they do.

    Args:
        outputs: A run; or a record, such as one of counts, whose answers are taken as they are and which costs MACs
            unless a meter is given.
        fraction: Share of the samples that choose, in (0, 1).
        seed: Of the division.
        score, top_k: What thresholds are compared with, see `Outputs.record`.
        answers: "own", "pooled", or "auto": whichever is expected to save more on new samples.
        meter: What the policy is to save; None = MACs, or the run's own costs where it has no MACs.
        in_every: "class", or a column of the outputs' groups: the policy's limit on the drop is to hold in every group.

    Raises:
        Infeasible: No rule fulfils the policy's parameters; the message names the best.
        ValueError: A part would be empty, or an argument is none of those above.

    Warns:
        UserWarning: Something about the outputs is odd; the command line and the page say the same.
    """
    if isinstance(outputs, Record):
        meter = MACS if meter is None else meter
        if score not in (None, outputs.score) or top_k != outputs.top_k:
            raise ValueError(f"Expected the score of the record, {outputs.score}, but it was {score}, top {top_k}")
        divided = Divided.of_records(*outputs.split(fraction, seed), answers, meter)
    else:
        for note in notes_on(outputs):
            warnings.warn(note, stacklevel=2)
        meter = usual_meter(run_metadata(outputs)) if meter is None else meter
        calibration, test = split_indices(len(outputs.labels), fraction, seed)
        asked: dict[str, Any] = {"score": score, "top_k": top_k, "meter": meter, "in_every": in_every}
        divided = Halves(outputs=outputs, calibration=calibration, test=test, **asked).divided(policy, answers)
    rule = policy.choose(divided.priced)
    return Tuned(
        rule=rule,
        evaluation=evaluate(divided.test, rule),
        answers=divided.answers,
        why=divided.why,
        policy=describe_in(policy, meter, in_every),
        split={"fraction": fraction, "seed": seed, "measured_on": "test"},
        meter=meter,
    )
