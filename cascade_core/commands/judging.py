"""The flag `--judge-on`: another run to judge thresholds on, and what is said of it beside the run that chose."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np

from cascade_core.analysis.elsewhere import Elsewhere, elsewhere
from cascade_core.analysis.exploration import Split
from cascade_core.analysis.likeness import likeness
from cascade_core.commands import cost_flags
from cascade_core.commands.common import say
from cascade_core.commands.measuring import certified, print_costs, print_evaluation
from cascade_core.commands.terminal import tell
from cascade_core.rendering.likeness_words import likeness_sentence
from cascade_core.simulation.bounds import ALPHA
from cascade_core.simulation.certificates import drop_bound
from cascade_core.simulation.evaluation import evaluate
from cascade_core.simulation.exits import ExitRule
from cascade_core.simulation.meters import Meter
from cascade_core.simulation.record import Record
from cascade_core.storage.choice import Choice
from cascade_core.storage.measured import judged
from cascade_core.storage.notes import notes_on
from cascade_core.storage.part_in_choosing import Part
from cascade_core.storage.reading import identity, load_run, load_sample_ids, read_metadata
from cascade_core.storage.schema import same_cascade
from cascade_core.support.remote import place
from cascade_core.support.visible import visible


def add_judge_flag(parser: argparse.ArgumentParser) -> None:
    """The flag that names another run to judge on."""
    about = (
        "another run with the same stages: thresholds and pool are chosen on RUN, and judged on this one too; samples "
        "that chose, by their ids, judge nothing"
    )
    parser.add_argument("--judge-on", type=place, metavar="OTHER", help=about)


def judged_on(args: argparse.Namespace, split: Split) -> Elsewhere | None:
    """The run of `--judge-on` without the samples that choose; None where there is no such flag."""
    return None if args.judge_on is None else read_elsewhere(args.judge_on, args.run, split, args.without_labels)


def read_elsewhere(other: Path, chosen_on: Path, split: Split, without_labels: bool = False) -> Elsewhere:
    """A run to judge on, beside the run that chooses, which `split` divides; what is odd is said.

    Args:
        without_labels: Whether its labels are passed over.

    Raises:
        BadFile: One of them is no run.
        ValueError: They do not belong together.
    """
    outputs, metadata = load_run(other), read_metadata(chosen_on)
    say(notes_on(outputs))
    outputs = outputs.without_labels() if without_labels else outputs
    found = elsewhere(outputs, np.array(load_sample_ids(chosen_on)), tuple(metadata["class_names"]), split)
    if not same_cascade(metadata, read_metadata(other)):
        say([f"{visible(other.name)} has other MACs than {visible(chosen_on.name)}, whose are told"])
    if found.left_out:
        tell(
            f"left out of {other.name}: {found.left_out:,} samples that had a part in choosing; "
            f"{len(found.outputs.labels):,} judge"
        )
    return found


def judge(args: argparse.Namespace, rule: ExitRule, test: Record, other: Elsewhere, meter: Meter) -> dict[str, Any]:
    """Print what a rule does on another run, and whether that looks like the samples that judged it; as JSON data too.

    Args:
        test: Samples of the run that chose, which had no part in that.
    """
    record = other.record(test)
    evaluation, bound = evaluate(record, rule), drop_bound(record, rule, ALPHA)
    tell(f"judged on {record.n:,} samples of {args.judge_on.name}, by the same thresholds:")
    print_evaluation(rule, evaluation, meter, cost_flags.macs_known(args.run, meter))
    print_costs(meter, evaluation, None)
    tell(certified(bound, evaluation.terms))
    found = likeness(test, record, rule, same=other.same)
    tell(likeness_sentence(found))
    return judged(identity(args.judge_on), evaluation, bound, found.describe(), meter)


def split_of_choice(choice: Choice, part: Part) -> Split:
    """How the run that a choice was made on is divided.

    Raises:
        ValueError: The run beside `--judge-on` is another, or the choice does not say.
    """
    if part in (Part.OTHER_RUN, Part.UNKNOWN):
        made_on = "" if choice.run is None else f", {visible(choice.run['name'])},"
        raise ValueError(
            f"Expected the run that the thresholds were chosen on{made_on} with --judge-on but it is another, or the "
            "choice does not say"
        )
    told = choice.measured["split"]
    return Split(fraction=told["fraction"], seed=told["seed"], in_sample=told["measured_on"] != "test")
