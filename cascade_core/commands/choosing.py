"""Verbs on thresholds: `choose`, `compare`, `evaluate` and `report`."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

from cascade_core.analysis.comparison import compare
from cascade_core.analysis.exploration import ALPHA, Split, calibrated_record, explore
from cascade_core.commands.common import Parsers, add_verb, numbers, text
from cascade_core.policies import POLICIES, SWEEPS, BestWithinBudget, BestWithinTime, Policy, choose, describe
from cascade_core.policies.base import rule_path
from cascade_core.rendering.axes import confidence_axis
from cascade_core.rendering.live.data import live_data, words
from cascade_core.rendering.published import published_on
from cascade_core.rendering.report import report_html, setting
from cascade_core.rendering.tables import comparison_table, exits_table
from cascade_core.simulation.certificates import drop_bounds
from cascade_core.simulation.evaluation import Evaluation, evaluate
from cascade_core.simulation.exits import ExitRule
from cascade_core.simulation.meters import Milliseconds
from cascade_core.simulation.record import Record
from cascade_core.simulation.scores import SCORES
from cascade_core.simulation.timing import load_profile, profile_path
from cascade_core.storage.choice import load_choice, save_choice
from cascade_core.storage.origin import Origin
from cascade_core.storage.store import atomic_write, check_writable, digest, load_run, open_record, read_metadata


def choose_(args: argparse.Namespace) -> None:
    """Choose thresholds on one part of a run, measure them on the other, write the JSON."""
    policy = _policy(args)
    if args.out:
        check_writable(args.out, ".json")
    split = _split(args)
    calibration, test = split.apply(_record(args, split))
    rule = choose(calibration, policy)
    evaluation = evaluate(test, rule)
    if args.in_sample:
        print("in-sample: chosen and measured on the same samples")
    _print_evaluation(rule, evaluation)
    if args.max_ms is not None:
        _print_time(args.run, evaluation, args.batch)
    if not args.in_sample:
        bound = drop_bounds(test, rule_path(test, [0.0], rule.thresholds[None]), ALPHA)[0]
        print(f"certificate: with {1 - ALPHA:.0%} confidence the drop is at most {100 * bound:.2f} points")
    if args.out:
        run = {"name": args.run.stem, "sha256": digest(args.run)}
        save_choice(args.out, rule, evaluation, policy=describe(policy), run=run, split=split.describe())
        print(f"wrote {args.out}")


def compare_(args: argparse.Namespace) -> None:
    """Compare all policies on a run, each set to give up about as much, measured on samples that none of them saw."""
    split = _split(args)
    found = compare(_record(args, split), split, args.max_drop)
    print(text(comparison_table(found)))
    where = "in-sample, on the" if args.in_sample else "measured on the other"
    print(
        f"Set to a drop of {100 * args.max_drop:g} points on calibration samples; {where} "
        f"{found[0].evaluation.n:,} samples. Drops are in points; certified: at most that, with {1 - ALPHA:.0%} "
        "confidence, for each policy by itself."
    )


def evaluate_(args: argparse.Namespace) -> None:
    """Say what chosen thresholds do on a run."""
    choice = load_choice(args.choice)
    rule = choice.rule
    record = open_record(args.run, rule.score, rule.top_k, rule.temperatures)
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
        _print_time(args.run, evaluation, args.batch)
    print(
        f"the choice file recorded accuracy {choice.measured['accuracy']:.2%}, "
        f"saving {choice.measured['saving']:.1%} on {choice.measured['n']:,} samples"
    )


def report_(args: argparse.Namespace) -> None:
    """Write one HTML file with the live slider, tables and the chosen thresholds; it opens without a network."""
    check_writable(args.out, ".html")
    kind, split = SWEEPS[args.policy], _split(args)
    value = getattr(_policy(args), kind.slider.parameter) if _given(args) else None
    metadata, run = read_metadata(args.run), {"name": args.run.stem, "sha256": digest(args.run)}
    origin, exploration = Origin.of(metadata["source"]), explore(_record(args, split), kind, split)
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


def _given(args: argparse.Namespace) -> bool:
    """Whether any policy's parameter is given."""
    return any(getattr(args, name, None) is not None for name in _parameters())


def _split(args: argparse.Namespace) -> Split:
    return Split(fraction=args.fraction, seed=args.seed, in_sample=args.in_sample)


def _record(args: argparse.Namespace, split: Split) -> Record:
    """The run's record, with temperatures that were fitted to its calibration samples if that is asked for."""
    if not args.calibrated:
        return open_record(args.run, args.score, args.top_k)
    record = calibrated_record(load_run(args.run), split, args.score, args.top_k)
    print("temperatures: " + ", ".join(f"{t:.3f}" for t in record.temperatures or ()))
    return record


def _policy(args: argparse.Namespace) -> Policy:
    if getattr(args, "max_ms", None) is not None:
        if args.policy != BestWithinBudget.name or args.max_macs is not None:
            raise ValueError(f"--max-ms is a budget: it needs --policy {BestWithinBudget.name} and no --max-macs")
        meter = Milliseconds(profile=load_profile(profile_path(args.run)), batch=args.batch)
        return BestWithinTime(max_ms=args.max_ms, meter=meter)
    kind = POLICIES[args.policy]
    wanted = {field.name: field.default is MISSING for field in fields(kind)}  # type: ignore[arg-type]  # dataclasses
    for name in _parameters():
        given = getattr(args, name, None) is not None
        if (given and name not in wanted) or (not given and wanted.get(name, False)):
            raise ValueError(f"policy {args.policy} {'takes no' if given else 'needs'} {_flag(name)}")
    return kind(**{name: getattr(args, name) for name in wanted if getattr(args, name, None) is not None})


Parameters = dict[str, tuple[Callable[[str], Any], list[type[Policy]]]]


def _parameters() -> Parameters:
    """Parameters of all policies, how to read each from the command line, and the policies that take it."""
    readers: dict[str, Callable[[str], Any]] = {"float": float, "Sequence[float]": numbers(float)}
    found: Parameters = {}
    for kind in POLICIES.values():
        for field in fields(kind):  # type: ignore[arg-type]  # every policy is a dataclass
            found.setdefault(field.name, (readers[str(field.type)], []))[1].append(kind)
    return found


def _flag(parameter: str) -> str:
    return "--" + parameter.replace("_", "-")


def _print_evaluation(rule: ExitRule, evaluation: Evaluation) -> None:
    print(text(exits_table(rule, evaluation)))
    if not rule.leaves_early:
        print("nothing leaves early: the full model answers every sample")
    low, high = evaluation.drop_interval()
    print(
        f"accuracy {evaluation.accuracy:.2%} (last stage {evaluation.full_accuracy:.2%}), "
        f"drop {100 * evaluation.accuracy_drop:.2f} points (95 % interval {100 * low:.2f} to {100 * high:.2f}), "
        f"saving {evaluation.saving:.1%} of {evaluation.baseline_macs:,} MACs, on {evaluation.n:,} samples"
    )


def _print_time(run: Path, evaluation: Evaluation, batch: int) -> None:
    """What the rule is expected to take, by the profile beside the run."""
    profile = load_profile(profile_path(run))
    plain = profile.plain_seconds(batch)
    told = []
    for how, compaction in (("survivors compacted", True), ("whole batches", False)):
        seconds = profile.expected_seconds(evaluation, batch, compaction=compaction)
        told.append(f"{1000 * seconds:.3f} ms with {how} (saving {1 - seconds / plain:.1%})")
    print(f"expected at batch {batch}: {', '.join(told)}; plain network {1000 * plain:.3f} ms a sample")


def _add_split_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", type=Path, help="a run file")
    parser.add_argument("--score", choices=tuple(SCORES), default="max_probability", help="(default max_probability)")
    parser.add_argument("--top-k", type=int, default=1, help="right if the label is among the k largest (default 1)")
    parser.add_argument(
        "--calibrated", action="store_true", help="scale softmaxes by temperatures fitted to the calibration samples"
    )
    parser.add_argument("--seed", type=int, default=0, help="of the calibration split (default 0)")
    parser.add_argument("--fraction", type=float, default=0.5, help="of samples for calibration (default 0.5)")
    parser.add_argument("--in-sample", action="store_true", help="choose and measure on all samples")


def _add_choose(verbs: Parsers) -> None:
    parser = add_verb(
        verbs,
        "choose",
        choose_,
        "choose cache/cifar10-resnet56-fine-heads.parquet --policy cheapest --max-drop 0.01 --out choice.json",
        "policies:\n" + "\n".join(f"  {kind.name:22}{kind.title}" for kind in POLICIES.values()),
    )
    _add_split_flags(parser)
    parser.add_argument("--policy", choices=tuple(POLICIES), default="cheapest", help="(default cheapest)")
    _add_parameters(parser, _parameters())
    parser.add_argument("--max-ms", type=float, help="for budget: mean milliseconds of a sample, as profile measured")
    parser.add_argument("--batch", type=int, default=1, help="for --max-ms: size of the batches (default 1)")
    parser.add_argument("--out", type=Path, help="the JSON to write")


def _add_parameters(parser: argparse.ArgumentParser, parameters: Parameters) -> None:
    for name, (reader, kinds) in parameters.items():
        meaning = "probability of being wrong (default 0.05)" if name == "alpha" else kinds[0].parameter_help
        parser.add_argument(_flag(name), type=reader, help=f"for {', '.join(k.name for k in kinds)}: {meaning}")


def _add_compare(verbs: Parsers) -> None:
    parser = add_verb(verbs, "compare", compare_, "compare cache/cifar10-resnet56-fine-heads.parquet --max-drop 0.01")
    _add_split_flags(parser)
    parser.add_argument("--max-drop", type=float, default=0.01, help="accuracy to give up, a fraction (default 0.01)")


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
        "policies:\n" + "\n".join(f"  {kind.name:22}{kind.title}" for kind in SWEEPS.values()),
    )
    _add_split_flags(parser)
    parser.add_argument("--policy", choices=tuple(SWEEPS), default="cheapest", help="(default cheapest)")
    shown = {kind.slider.parameter for kind in SWEEPS.values()}
    _add_parameters(parser, {name: found for name, found in _parameters().items() if name in shown})
    parser.add_argument("--out", type=Path, required=True, help="the HTML file to write")


def add(verbs: Parsers) -> None:
    """Add these verbs."""
    _add_choose(verbs)
    _add_compare(verbs)
    _add_evaluate(verbs)
    _add_report(verbs)
