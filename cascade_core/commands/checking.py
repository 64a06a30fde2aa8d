"""The verb that lets a choice pass or not: `check`, for builds that ship thresholds.

It prints one sentence; the exit status is 0 where all limits are shown to be kept to, 1 where they are not, and 2 for
bad input.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

from cascade_core.analysis.gate import Limits, judge
from cascade_core.commands.common import Parsers, add_verb, say
from cascade_core.commands.group_flags import add_group_flags, check_groups, groups_of
from cascade_core.commands.terminal import tell
from cascade_core.rendering.verdict import sentence, verdict_json, verdict_junit
from cascade_core.simulation.bounds import LEVEL
from cascade_core.storage.choice import load_choice
from cascade_core.storage.notes import open_answered
from cascade_core.storage.part_in_choosing import judging_part
from cascade_core.storage.reading import identity, read_metadata
from cascade_core.storage.schema import usual_meter
from cascade_core.support.amounts import drop, share
from cascade_core.support.claims import claimed
from cascade_core.support.files import atomic_write, check_apart, check_writable
from cascade_core.support.json_files import write_json
from cascade_core.support.remote import place

MOST = 64 << 20
"""Most bytes of a verdict."""

HOSTED = """in a hosted build (GitHub's; others likewise):
  on: [push]
  jobs:
    gate:
      runs-on: ubuntu-latest
      steps:
        - uses: actions/checkout@v4
        - run: pip install cascade-core
        - run: cascade-core check choice.json validation.parquet --max-drop 1pt --min-saving 30% --junit gate.xml
        - uses: actions/upload-artifact@v4
          if: always()
          with: {name: gate, path: gate.xml}"""


def check(args: argparse.Namespace) -> int:
    """Say whether a choice is shown to keep to limits on a run: exit status 0 if so, 1 if not."""
    written = [(args.json, ".json"), (args.junit, ".xml")]
    check_groups(args)
    check_apart([path for path, _ in written if path], [args.choice, args.run])
    for path, suffix in written:
        if path:
            check_writable(path, suffix)
    with claimed(*(path for path, _ in written if path)):
        return _check(args)


def _check(args: argparse.Namespace) -> int:
    limits = Limits(max_drop=args.max_drop, min_saving=args.min_saving, confidence=args.confidence)
    choice, metadata = load_choice(args.choice), read_metadata(args.run)
    rule = choice.rule
    whole, notes = open_answered(args.run, rule)
    if args.by is not None:
        whole = replace(whole, groups=groups_of(args.run, args.by, args.groups))
    record, part = judging_part(choice, args.run, whole)
    say(notes)
    verdict = judge(record, rule, limits, usual_meter(metadata))
    run = identity(args.run)
    if args.json:
        write_json(args.json, verdict_json(verdict, part, args.choice.name, run), MOST, indent=2)
    if args.junit:
        with atomic_write(args.junit) as unfinished:
            unfinished.write_text(verdict_junit(verdict, part, run["name"]), encoding="utf-8")
    tell(sentence(verdict, part))
    return 0 if verdict.passed else 1


def add(verbs: Parsers) -> None:
    """Add this verb."""
    example = (
        "check choice.json cache/cifar10-resnet56-fine-heads.parquet --max-drop 1pt --min-saving 30% --junit gate.xml"
    )
    parser = add_verb(verbs, "check", check, example, HOSTED)
    parser.add_argument("choice", type=place, help="a JSON that choose or the dashboard wrote")
    parser.add_argument("run", type=place, help="a run of the same stages, best of new samples")
    about = "accuracy that may be given up: 1%%, 1pt or 0.01 is one point"
    parser.add_argument("--max-drop", type=drop, help=about)
    parser.add_argument("--min-saving", type=share, help="that has to be saved, 30%% or 0.3")
    about = f"with which each limit is to be shown, 95%% or 0.95 (default {LEVEL})"
    parser.add_argument("--confidence", type=share, default=LEVEL, help=about)
    add_group_flags(parser, "check each group of samples for itself, all of which have to pass")
    parser.add_argument("--json", type=Path, help="the verdict as a .json file to write")
    parser.add_argument("--junit", type=Path, help="the same as JUnit's .xml, which hosted builds show")
