"""Verbs on thresholds: `choose`, `compare` and `evaluate`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from cascade_core.analysis.comparison import compare
from cascade_core.analysis.exploration import Split, divide, explore
from cascade_core.analysis.likeness import likeness_of_counts
from cascade_core.analysis.mistakes import cheapest_with_mistakes
from cascade_core.analysis.points import Setting
from cascade_core.analysis.spread import splits
from cascade_core.commands import cost_flags, policy_flags
from cascade_core.commands.common import Parsers, add_verb, say
from cascade_core.commands.dividing import add_split_flags, reading_of, source_of, split_of
from cascade_core.commands.group_flags import add_group_flags, check_groups
from cascade_core.commands.grouping import tell_each_group, tell_groups
from cascade_core.commands.judging import (
    add_judge_flag,
    judge,
    judged_on,
    read_elsewhere,
    split_of_choice,
)
from cascade_core.commands.measuring import certified, print_costs, print_evaluation, say_scale, tell_grid, tell_leaving
from cascade_core.commands.tables import tell_table
from cascade_core.commands.terminal import tell
from cascade_core.policies import POLICIES, Policy, choose, describe_in
from cascade_core.rendering.likeness_words import likeness_sentence
from cascade_core.rendering.tables import comparison_table, seeds_table
from cascade_core.simulation.bounds import ALPHA, CERTAINTY
from cascade_core.simulation.certificates import drop_bound
from cascade_core.simulation.evaluation import Evaluation, evaluate
from cascade_core.simulation.exits import ExitRule
from cascade_core.simulation.meters import Meter
from cascade_core.simulation.record import Record
from cascade_core.storage.choice import load_choice, save_choice
from cascade_core.storage.notes import open_answered
from cascade_core.storage.part_in_choosing import Part, judging_part
from cascade_core.storage.reading import identity
from cascade_core.support.amounts import drop
from cascade_core.support.claims import claimed
from cascade_core.support.files import check_writable
from cascade_core.support.remote import place
from cascade_core.support.terms import terms


def choose_(args: argparse.Namespace) -> None:
    """Choose thresholds on one part of a run, measure them on the other, write the JSON."""
    meter = cost_flags.meter_of(args)
    policy = None if args.mistake is not None else policy_flags.policy_of(args, meter)
    check_groups(args)
    if args.out:
        check_writable(args.out, ".json")
    with claimed(*filter(None, [args.out])):
        _choose(args, policy, meter)


def _choose(args: argparse.Namespace, policy: Policy | None, meter: Meter) -> None:
    split = split_of(args)
    other = judged_on(args, split)
    chosen = _at_a_price(args, meter, split) if policy is None else _by_policy(args, policy, meter, split)
    rule, evaluation, test = chosen.rule, chosen.evaluation, chosen.test
    if args.in_sample:
        tell("in-sample: chosen and measured on the same samples")
    tell(f"answers: {chosen.answers}; {chosen.why}")
    say_scale(rule, test)
    print_evaluation(rule, evaluation, meter, cost_flags.macs_known(args.run, meter))
    tell_grid(test, rule)
    print_costs(meter, evaluation, args.mistake)
    if not args.in_sample:
        tell(certified(drop_bound(test, rule, ALPHA), evaluation.terms))
    tell_each_group(args, split, test, rule, meter)
    judged = [] if other is None else [judge(args, rule, test, other, meter)]
    if args.out:
        run = identity(args.run)
        described, split_told = chosen.policy, split.describe()
        save_choice(
            args.out, rule, evaluation, policy=described, run=run, split=split_told, meter=meter, judged_on=judged
        )
        tell(f"wrote {args.out}")


@dataclass(frozen=True, kw_only=True, eq=False)
class _Chosen:
    """A rule, what it does on the test samples, and where it comes from."""

    rule: ExitRule
    evaluation: Evaluation
    test: Record
    answers: str
    why: str
    policy: dict[str, Any]


def _by_policy(args: argparse.Namespace, policy: Policy, meter: Meter, split: Split) -> _Chosen:
    divided = divide(source_of(args, split, args.by), policy, split, args.answers, meter)
    rule = choose(divided.priced, policy)
    return _Chosen(
        rule=rule,
        evaluation=evaluate(divided.test, rule),
        test=divided.test,
        answers=divided.answers,
        why=divided.why,
        policy=describe_in(policy, meter, args.by),
    )


def _at_a_price(args: argparse.Namespace, meter: Meter, split: Split) -> _Chosen:
    """The rule at the slider position where computing and mistakes cost least together."""
    kind = policy_flags.sweep_without_parameters(args, "--mistake")
    if args.by is not None:
        raise ValueError("expected --max-drop with --by, a limit that holds in every group, but there was --mistake")
    found = explore(source_of(args, split), kind, split, answers=args.answers, meter=meter)
    position = cheapest_with_mistakes(found, args.mistake)
    setting = Setting(exploration=found, position=position)
    tell(f"{found.terms.of(kind.title).lower()}, set to {setting.words}")
    return _Chosen(
        rule=setting.rule,
        evaluation=setting.evaluation,
        test=found.test,
        answers=found.answers,
        why=found.why,
        policy=found.described(position),
    )


def compare_(args: argparse.Namespace) -> None:
    """Compare all policies on a run, each set to give up about as much, measured on samples that none of them saw."""
    split = split_of(args)
    if args.seeds is not None:
        _compare_over(args, splits(split, args.seeds))
        return
    check_groups(args)
    meter = cost_flags.meter_of(args)
    other = judged_on(args, split)
    compared = compare(source_of(args, split), split, args.max_drop, args.answers, meter)
    tell_table(comparison_table(compared), compared[0].evaluation.terms)
    if other is not None:
        there = [one.on(other) for one in compared]
        tell(f"the same thresholds on {there[0].test.n:,} samples of {args.judge_on.name}:")
        tell_table(comparison_table(there), there[0].evaluation.terms)
    tell_groups(args, split, compared, meter)
    column = compared[0].evaluation.terms.column("drop_certified_alone")
    where = "in-sample, on the" if args.in_sample else "measured on the other"
    tell(
        f"Set to a drop of {100 * args.max_drop:g} points on calibration samples; {where} "
        f"{compared[0].evaluation.n:,} samples. {_drops(compared[0].evaluation)}; {column}: at most "
        f"that, with {CERTAINTY} confidence, for each policy by itself. moves_by: by how much another "
        f"{compared[0].evaluation.n:,} samples would move the figure."
    )


def _compare_over(args: argparse.Namespace, drawn: Sequence[Split]) -> None:
    """The comparison's means and standard deviations over several splits of one run."""
    source = reading_of(args)
    meter = cost_flags.meter_of(args)
    compared = [compare(source(split), split, args.max_drop, args.answers, meter) for split in drawn]
    tell_table(seeds_table(compared), compared[0][0].evaluation.terms)
    tell(
        f"Set to a drop of {100 * args.max_drop:g} points on calibration samples, measured on the others. Means and "
        f"standard deviations (sd) over {len(drawn)} splits. {_drops(compared[0][0].evaluation)}."
    )


def _drops(evaluation: Evaluation) -> str:
    """What columns of drops hold."""
    if evaluation.reference == "labels":
        return "Drops are in points, below zero a gain"
    return f"Points are of {evaluation.terms.drop}"


def evaluate_(args: argparse.Namespace) -> None:
    """Say what chosen thresholds do on a run."""
    choice = load_choice(args.choice)
    rule = choice.rule
    record, notes = open_answered(args.run, rule)
    say(notes)
    judging, part = judging_part(choice, args.run, record)
    if part is Part.UNKNOWN:
        tell("these samples may include those that the thresholds were chosen on: the choice does not say")
    elif part is Part.OTHER_RUN and choice.run is not None:
        tell(f"another run than {choice.run['name']}, which the thresholds were chosen on")
    elif part is Part.NONE and not args.all:
        record = judging
        tell(f"measured on the {record.n:,} samples that the thresholds never saw")
    else:
        tell("in-sample: these samples include those that the thresholds were chosen on")
    evaluation, meter = evaluate(record, rule), cost_flags.meter_of(args)
    say_scale(rule, record)
    print_evaluation(rule, evaluation, meter, cost_flags.macs_known(args.run, meter))
    tell_grid(record, rule)
    print_costs(meter, evaluation, None)
    tell_leaving(record, rule, ALPHA if part.independent and not args.all else None)
    if part is Part.OTHER_RUN:
        tell(likeness_sentence(likeness_of_counts(choice.exit_counts, evaluation.exit_counts)))
    if args.judge_on is not None:
        split = split_of_choice(choice, part)
        judge(args, rule, record, read_elsewhere(args.judge_on, args.run, split), meter)
    tell(
        f"the choice file recorded {terms(choice.measured.get('reference', 'labels')).accuracy} "
        f"{choice.measured['accuracy']:.2%}, "
        f"saving {choice.measured['saving']:.1%} on {choice.measured['n']:,} samples"
    )


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
    add_group_flags(parser, "have the limit on the drop hold in every group of samples")
    cost_flags.add_cost_flags(parser, mistake=True)
    add_judge_flag(parser)
    parser.add_argument("--out", type=place, help="the JSON to write")


def _add_compare(verbs: Parsers) -> None:
    parser = add_verb(verbs, "compare", compare_, "compare cache/cifar10-resnet56-fine-heads.parquet --max-drop 0.01")
    add_split_flags(parser)
    about = "accuracy to give up: 1%%, 1pt or 0.01 is one point (default 1pt)"
    parser.add_argument("--max-drop", type=drop, default=0.01, help=about)
    about = "means and standard deviations over splits by the seeds 0 to SEEDS - 1, in place of one split"
    parser.add_argument("--seeds", type=int, help=about)
    add_group_flags(parser, "tell what happens in each group of samples")
    add_judge_flag(parser)
    cost_flags.add_cost_flags(parser)


def _add_evaluate(verbs: Parsers) -> None:
    parser = add_verb(verbs, "evaluate", evaluate_, "evaluate choice.json cache/cifar10-resnet56-fine-heads.parquet")
    parser.add_argument("choice", type=place, help="a JSON that choose or the dashboard wrote")
    parser.add_argument("run", type=place, help="a run file")
    cost_flags.add_cost_flags(parser)
    add_judge_flag(parser)
    parser.add_argument("--all", action="store_true", help="measure on all samples, those of calibration too")


def add(verbs: Parsers) -> None:
    """Add these verbs."""
    for add_one in (_add_choose, _add_compare, _add_evaluate):
        add_one(verbs)
