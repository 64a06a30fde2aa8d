"""Verbs on thresholds: `choose`, `compare` and `evaluate`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from cascade_core.analysis.comparison import compare
from cascade_core.analysis.exploration import Split, divide
from cascade_core.analysis.spread import moved_words, splits
from cascade_core.commands import policy_flags
from cascade_core.commands.common import Parsers, add_verb, text
from cascade_core.commands.dividing import add_split_flags, reading_of, source_of, split_of
from cascade_core.policies import POLICIES, TIMED, choose, describe
from cascade_core.policies.base import rule_path
from cascade_core.rendering.tables import comparison_table, exits_table, seeds_table
from cascade_core.simulation.bounds import ALPHA, CERTAINTY, COVERAGE
from cascade_core.simulation.certificates import drop_bounds
from cascade_core.simulation.evaluation import Evaluation, evaluate
from cascade_core.simulation.exits import ExitRule
from cascade_core.simulation.meters import Milliseconds
from cascade_core.storage.choice import load_choice, save_choice
from cascade_core.storage.reading import digest, identity, open_record
from cascade_core.support import wording
from cascade_core.support.files import check_writable


def choose_(args: argparse.Namespace) -> None:
    """Choose thresholds on one part of a run, measure them on the other, write the JSON."""
    policy = policy_flags.policy_of(args)
    if args.out:
        check_writable(args.out, ".json")
    split = split_of(args)
    divided = divide(source_of(args, split), policy, split, args.answers)
    rule = choose(divided.calibration, policy)
    evaluation = evaluate(divided.test, rule)
    if args.in_sample:
        print("in-sample: chosen and measured on the same samples")
    print(f"answers: {divided.answers}; {divided.why}")
    _print_evaluation(rule, evaluation)
    if isinstance(policy, tuple(TIMED.values())):
        _print_time(policy_flags.meter_of(args), evaluation)
    if not args.in_sample:
        path = rule_path(divided.test, [0.0], rule.thresholds[None], np.array([rule.plain]))
        bound = drop_bounds(divided.test, path, ALPHA)[0]
        print(f"certified with {CERTAINTY} confidence, for this choice alone: {wording.at_most(bound, 2)}")
    if args.out:
        run = identity(args.run)
        save_choice(args.out, rule, evaluation, policy=describe(policy), run=run, split=split.describe())
        print(f"wrote {args.out}")


def compare_(args: argparse.Namespace) -> None:
    """Compare all policies on a run, each set to give up about as much, measured on samples that none of them saw."""
    split = split_of(args)
    if args.seeds is not None:
        _compare_over(args, splits(split, args.seeds))
        return
    compared = compare(source_of(args, split), split, args.max_drop, args.answers)
    print(text(comparison_table(compared)))
    where = "in-sample, on the" if args.in_sample else "measured on the other"
    print(
        f"Set to a drop of {100 * args.max_drop:g} points on calibration samples; {where} "
        f"{compared[0].evaluation.n:,} samples. Drops are in points, below zero a gain; drop_certified_alone: at most "
        f"that, with {CERTAINTY} confidence, for each policy by itself. moves_by: by how much another "
        f"{compared[0].evaluation.n:,} samples would move the figure."
    )


def _compare_over(args: argparse.Namespace, drawn: Sequence[Split]) -> None:
    """The comparison's means and standard deviations over several splits of one run."""
    source = reading_of(args)
    compared = [compare(source(split), split, args.max_drop, args.answers) for split in drawn]
    print(text(seeds_table(compared)))
    print(
        f"Set to a drop of {100 * args.max_drop:g} points on calibration samples, measured on the others. Means and "
        f"standard deviations (sd) over {len(drawn)} splits; drops are in points."
    )


def evaluate_(args: argparse.Namespace) -> None:
    """Say what chosen thresholds do on a run."""
    choice = load_choice(args.choice)
    rule = choice.rule
    record = open_record(args.run, rule.score, rule.top_k, rule.pool)
    split = choice.measured.get("split")
    if choice.run is None or split is None:
        print("these samples may include those that the thresholds were chosen on: the choice does not say")
    elif choice.run["sha256"] != digest(args.run):
        print(f"another run than {choice.run['name']}, which the thresholds were chosen on")
    elif split["measured_on"] == "test" and not args.all:
        record = record.split(split["fraction"], split["seed"])[1]
        print(f"measured on the {record.n:,} samples that the thresholds never saw")
    else:
        print("in-sample: these samples include those that the thresholds were chosen on")
    evaluation = evaluate(record, rule)
    _print_evaluation(rule, evaluation)
    if args.batch:
        _print_time(policy_flags.meter_of(args), evaluation)
    print(
        f"the choice file recorded accuracy {choice.measured['accuracy']:.2%}, "
        f"saving {choice.measured['saving']:.1%} on {choice.measured['n']:,} samples"
    )


def _print_evaluation(rule: ExitRule, evaluation: Evaluation) -> None:
    print(text(exits_table(rule, evaluation)))
    if rule.plain:
        print("nothing leaves early: the plain network answers every sample")
    low, high = evaluation.drop_interval()
    print(
        f"accuracy {evaluation.accuracy:.2%} (plain network {evaluation.full_accuracy:.2%}), "
        f"{wording.change(evaluation.accuracy_drop, 2)} ({COVERAGE} interval {wording.interval(low, high, 2)}, "
        f"for these thresholds alone), "
        f"saving {evaluation.saving:.1%} of {evaluation.baseline_macs:,} MACs, on {evaluation.n:,} samples"
    )
    print(moved_words(evaluation))


def _print_time(meter: Milliseconds, evaluation: Evaluation) -> None:
    """What the rule is expected to take, by the profile beside the run."""
    plain = meter.plain(evaluation)
    times = []
    for how, compaction in (("survivors compacted", True), ("whole batches", False)):
        taken = replace(meter, compaction=compaction).mean(evaluation)
        times.append(f"{taken:.3f} ms with {how} (saving {1 - taken / plain:.1%})")
    print(f"expected at batch {meter.batch}: {', '.join(times)}; plain network {plain:.3f} ms a sample")


def _add_choose(verbs: Parsers) -> None:
    parser = add_verb(
        verbs,
        "choose",
        choose_,
        "choose cache/cifar10-resnet56-fine-heads.parquet --policy cheapest --max-drop 0.01 --out choice.json",
        policy_flags.titles(POLICIES.values()),
    )
    add_split_flags(parser)
    policy_flags.add_policy(parser, POLICIES, policy_flags.all_parameters())
    parser.add_argument("--batch", type=int, default=1, help="for --max-ms: size of the batches (default 1)")
    parser.add_argument("--out", type=Path, help="the JSON to write")


def _add_compare(verbs: Parsers) -> None:
    parser = add_verb(verbs, "compare", compare_, "compare cache/cifar10-resnet56-fine-heads.parquet --max-drop 0.01")
    add_split_flags(parser)
    parser.add_argument("--max-drop", type=float, default=0.01, help="accuracy to give up, a fraction (default 0.01)")
    about = "means and standard deviations over splits by the seeds 0 to SEEDS - 1, in place of one split"
    parser.add_argument("--seeds", type=int, help=about)


def _add_evaluate(verbs: Parsers) -> None:
    parser = add_verb(verbs, "evaluate", evaluate_, "evaluate choice.json cache/cifar10-resnet56-fine-heads.parquet")
    parser.add_argument("choice", type=Path, help="a JSON that choose or the dashboard wrote")
    parser.add_argument("run", type=Path, help="a run file")
    parser.add_argument("--batch", type=int, help="also say how long it takes in batches of this size (see profile)")
    parser.add_argument("--all", action="store_true", help="measure on all samples, those of calibration too")


def add(verbs: Parsers) -> None:
    """Add these verbs."""
    for add_one in (_add_choose, _add_compare, _add_evaluate):
        add_one(verbs)
