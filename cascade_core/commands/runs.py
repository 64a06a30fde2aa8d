"""Verbs on run files: `join`, `import`, `show` and `prepare`."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

from cascade_core.analysis.prepared import prepare, prepared_path
from cascade_core.commands.common import Parsers, add_out, add_verb, say
from cascade_core.commands.cost_flags import add_own_costs, own_costs
from cascade_core.commands.counting import tell_counted
from cascade_core.commands.tables import tell_table, write_run
from cascade_core.commands.terminal import tell
from cascade_core.rendering.cost_words import amount, per
from cascade_core.rendering.tables import stages_table
from cascade_core.simulation.outputs import StageOutputs
from cascade_core.simulation.sample_costs import PERCENTILES, percentiles_by_stage
from cascade_core.storage.compact import compact
from cascade_core.storage.costs import costs_path, save_costs
from cascade_core.storage.group_columns import read_groups
from cascade_core.storage.importers import FORMATS, TooLarge, Wishes, read_files, read_macs
from cascade_core.storage.joining import join_runs
from cascade_core.storage.notes import notes_on
from cascade_core.storage.reading import load_run, read_metadata
from cascade_core.storage.schema import costs_in_place_of_macs, is_counted, run_metadata
from cascade_core.support.checks import in_range, numbers
from cascade_core.support.claims import claimed
from cascade_core.support.files import check_writable
from cascade_core.support.remote import place


def join(args: argparse.Namespace) -> None:
    """Make one run of runs over the same samples, cheapest first."""
    check_writable(args.out, ".parquet")
    with claimed(args.out):
        names = args.names or [run.stem for run in args.runs]
        if len(names) != len(args.runs):
            raise ValueError(f"Expected --names to name the {len(args.runs)} runs but it names {len(names)}")
        write_run(join_runs([load_run(run) for run in args.runs], names), args)


def import_(args: argparse.Namespace) -> None:
    """Turn anyone's softmaxes, logits, or answers and confidences into a run."""
    check_writable(args.out, ".parquet")
    with claimed(args.out):
        _import(args)


def _import(args: argparse.Namespace) -> None:
    wishes = Wishes(
        macs=args.macs,
        macs_up_to=args.macs_up_to,
        baseline_macs=args.baseline_macs,
        stage_names=args.stage_names,
        class_names=args.class_names,
        labels_from=args.labels_from,
    )
    if (args.unit is None) != (args.part is None):
        raise ValueError("expected --unit and --part together: what costs are counted in, and what each stage costs")
    try:
        outputs = read_files(args.files, wishes, None if args.max_gigabytes is None else int(args.max_gigabytes * 1e9))
    except TooLarge as error:
        raise TooLarge(f"{error}; --max-gigabytes allows more") from None
    if args.groups is not None:
        outputs = replace(outputs, groups=read_groups(args.groups, outputs.sample_ids.tolist()))
    own = own_costs(args, tuple(stage.name for stage in outputs.stages)) if args.part else None
    if args.compact:
        if not isinstance(outputs, StageOutputs):
            raise ValueError("--compact is for softmaxes, and there are none")
        outputs = compact(outputs)
    write_run(outputs, args)
    if own is not None:
        tell(f"wrote {save_costs(own, costs_path(args.out))}, for --cost own")


def gigabytes(text: str) -> float:
    """A number of gigabytes, as typed."""
    return in_range("gigabytes", text, 1e-9, 1e6)


def show(args: argparse.Namespace) -> None:
    """Say what a run holds."""
    if is_counted(read_metadata(args.run)):
        tell_counted(args.run)
        return
    outputs = load_run(args.run)
    n, k = len(outputs.labels), len(outputs.class_names)
    own = costs_in_place_of_macs(run_metadata(outputs))
    plain = f"{outputs.baseline_macs:,} MACs a sample"
    if own is not None:
        plain = f"{amount(sum(own.plain_parts.values()))} {per(own)}"
    tell(f"{args.run}: {n:,} samples, {k} classes, plain network {plain}")
    tell()
    record = outputs.record()
    table = stages_table(record, own)
    if outputs.spending is not None:
        for share, costs in zip(PERCENTILES, percentiles_by_stage(outputs.spending), strict=True):
            table[f"p{100 * share:g}"] = [amount(cost) for cost in costs]
    if args.top_k != 1:
        table[f"top-{args.top_k} accuracy"] = outputs.record(top_k=args.top_k).stage_accuracy
    tell_table(table, record.terms)
    for one in outputs.groups:
        tell(f"groups by {one.what}: {', '.join(one.names[:8])}{', ...' if len(one.names) > 8 else ''}")
    for key, value in outputs.source.items():
        if key != "notes":
            tell(f"{key}: {value}")
    say(notes_on(outputs))


def prepare_(args: argparse.Namespace) -> None:
    """Choose what the page shows of a run first, and keep it beside the run, so that it opens at once."""
    for run in args.runs:
        with claimed(prepared_path(run)):
            tell(f"wrote {prepare(run)}")


def _add_join(verbs: Parsers) -> None:
    parser = add_verb(
        verbs, "join", join, "join small.parquet large.parquet --names small,large --out cache/both.parquet"
    )
    parser.add_argument("runs", type=place, nargs="+", metavar="RUN", help="two or more run files, cheapest first")
    add_out(parser)
    parser.add_argument("--names", type=numbers(str), help="what to call the runs, a,b (default: their file names)")


def _add_import(verbs: Parsers) -> None:
    parser = add_verb(
        verbs, "import", import_, "import softmaxes.npz --macs 40550000,125490000 --out cache/mine.parquet"
    )
    about = (
        f"softmaxes, logits, or answers and confidences, a file of {', '.join(FORMATS)}; several are one stage after "
        "another"
    )
    parser.add_argument("files", type=Path, nargs="+", metavar="FILE", help=about)
    add_out(parser)
    macs = parser.add_mutually_exclusive_group()
    about = "multiply-accumulates that each stage adds, a,b,c, such as 10M,1.2G (default: all alike, which is said)"
    macs.add_argument("--macs", type=numbers(read_macs), help=about)
    about = "those from the start up to each exit, in their place; without numbers: the file's are these"
    macs.add_argument("--macs-up-to", type=numbers(read_macs), nargs="?", const=True, metavar="MACS", help=about)
    about = "those of the plain network (default: the sum); of whole networks in a row, the last one's"
    parser.add_argument("--baseline-macs", type=read_macs, help=about)
    about = "a,b,c in the order of the stages; names that the file has are put in this order"
    parser.add_argument("--stage-names", type=numbers(str), help=about)
    parser.add_argument("--class-names", type=numbers(str), help="a,b,c in the order of the softmaxes")
    parser.add_argument(
        "--labels-from", type=int, default=0, choices=(0, 1), help="number of the first class (default 0)"
    )
    about = "keep three digits of all probabilities but the largest of each softmax, in two thirds of the room"
    parser.add_argument("--compact", action="store_true", help=about)
    about = "most that a file may take when it is unpacked (default: 20 times its size, but 0.13 to 2.1)"
    parser.add_argument("--max-gigabytes", type=gigabytes, metavar="GB", help=about)
    about = "a CSV with a column sample_id and others that say of what group a sample is, to be kept in the run"
    parser.add_argument("--groups", type=Path, metavar="FILE", help=about)
    add_own_costs(parser, required=False)


def _add_show(verbs: Parsers) -> None:
    parser = add_verb(verbs, "show", show, "show cache/digits.parquet --top-k 5")
    parser.add_argument("run", type=place, help="a run file")
    parser.add_argument("--top-k", type=int, default=1, help="accuracy among the k largest too (default 1)")


def _add_prepare(verbs: Parsers) -> None:
    parser = add_verb(verbs, "prepare", prepare_, "prepare cache/digits.parquet")
    parser.add_argument(
        "runs", type=place, nargs="+", metavar="RUN", help="a run file in the folder that the page shows"
    )


def add(verbs: Parsers) -> None:
    """Add these verbs."""
    _add_join(verbs)
    _add_import(verbs)
    _add_show(verbs)
    _add_prepare(verbs)
