"""Verbs on thresholds: `choose`, `compare`, `evaluate` and `report`."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from cascade_core.analysis.comparison import compare
from cascade_core.analysis.exploration import Split, divide, explore, halves
from cascade_core.analysis.spread import moved_words, splits
from cascade_core.commands import policy_flags
from cascade_core.commands.common import Parsers, add_verb, text
from cascade_core.policies import POLICIES, SWEEPS, TIMED, choose, describe
from cascade_core.policies.answers import ANSWERS, Halves
from cascade_core.policies.base import rule_path
from cascade_core.rendering.axes import confidence_axis
from cascade_core.rendering.live.data import live_data, words
from cascade_core.rendering.published import published_on
from cascade_core.rendering.report import report_html, setting
from cascade_core.rendering.tables import comparison_table, exits_table, seeds_table
from cascade_core.simulation.bounds import ALPHA, CERTAINTY, COVERAGE
from cascade_core.simulation.certificates import drop_bounds
from cascade_core.simulation.evaluation import Evaluation, evaluate
from cascade_core.simulation.exits import ExitRule
from cascade_core.simulation.meters import Milliseconds
from cascade_core.simulation.record import Record
from cascade_core.simulation.scores import SCORES
from cascade_core.storage.choice import load_choice, save_choice
from cascade_core.storage.origin import Origin
from cascade_core.storage.reading import digest, identity, load_run, open_record, read_metadata
from cascade_core.support import wording
from cascade_core.support.files import atomic_write, check_writable


def choose_(args: argparse.Namespace) -> None:
    """Choose thresholds on one part of a run, measure them on the other, write the JSON."""
    policy = policy_flags.policy_of(args)
    if args.out:
        check_writable(args.out, ".json")
    split = _split(args)
    divided = divide(_source(args, split), policy, split, args.answers)
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
    split = _split(args)
    if args.seeds is not None:
        _compare_over(args, splits(split, args.seeds))
        return
    compared = compare(_source(args, split), split, args.max_drop, args.answers)
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
    source = _reading(args)
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


def report_(args: argparse.Namespace) -> None:
    """Write one HTML file with the live slider, tables and the chosen thresholds; it opens without a network."""
    check_writable(args.out, ".html")
    kind, split = SWEEPS[args.policy], _split(args)
    value = getattr(policy_flags.policy_of(args), kind.slider.parameter) if policy_flags.set_parameters(args) else None
    metadata, run = read_metadata(args.run), identity(args.run)
    origin, exploration = (
        Origin.of(metadata["source"]),
        explore(_source(args, split), kind, split, answers=args.answers),
    )
    position = exploration.opening if value is None else exploration.nearest(value)
    data = live_data(
        exploration,
        confidence_axis(args.score, len(metadata["class_names"])),
        initial=position,
        published=published_on(origin.dataset),
        name=run["name"],
        **words(origin, run["name"]),
    )
    html = report_html(exploration, data, position=position, run=run, source=metadata["source"])
    with atomic_write(args.out) as temporary:
        temporary.write_text(html, encoding="utf-8")
    print(f"wrote {args.out} ({len(html.encode()):,} bytes), which opens at {setting(exploration, position)}")


def _split(args: argparse.Namespace) -> Split:
    return Split(fraction=args.fraction, seed=args.seed, in_sample=args.in_sample)


def _source(args: argparse.Namespace, split: Split) -> Halves | Record:
    """The run, divided; or, where stages are to answer alone, what of it that takes."""
    return _reading(args)(split)


def _reading(args: argparse.Namespace) -> Callable[[Split], Halves | Record]:
    """What divides the run, which is read once, as `_source` says."""
    if args.answers == "own":
        record = open_record(args.run, args.score, args.top_k)
        return lambda split: record
    outputs = load_run(args.run)
    return lambda split: halves(outputs, split, args.score, args.top_k)


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


def _add_split_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", type=Path, help="a run file")
    parser.add_argument("--score", choices=tuple(SCORES), default="max_probability", help="(default max_probability)")
    parser.add_argument("--top-k", type=int, default=1, help="right if the label is among the k largest (default 1)")
    about = "each stage's own, pooled with all stages passed, or auto: what is expected to save more (default auto)"
    parser.add_argument("--answers", choices=ANSWERS, default=ANSWERS[0], help=about)
    parser.add_argument("--seed", type=int, default=0, help="of the calibration split (default 0)")
    parser.add_argument("--fraction", type=float, default=0.5, help="of samples for calibration (default 0.5)")
    parser.add_argument("--in-sample", action="store_true", help="choose and measure on all samples")


def _add_choose(verbs: Parsers) -> None:
    parser = add_verb(
        verbs,
        "choose",
        choose_,
        "choose cache/cifar10-resnet56-fine-heads.parquet --policy cheapest --max-drop 0.01 --out choice.json",
        policy_flags.titles(POLICIES.values()),
    )
    _add_split_flags(parser)
    policy_flags.add_policy(parser, POLICIES, policy_flags.all_parameters())
    parser.add_argument("--batch", type=int, default=1, help="for --max-ms: size of the batches (default 1)")
    parser.add_argument("--out", type=Path, help="the JSON to write")


def _add_compare(verbs: Parsers) -> None:
    parser = add_verb(verbs, "compare", compare_, "compare cache/cifar10-resnet56-fine-heads.parquet --max-drop 0.01")
    _add_split_flags(parser)
    parser.add_argument("--max-drop", type=float, default=0.01, help="accuracy to give up, a fraction (default 0.01)")
    about = "means and standard deviations over splits by the seeds 0 to SEEDS - 1, in place of one split"
    parser.add_argument("--seeds", type=int, help=about)


def _add_evaluate(verbs: Parsers) -> None:
    parser = add_verb(verbs, "evaluate", evaluate_, "evaluate choice.json cache/cifar10-resnet56-fine-heads.parquet")
    parser.add_argument("choice", type=Path, help="a JSON that choose or the dashboard wrote")
    parser.add_argument("run", type=Path, help="a run file")
    parser.add_argument("--batch", type=int, help="also say how long it takes in batches of this size (see profile)")
    parser.add_argument("--all", action="store_true", help="measure on all samples, those of calibration too")


def _add_report(verbs: Parsers) -> None:
    parser = add_verb(
        verbs,
        "report",
        report_,
        "report cache/cifar10-resnet56-fine-heads.parquet --policy cheapest --max-drop 0.01 --out report.html",
        "The report opens at the slider position nearest to the parameter, or where the dashboard opens.\n\n"
        + policy_flags.titles(SWEEPS.values()),
    )
    _add_split_flags(parser)
    policy_flags.add_policy(parser, SWEEPS, ((kind.slider.parameter, kind) for kind in SWEEPS.values()))
    parser.add_argument("--out", type=Path, required=True, help="the HTML file to write")


def add(verbs: Parsers) -> None:
    """Add these verbs."""
    for add_one in (_add_choose, _add_compare, _add_evaluate, _add_report):
        add_one(verbs)
