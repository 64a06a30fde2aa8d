"""Verbs that run networks by a choice, or measure them: `classify`, `bundle` and `profile`.

Torch is loaded by the verb that needs it, not by asking for help.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cascade_core.commands.common import Incomplete, Parsers, add_verb
from cascade_core.commands.networks import NETWORK, NETWORKS, add_network_flags, networks
from cascade_core.commands.tables import tell_table
from cascade_core.commands.terminal import remark, tell
from cascade_core.rendering.tables import profile_table
from cascade_core.simulation.timing import profile_path, save_profile
from cascade_core.storage.choice import Choice, load_choice
from cascade_core.storage.exit_lines import line_of
from cascade_core.storage.parquet_logs import log_to
from cascade_core.storage.reading import read_metadata
from cascade_core.support.amounts import share
from cascade_core.support.checks import numbers
from cascade_core.support.claims import claimed
from cascade_core.support.files import check_writable
from cascade_core.support.remote import Place, place
from cascade_core.support.visible import visible

if TYPE_CHECKING:
    from cascade_core.nets.networks.zoo import Network
    from cascade_core.nets.running.classify import Answer
    from cascade_core.nets.staged import StagedModel


def classify(args: argparse.Namespace) -> None:
    """Classify pictures or texts with a chosen JSON, leaving early."""
    from cascade_core.nets.networks.named import example
    from cascade_core.nets.running.classify import Failure, class_names, classify_files, image_files, load_cascade
    from cascade_core.nets.running.runner import Runner

    choice, named = load_choice(args.choice), networks(args)
    unit = named[0].preprocessing.unit
    files = args.samples if unit == "texts" else image_files(args.samples)
    names = args.class_names or class_names(named)
    model = load_cascade(named, len(names) or None, download=args.download)
    usual = None if args.engine == "torch" else example(named[0], args.batch_size)
    runner = Runner(model, choice, args.device, engine=args.engine, example=usual)
    if args.engine == "auto":
        remark(f"engine: {runner.engine_why}")
    taken: list[float] = []
    failed, spent = 0, 0
    _compare_costs(model, choice, named[0])
    with log_to(args.log) as log:
        for one in classify_files(runner, files, named[0].preprocessing, args.batch_size, args.wait, args.audit):
            if isinstance(one, Failure):
                failed += 1
                remark(f"not classified: {one.reason}")
                continue
            taken.append(one.seconds)
            spent += choice.costs[one.stage]
            row = {
                "file": str(one.file),
                **({} if one.row is None else {"row": one.row}),
                "label": names[one.prediction] if one.prediction < len(names) else str(one.prediction),
                "confidence": one.confidence,
                "stage": model.stage_names[one.stage],
                "macs": choice.costs[one.stage],
            }
            tell(*([_json_line(row)] if args.json else _cells(row)))
            log(_logged(one, model.stage_names[one.stage]))
    answered = len(taken)
    mean = f", {spent / answered:,.0f} MACs each on average" if answered else ""
    remark(f"{answered:,} of {answered + failed:,} {unit} classified{mean}")
    if taken:
        remark(f"answered {percentiles(taken)} after their batch of {args.batch_size:,} was read")
    if failed:
        kind = Incomplete if answered else ValueError
        raise kind(f"{failed:,} of {answered + failed:,} {unit} were not classified; the lines above say why")


def _logged(one: Answer, stage: str) -> str:
    """The line of an exit log on an answer that is given now."""
    sure = [None if math.isnan(value) else value for value in one.passed]
    return line_of(time.time(), stage, sure, one.prediction, 1000 * one.seconds, one.audit)


def percentiles(seconds: Sequence[float]) -> str:
    """Times within which half, 95 % and 99 % of the samples were answered."""
    ordered, within = sorted(seconds), (50, 95, 99)
    return ", ".join(f"p{share} {1000 * ordered[-(-len(ordered) * share // 100) - 1]:.1f} ms" for share in within)


def bundle(args: argparse.Namespace) -> None:
    """Write a folder that classifies without torch: ONNX files, the choice, and a runner or what Triton asks for."""
    with claimed(args.out):
        _bundle(args)


def _bundle(args: argparse.Namespace) -> None:
    from cascade_core.nets.running.bundle import write_bundle
    from cascade_core.nets.running.classify import class_names, load_cascade

    named = networks(args)
    choice, names = load_choice(args.choice), args.class_names or class_names(named)
    if not names:
        raise ValueError("Expected --class-names a,b,c, as no heads file names the classes")
    model = load_cascade(named, len(names), download=args.download)
    _compare_costs(model, choice, named[0])
    about: dict[str, Any] = {"preprocessing": named[0].preprocessing, "class_names": names, "target": args.target}
    out = write_bundle(args.out, model, args.choice, **about)
    then = {
        "onnx": f"python {out}/run.py PICTURE classifies with numpy, onnxruntime and Pillow",
        "triton": f"{out}/models is a model repository for Triton Inference Server; {out}/README.md says how to start",
    }
    tell(f"wrote {out}; {then[args.target]}")


def profile(args: argparse.Namespace) -> None:
    """Measure how long each stage takes on this machine, and keep that beside the run."""
    metadata, out = read_metadata(args.run), profile_path(args.run)
    check_writable(out, ".json")
    with claimed(out):
        _profile(args, metadata, out)


def _profile(args: argparse.Namespace, metadata: Mapping[str, Any], out: Place) -> None:
    from cascade_core.nets.networks.named import example
    from cascade_core.nets.running.classify import load_cascade
    from cascade_core.nets.running.profile import measure

    named = networks(args)
    model = load_cascade(named, len(metadata["class_names"]), download=args.download)
    names = tuple(stage["name"] for stage in metadata["stages"])
    if model.stage_names != names:
        raise ValueError(
            f"Expected the network of {args.run}, with the stages {', '.join(names)}, "
            f"but its stages are {', '.join(model.stage_names)}"
        )
    options: dict[str, Any] = {"batch_sizes": args.batch_sizes} if args.batch_sizes else {}
    options |= {"repeats": args.repeats, "device": args.device, "engine": args.engine}
    profiled = measure(model, example(named[0]), **options)
    tell_table(profile_table(profiled))
    tell(f"wrote {save_profile(profiled, out)}")


def _cells(row: dict[str, Any]) -> list[str]:
    """A row as columns for people: confidence to four digits, MACs with separators."""
    confidence, macs = f"{row['confidence']:.4f}", f"{row['macs']:,}"
    rows = [str(row["row"])] if "row" in row else []
    return [row["file"], *rows, row["label"], confidence, row["stage"], macs]


def _json_line(row: dict[str, Any]) -> str:
    """A row as JSON, in letters that are seen and that standard output can show."""
    text = json.dumps(row, ensure_ascii=False)
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        return json.dumps(row)
    return text if visible(text) == text else json.dumps(row)


def _compare_costs(model: StagedModel, choice: Choice, network: Network) -> None:
    """Say it if a choice counts other MACs than the network has, as that of another run with equal stage names does."""
    from cascade_core.nets.running.classify import costs_differ

    if costs_differ(model, choice, network):
        run = f" {choice.run['name']}" if choice.run else ""
        remark(f"note: the choice counts other MACs than this network has; was its run{run} made with this network?")


def _add_network(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--network",
        action="append",
        required=True,
        metavar=NETWORK,
        help="the network that was recorded; given more than once: a cascade of models, cheapest first",
    )
    add_network_flags(parser)
    parser.add_argument("--download", action="store_true", help="let torchvision fetch absent weights")


def _add_choice_and_network(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("choice", type=Path, help="a JSON that choose or the dashboard wrote")
    _add_network(parser)
    parser.add_argument("--class-names", type=numbers(str), help="a,b,c (default: those of the heads file)")


def _add_engine(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or mps (default auto)")
    about = (
        "what computes: torch; onnx, which compiles the network first and then takes less time; auto, the faster by a "
        "short measurement (default torch)"
    )
    parser.add_argument("--engine", choices=("torch", "onnx", "auto"), default="torch", help=about)


_FINE = "--network cifar-resnet56=resnet56.th+cache/cifar10-resnet56-fine-heads.safetensors"


def _add_classify(verbs: Parsers) -> None:
    example = f"classify choice.json pictures/ \\\n      {_FINE}"
    parser = add_verb(verbs, "classify", classify, example, NETWORKS)
    _add_choice_and_network(parser)
    parser.add_argument(
        "samples",
        type=Path,
        nargs="+",
        help="images or folders of them; for a network of texts .csv, .tsv, .jsonl, .txt",
    )
    parser.add_argument("--json", action="store_true", help="JSON lines instead of columns")
    parser.add_argument("--batch-size", type=int, default=64, help="samples at a time (default 64)")
    about = (
        "gather survivors of several batches until they are a whole one, so that more samples are classified in a "
        "second: most further batches that one waits for (default 0, none waits)"
    )
    parser.add_argument("--wait", type=int, default=0, metavar="BATCHES", help=about)
    about = (
        "a log of exits to write on, which watch reads: a line for each sample, with how sure each stage was; "
        "a name ending in .parquet is written anew"
    )
    parser.add_argument("--log", type=Path, metavar="FILE", help=about)
    about = "of samples, drawn at random, that all stages answer, for the log: 1%% or 0.01 (default none)"
    parser.add_argument("--audit", type=share, default=0.0, metavar="SHARE", help=about)
    _add_engine(parser)


def _add_bundle(verbs: Parsers) -> None:
    parser = add_verb(verbs, "bundle", bundle, f"bundle choice.json \\\n      {_FINE} --out deploy", NETWORKS)
    _add_choice_and_network(parser)
    parser.add_argument("--out", type=Path, required=True, help="the folder to write, which is not there yet")
    about = "what runs the folder: onnx, a program in it; triton, Triton Inference Server (default onnx)"
    parser.add_argument("--target", choices=("onnx", "triton"), default="onnx", help=about)


def _add_profile(verbs: Parsers) -> None:
    run = "cache/cifar10-resnet56-fine-heads.parquet"
    parser = add_verb(verbs, "profile", profile, f"profile {run} \\\n      {_FINE}", NETWORKS)
    parser.add_argument("run", type=place, help="the run whose network is measured")
    _add_network(parser)
    parser.add_argument("--batch-sizes", type=numbers(int), help="from 1, rising, a,b,c (default 1,2,4,8,16,32,64)")
    parser.add_argument("--repeats", type=int, default=30, help="times that each part is timed (default 30)")
    _add_engine(parser)


def add(verbs: Parsers) -> None:
    """Add these verbs."""
    _add_classify(verbs)
    _add_bundle(verbs)
    _add_profile(verbs)
