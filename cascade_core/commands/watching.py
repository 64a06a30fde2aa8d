"""The verb that watches a choice at work: `watch`, on logs of what it answered.

With a state file it goes on where it was, whoever ended it; what it says then is, to the last bit, what it would have
said if it had never been ended.  A stream on standard input cannot be gone back to: what had been read is kept.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

from cascade_core.analysis.log_reading import read_on
from cascade_core.analysis.rechoosing import limit_of, rechoose
from cascade_core.analysis.watch_state import MAX_BYTES, load_state, save_state
from cascade_core.analysis.watched import Watch
from cascade_core.commands.common import Parsers, add_verb
from cascade_core.commands.tables import tell_table
from cascade_core.commands.terminal import tell
from cascade_core.rendering.watched import (
    alarm_sentence,
    exits_watched,
    position_sentence,
    read_sentences,
    rechosen_sentence,
    saving_sentence,
    watched_json,
)
from cascade_core.simulation.bounds import ALPHA
from cascade_core.storage.choice import load_choice, save_choice
from cascade_core.storage.exit_logs import parse
from cascade_core.storage.log_files import LogFile, blocks, log_files
from cascade_core.support.amounts import drop, share
from cascade_core.support.claims import claimed
from cascade_core.support.files import check_apart, check_writable
from cascade_core.support.json_files import write_json

STREAM = Path("-")
"""Standard input, where logs are named."""

PAUSE = 1.0
"""Seconds between looks at logs that grow."""


def watch(args: argparse.Namespace) -> None:
    """Watch a choice at work: whether samples are as they were, what is saved, and what audited samples certify."""
    written = [path for path in (args.state, args.json, args.rechoose) if path]
    if STREAM in args.log and len(args.log) > 1:
        raise ValueError("Expected - (standard input) or logs but there were both")
    if args.follow and args.rechoose:
        raise ValueError("Expected --rechoose without --follow: thresholds are chosen when all was read")
    check_apart(written, [args.choice, *args.log])
    for path in written:
        check_writable(path, ".json")
    with ExitStack() as held:
        held.enter_context(claimed(*written))
        _watch(args)


def _watch(args: argparse.Namespace) -> None:
    choice = load_choice(args.choice)
    if choice.rule.stage_names is None:
        raise ValueError(f"Expected {args.choice} to name its stages, by which lines of logs are told apart")
    watched = load_state(args.state, choice, args.alpha) if args.state else Watch(choice, args.alpha)
    limit = args.max_drop if args.max_drop is not None else limit_of(choice)
    for files in _passes(watched, args):
        _tell(watched, files, limit, hint=not args.rechoose)
        if args.json:
            write_json(args.json, watched_json(watched, len(files), limit), MAX_BYTES, indent=2)
    if args.rechoose:
        new = rechoose(watched, limit)
        save_choice(args.rechoose, new.rule, new.evaluation, policy=new.policy, split=new.split)
        tell(rechosen_sentence(new))
        tell(f"wrote {args.rechoose}")


def _passes(watched: Watch, args: argparse.Namespace) -> Iterator[Sequence[LogFile]]:
    """Read what is new, and yield the logs each time that there was something."""
    if STREAM in args.log:
        for raw in blocks(sys.stdin.buffer, ends=True):
            entries, faults = parse(raw, watched.stages)
            watched.faults += faults
            watched.add(entries)
            _keep(watched, args)
        yield [LogFile(path=STREAM, key="", began=0.0, size=0)]
        return
    first = True
    while True:
        new, files = False, log_files(args.log, watched.stages)
        for _ in read_on(watched, files):
            _keep(watched, args)
            new = True
        if new or first:
            yield files
        first = False
        if not args.follow:
            return
        sys.stdout.flush()
        time.sleep(PAUSE)


def _keep(watched: Watch, args: argparse.Namespace) -> None:
    """Keep where it is, if it is to be gone on from."""
    if args.state:
        save_state(args.state, watched)


def _tell(watched: Watch, files: Sequence[LogFile], limit: float, hint: bool) -> None:
    for sentence in read_sentences(watched, files):
        tell(sentence)
    if watched.series.n:
        tell_table(exits_watched(watched))
        tell(saving_sentence(watched))
    if watched.series.n or watched.alarm is not None:
        tell(alarm_sentence(watched))
    if watched.series.n:
        tell(position_sentence(watched, limit))
    if hint and watched.alarm is not None:
        tell("what to do: judge the choice on samples of today (evaluate, check), or choose anew: --rechoose new.json")


def add(verbs: Parsers) -> None:
    """Add this verb."""
    example = "watch choice.json logs/ --state watch.json"
    more = (
        'A log is JSON lines, {"time": 1764180000.25, "stage": "layer1", "confidence": [0.71, 0.998], "answer": 3,\n'
        '"milliseconds": 0.8}; classify --log and the run.py of a bundle write them.  Lines of audited samples, which\n'
        'went on to the end, also have "answers" (of all stages) and "plain" (of the plain network).\n'
        "Its exit status is 0 with an alarm as without; --json says whether there was one."
    )
    parser = add_verb(verbs, "watch", watch, example, more)
    parser.add_argument("choice", type=Path, help="a JSON that choose or the dashboard wrote")
    parser.add_argument("log", type=Path, nargs="+", help="logs, folders of them, or - for standard input")
    about = f"probability of a false alarm over the whole life (default {ALPHA})"
    parser.add_argument("--alpha", type=share, default=ALPHA, help=about)
    about = "allowed disagreement with the plain network (default: the drop that the choice was made for, or a point)"
    parser.add_argument("--max-drop", type=drop, help=about)
    parser.add_argument("--state", type=Path, help="a .json file that keeps where it was, and is gone on from")
    parser.add_argument("--follow", action="store_true", help="go on as logs grow, until it is stopped")
    parser.add_argument("--json", type=Path, help="what is known, as a .json file to write")
    about = "thresholds chosen anew on the audited samples, without labels, as a .json file to write"
    parser.add_argument("--rechoose", type=Path, help=about)
