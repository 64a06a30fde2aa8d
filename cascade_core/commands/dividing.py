"""Flags on how a run is read and divided, which several verbs take, and what they make of it."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import replace

from cascade_core.analysis.exploration import Split, halves
from cascade_core.commands.common import say
from cascade_core.policies.answers import ANSWERS, Halves
from cascade_core.simulation.record import Record
from cascade_core.simulation.scores import SCORES
from cascade_core.storage.group_columns import read_groups
from cascade_core.storage.notes import notes_on, open_noted
from cascade_core.storage.reading import load_run, read_metadata
from cascade_core.storage.schema import is_counted
from cascade_core.support.amounts import share
from cascade_core.support.remote import place


def split_of(args: argparse.Namespace) -> Split:
    """How the run is divided."""
    return Split(fraction=args.fraction, seed=args.seed, in_sample=args.in_sample)


def source_of(args: argparse.Namespace, split: Split, in_every: str | None = None) -> Halves | Record:
    """The run, divided; or, where stages are to answer alone, what of it that takes.

    Args:
        in_every: Column by which limits on drops are to hold in every group, of the run or of the table of `--groups`.
    """
    return reading_of(args, in_every)(split)


def reading_of(args: argparse.Namespace, in_every: str | None = None) -> Callable[[Split], Halves | Record]:
    """What divides the run, which is read once, as `source_of` says; what is odd about the run is said."""
    counted = is_counted(read_metadata(args.run))
    if counted and args.without_labels:
        raise ValueError("Expected a run of single samples with --without-labels but this one holds counts")
    if counted and in_every is not None:
        raise ValueError("Expected a run of single samples with --by but this one holds counts")
    if counted or (args.answers == "own" and not args.without_labels and in_every is None):
        if args.answers == "pooled":
            raise ValueError("expected --answers own or auto: the run holds counts, no softmaxes to pool")
        record, notes = open_noted(args.run, args.score, args.top_k)
        say(notes)
        return lambda split: record
    outputs = load_run(args.run)
    say(notes_on(outputs))
    if args.without_labels:
        outputs = outputs.without_labels()
    if in_every is not None and args.groups is not None:
        outputs = replace(outputs, groups=read_groups(args.groups, outputs.sample_ids.tolist(), in_every))
    return lambda split: halves(outputs, split, args.score, args.top_k, in_every=in_every)


def add_split_flags(parser: argparse.ArgumentParser) -> None:
    """The run, and the flags on how it is read and divided."""
    parser.add_argument("run", type=place, help="a run file")
    about = "how sure a stage is (default max_probability; of a run without softmaxes confidence, the only one it has)"
    parser.add_argument("--score", choices=tuple(SCORES), help=about)
    parser.add_argument("--top-k", type=int, default=1, help="right if the label is among the k largest (default 1)")
    about = "each stage's own, pooled with all stages passed, or auto: what is expected to save more (default auto)"
    parser.add_argument("--answers", choices=ANSWERS, default=ANSWERS[0], help=about)
    parser.add_argument("--seed", type=int, default=0, help="of the calibration split (default 0)")
    about = "of samples for calibration, 50%% or 0.5 (default 50%%)"
    parser.add_argument("--fraction", type=share, default=0.5, help=about)
    about = "pass over the run's labels: choose and measure by disagreement with the last stage, as without any"
    parser.add_argument("--without-labels", action="store_true", help=about)
    parser.add_argument("--in-sample", action="store_true", help="choose and measure on all samples")
