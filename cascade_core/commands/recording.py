"""Verbs that make runs of networks: `exits`, `build` and `precompute`.

Torch is loaded by the verb that needs it, not by asking for help.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import pandas as pd

from cascade_core.commands.common import Parsers, add_out, add_verb
from cascade_core.commands.networks import NETWORK, NETWORKS, add_network_flags, images
from cascade_core.commands.tables import report, tell_table
from cascade_core.commands.terminal import tell
from cascade_core.storage.parts import check_result, heads_beside
from cascade_core.support.amounts import drop, share
from cascade_core.support.claims import claimed
from cascade_core.support.group import is_first


def build(args: argparse.Namespace) -> None:
    """Fit heads to a frozen network, then precompute its softmaxes."""
    with claimed(args.out, args.heads_out or heads_beside(args.out)):
        check_result(args.out)
        _build(args)


def _build(args: argparse.Namespace) -> None:
    from cascade_core.nets.recording.build import build_run

    training = ("epochs", "batch_size", "learning_rate", "distil", "held_out")
    build_run(
        args.network,
        train_data=args.train_data,
        data=args.data,
        out=args.out,
        exits=args.exits,
        heads=args.heads,
        for_drop=args.for_drop,
        heads_out=args.heads_out,
        training={name: getattr(args, name) for name in training if getattr(args, name) is not None},
        **record_options(args),
    )
    report(args.out)
    tell(f"wrote {args.heads_out or heads_beside(args.out)} (the heads)")


def precompute(args: argparse.Namespace) -> None:
    """Run a cascade once over a data set and keep every stage's softmax."""
    # The others of a group have the first one's leave.
    with claimed(*([args.out] if is_first() else [])):
        check_result(args.out)
        _precompute(args)


def _precompute(args: argparse.Namespace) -> None:
    from cascade_core.nets.recording.runs import precompute_run

    own = {name: getattr(args, name) for name in ("batch_size", "corrupt", "on", "gpus_per_worker", "workers")}
    precompute_run(args.network, data=args.data, out=args.out, **own, **record_options(args))
    if is_first():
        report(args.out)


def record_options(args: argparse.Namespace) -> dict[str, Any]:
    """Fields of `RecordOptions` that all verbs that record take."""
    names = ("title", "dataset_name", "kind", "chunk_size", "seed", "device", "download", "outputs", "classes")
    return {"wishes": images(args), **{name: getattr(args, name) for name in names}}


def exits(args: argparse.Namespace) -> None:
    """List the places where a network can have exits."""
    from cascade_core.nets.recording.runs import exits_of

    points, chosen, total, tokens = exits_of(args.network, exits=args.exits, wishes=images(args), outputs=args.outputs)
    table = pd.DataFrame(
        {
            "": ["*" if point.name in chosen else "" for point, _ in points],
            "exit": [point.name for point, _ in points],
            "share": [macs / total for _, macs in points],
            "macs": [macs for _, macs in points],
            "shape": [" x ".join(map(str, point.shape)) for point, _ in points],
        }
    )
    tell_table(table)
    at = f" of a text of {tokens} tokens" if tokens else ""
    tell(f"{total:,} MACs in all{at}; * marks --exits {args.exits or ','.join(chosen)}")


def _add_recording_flags(parser: argparse.ArgumentParser, network: str) -> None:
    parser.add_argument("--network", action="append", required=True, metavar=NETWORK, help=network)
    add_recording_flags(parser)


def add_recording_flags(parser: argparse.ArgumentParser, *, required: bool = True) -> None:
    """Flags of what is recorded, where to and how.

    Args:
        required: Whether something has to be recorded.
    """
    parser.add_argument(
        "--data",
        required=required,
        metavar="SPEC",
        help="samples to run over: digits, imagefolder:PATH, cifar10:ROOT, cifar100:ROOT, svhn:ROOT, "
        "fashionmnist:ROOT; wds:FILES (tar shards) and parquet:FILES, a glob or a folder, here or in a bucket; "
        "hf:NAME or hf:FOLDER (Hugging Face); texts:FILE, a .csv, .tsv or .jsonl with columns label and text",
    )
    parser.add_argument(
        "--classes",
        metavar="NAMES",
        help="the network's classes in its order: a,b,c or a file (a name a line, or JSON); folders may be fewer",
    )
    add_out(parser, ", or a folder of parts, without ending; started again, it continues", required=required)
    parser.add_argument("--chunk-size", type=int, default=1024, help="samples in each part of the work (default 1024)")
    add_network_flags(parser)
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or mps (default auto)")
    parser.add_argument("--seed", type=int, default=0, help="of everything random (default 0)")
    parser.add_argument("--download", action="store_true", help="let torchvision fetch absent data sets and weights")


def _add_build(verbs: Parsers) -> None:
    parser = add_verb(
        verbs,
        "build",
        build,
        "build --network cifar-resnet56=resnet56.th --for-drop 1% \\\n"
        "      --train-data imagefolder:cifar/train --data imagefolder:cifar/test --out cache/my-run.parquet",
        NETWORKS,
    )
    _add_recording_flags(parser, "heads are fitted to the first; more make a cascade of models, cheapest first")
    parser.add_argument("--train-data", required=True, metavar="SPEC", help="samples to fit the heads on")
    parser.add_argument(
        "--exits",
        help="auto: those that save most; auto:N, or names from the verb exits, a,b, among which auto heads are chosen "
        "(default: auto; with heads of one kind the network's own, or three)",
    )
    parser.add_argument(
        "--heads",
        default="auto",
        help="auto: of many kinds and sizes those that save most on training samples that no head saw; or one kind: "
        "linear, paper, fine, conv or ladder (default auto)",
    )
    parser.add_argument(
        "--for-drop",
        type=drop,
        default=0.01,
        help="accuracy you would give up, for which auto chooses: 1%%, 1pt or 0.01 is one point (default one point)",
    )
    parser.add_argument(
        "--heads-out", type=Path, help="where to keep the heads (default: beside the run, .safetensors)"
    )
    parser.add_argument("--epochs", type=int, help="passes over the training samples (default: what suits the heads)")
    parser.add_argument("--batch-size", type=int, help="training samples a step (default: what suits the network)")
    parser.add_argument("--learning-rate", type=float, help="peak of the one-cycle schedule (default: by heads)")
    parser.add_argument(
        "--distil", type=float, help="share of the last stage's softmax in the targets (default: by heads)"
    )
    parser.add_argument("--held-out", type=share, help="share of samples that pick the best epoch (default: by heads)")


def _add_precompute(verbs: Parsers) -> None:
    parser = add_verb(
        verbs,
        "precompute",
        precompute,
        "precompute --network cifar-resnet20=resnet20.th --network cifar-resnet56=resnet56.th \\\n"
        "      --data imagefolder:cifar/test --out cache/two-models.parquet",
        NETWORKS,
    )
    _add_recording_flags(parser, "a network; given more than once: a cascade of models, cheapest first")
    parser.add_argument("--batch-size", type=int, default=256, help="samples at a time (default 256)")
    about = (
        "record a corrupted copy of the pictures, to judge a choice on: noise:0.04 (Gaussian, of deviation 0.04 where "
        "white is 1), blur:0.6 (Gaussian, of deviation 0.6 in pixels of what the network takes), contrast:0.5 and "
        "brightness:0.5 (factors), jpeg:20 (quality, 1 to 95); given more than once: one after the other"
    )
    parser.add_argument("--corrupt", action="append", default=[], metavar="KIND:SEVERITY", help=about)
    about = "have a cluster of Ray compute: ray (that of RAY_ADDRESS, or this machine) or ray:ADDRESS"
    parser.add_argument("--on", metavar="ray[:ADDRESS]", help=about)
    about = "with --on: GPUs of each worker, below 1 to share one (default 1; a worker on CPUs takes OMP_NUM_THREADS)"
    parser.add_argument("--gpus-per-worker", type=float, help=about)
    about = "with --on: workers at most, for which a cluster may start machines (default: as many as there is room for)"
    parser.add_argument("--workers", type=int, help=about)


def _add_exits(verbs: Parsers) -> None:
    parser = add_verb(verbs, "exits", exits, "exits resnet50 --exits auto:5", NETWORKS)
    parser.add_argument("network", metavar="NETWORK", help="a network; it needs no weights")
    parser.add_argument("--exits", help="mark these: auto:N, or names, a,b (default: the network's own, or three)")
    add_network_flags(parser)


def add(verbs: Parsers) -> None:
    """Add these verbs."""
    for add_one in (_add_exits, _add_build, _add_precompute):
        add_one(verbs)
