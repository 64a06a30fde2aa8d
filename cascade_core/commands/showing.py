"""The verb that shows what thresholds do, to be handed on: `report`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

from cascade_core.analysis.exploration import Exploration, explore
from cascade_core.analysis.groups import Grouped, groups_at
from cascade_core.analysis.mistakes import cheapest_with_mistakes
from cascade_core.analysis.points import Setting
from cascade_core.commands import cost_flags, policy_flags
from cascade_core.commands.common import Parsers, add_verb
from cascade_core.commands.dividing import add_split_flags, source_of, split_of
from cascade_core.commands.group_flags import add_group_flags, check_groups
from cascade_core.commands.grouping import judging_groups
from cascade_core.commands.judging import add_judge_flag, judge, judged_on
from cascade_core.commands.terminal import tell
from cascade_core.policies import PRICED, SWEEPS
from cascade_core.rendering.axes import ConfidenceAxis, confidence_axis
from cascade_core.rendering.live.data import live_data, words
from cascade_core.rendering.live.elsewhere import beside
from cascade_core.rendering.published import PublishedResult, published_on
from cascade_core.rendering.report import report_html
from cascade_core.simulation.groups import CLASS
from cascade_core.storage.origin import Origin
from cascade_core.storage.reading import identity, read_metadata
from cascade_core.support.claims import claimed
from cascade_core.support.files import atomic_write, check_writable
from cascade_core.support.remote import Place, place


def explored(args: argparse.Namespace) -> Setting:
    """The policy swept over the run, at the position at a price of mistakes, at a parameter, or where a page opens."""
    kind, split, meter = SWEEPS[args.policy], split_of(args), cost_flags.meter_of(args)
    policy = policy_flags.policy_of(args, meter) if policy_flags.set_parameters(args) else None
    if args.mistake is not None:
        policy_flags.sweep_without_parameters(args, "--mistake")
    exploration = explore(source_of(args, split), kind, split, answers=args.answers, meter=meter)
    position = exploration.opening
    if args.mistake is not None:
        position = cheapest_with_mistakes(exploration, args.mistake)
    elif policy is not None:
        position = exploration.nearest(getattr(policy, exploration.slider.parameter))
    return Setting(exploration=exploration, position=position)


def add_position_flags(parser: argparse.ArgumentParser) -> None:
    """The run, how it is divided, and the policy with its parameter."""
    add_split_flags(parser)
    of_sliders = [(kind.slider.parameter, kind) for kind in SWEEPS.values()]
    policy_flags.add_policy(parser, SWEEPS, [*of_sliders, *(("max_cost", kind) for kind in PRICED.values())])
    cost_flags.add_cost_flags(parser, mistake=True)


def report_(args: argparse.Namespace) -> None:
    """Write one HTML file with the live slider, tables and the chosen thresholds; it opens without a network."""
    check_writable(args.out, ".html")
    check_groups(args)
    with claimed(args.out):
        opened = explored(args)
        metadata, run = read_metadata(args.run), identity(args.run)
        origin, test = Origin.of(metadata["source"]), opened.exploration.test
        axis = confidence_axis(test.score, len(metadata["class_names"]), test.confidence)
        published = published_on(origin.dataset, test.reference)
        data = _payload(opened.exploration, args.run, axis, opened.position, run["name"], published)
        judged = []
        other = judged_on(args, split_of(args))
        if other is not None:
            there, name = other.judged(opened.exploration), identity(args.judge_on)["name"]
            data = beside(data, _payload(there, args.judge_on, axis, opened.position, name))
            judged = [judge(args, opened.rule, test, other, opened.exploration.meter)]
        source, grouped = metadata["source"], _grouped(args, opened)
        html = report_html(opened, data, run=run, source=source, judged_on=judged, grouped=grouped)
        with atomic_write(args.out) as temporary:
            temporary.write_text(html, encoding="utf-8")
        tell(f"wrote {args.out} ({len(html.encode()):,} bytes), which opens at {opened.described}")


def _grouped(args: argparse.Namespace, opened: Setting) -> Grouped | None:
    """What the rule does to groups of the test samples: those of the flags, or classes where they are known."""
    test = opened.exploration.test
    if args.by is None and not test.answers_known:
        return None
    args.by = args.by or CLASS
    return groups_at(opened, judging_groups(args, opened.exploration.split, test))


def _payload(
    exploration: Exploration,
    run: Place,
    axis: ConfidenceAxis,
    initial: int,
    name: str,
    published: Sequence[PublishedResult] = (),
) -> dict[str, Any]:
    """What the live panel shows of an exploration that was judged on the samples of `run`."""
    origin = Origin.of(read_metadata(run)["source"])
    meter = exploration.meter
    return live_data(
        exploration, axis, initial=initial, published=published, meter=meter, name=name, **words(origin, name)
    )


def _add_report(verbs: Parsers) -> None:
    parser = add_verb(
        verbs,
        "report",
        report_,
        "report cache/cifar10-resnet56-fine-heads.parquet --policy cheapest --max-drop 0.01 --out report.html",
        "The report opens at the slider position nearest to the parameter, or where the dashboard opens.\n\n"
        + policy_flags.titles(SWEEPS.values()),
    )
    add_position_flags(parser)
    add_group_flags(parser, "what the table of groups is by (default class)")
    add_judge_flag(parser)
    parser.add_argument("--out", type=place, required=True, help="the HTML file to write")


def add(verbs: Parsers) -> None:
    """Add these verbs."""
    _add_report(verbs)
