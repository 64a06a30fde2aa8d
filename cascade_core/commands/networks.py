"""Verbs that run networks: `exits`, `build`, `precompute`, `classify`, `bundle` and `profile`.

Torch is loaded by the verb that needs it, not by asking for help.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from cascade_core.commands.common import Incomplete, Parsers, add_out, add_verb, cell, report, text
from cascade_core.rendering.tables import profile_table
from cascade_core.simulation.timing import profile_path, save_profile
from cascade_core.storage.choice import Choice, load_choice
from cascade_core.storage.parts import check_result
from cascade_core.storage.store import read_metadata
from cascade_core.support.checks import numbers

if TYPE_CHECKING:
    from cascade_core.nets.networks.zoo import Network
    from cascade_core.nets.staged import StagedModel


def build(args: argparse.Namespace) -> None:
    """Fit heads to a frozen network, then precompute its softmaxes."""
    from cascade_core.nets.recording.build import build_run

    wanted = ("epochs", "batch_size", "learning_rate", "distil", "held_out")
    build_run(
        args.network,
        train_data=args.train_data,
        data=args.data,
        out=args.out,
        title=args.title,
        exits=args.exits,
        heads=args.heads,
        heads_out=args.heads_out,
        wishes=_images(args),
        asked={name: getattr(args, name) for name in wanted if getattr(args, name) is not None},
        chunk_size=args.chunk_size,
        seed=args.seed,
        device=args.device,
        download=args.download,
    )
    report(args.out)


def precompute(args: argparse.Namespace) -> None:
    """Run a cascade once over a data set and keep every stage's softmax."""
    from cascade_core.nets.recording.runs import precompute_run

    check_result(args.out)
    precompute_run(
        args.network,
        data=args.data,
        out=args.out,
        title=args.title,
        wishes=_images(args),
        batch_size=args.batch_size,
        chunk_size=args.chunk_size,
        seed=args.seed,
        device=args.device,
        download=args.download,
    )
    # Of several processes that share the work, the first alone knows when all is done.
    if os.environ.get("RANK", "0") == "0":
        report(args.out)


def exits(args: argparse.Namespace) -> None:
    """List the places where a network can have exits."""
    from cascade_core.nets.recording.runs import exits_of

    points, chosen, total = exits_of(args.network, exits=args.exits, wishes=_images(args))
    table = pd.DataFrame(
        {
            "": ["*" if point.name in chosen else "" for point, _ in points],
            "exit": [point.name for point, _ in points],
            "share": [macs / total for _, macs in points],
            "macs": [macs for _, macs in points],
            "shape": [" x ".join(map(str, point.shape)) for point, _ in points],
        }
    )
    print(text(table))
    print(f"{total:,} MACs in all; * marks --exits {args.exits or ','.join(chosen)}")


def classify(args: argparse.Namespace) -> None:
    """Classify pictures with a chosen JSON, leaving early."""
    from cascade_core.nets.networks.named import find
    from cascade_core.nets.running.classify import Failure, class_names, classify_files, image_files, load_cascade
    from cascade_core.nets.running.runner import Runner

    choice, files = load_choice(args.choice), image_files(args.pictures)
    networks = [find(name, _images(args)) for name in args.network]
    names = args.class_names or class_names(networks)
    model = load_cascade(networks, len(names) or None, download=args.download)
    runner, failed, spent = Runner(model, choice, args.device), 0, 0
    _compare_costs(model, choice, networks[0])
    for one in classify_files(runner, files, networks[0].preprocessing, args.batch_size):
        if isinstance(one, Failure):
            failed += 1
            print(f"not classified: {cell(one.reason)}", file=sys.stderr)
            continue
        spent += choice.costs[one.stage]
        row = {
            "file": str(one.file),
            "label": names[one.prediction] if one.prediction < len(names) else str(one.prediction),
            "confidence": one.confidence,
            "stage": model.stage_names[one.stage],
            "macs": choice.costs[one.stage],
        }
        print(_json_line(row) if args.json else "\t".join(map(cell, _cells(row))))
    count = len(files) - failed
    mean = f", {spent / count:,.0f} MACs each on average" if count else ""
    print(f"{count:,} of {len(files):,} pictures classified{mean}", file=sys.stderr)
    if failed:
        kind = Incomplete if count else ValueError
        raise kind(f"{failed:,} of {len(files):,} pictures were not classified; the lines above say why")


def bundle(args: argparse.Namespace) -> None:
    """Write a folder that classifies without torch: ONNX files, the choice, and a small runner."""
    from cascade_core.nets.networks.named import find
    from cascade_core.nets.running.bundle import write_bundle
    from cascade_core.nets.running.classify import class_names, load_cascade

    networks = [find(name, _images(args)) for name in args.network]
    choice, names = load_choice(args.choice), args.class_names or class_names(networks)
    if not names:
        raise ValueError("Expected --class-names a,b,c, as no heads file names the classes")
    model = load_cascade(networks, len(names), download=args.download)
    _compare_costs(model, choice, networks[0])
    out = write_bundle(args.out, model, args.choice, preprocessing=networks[0].preprocessing, class_names=names)
    print(f"wrote {out}; python {out}/run.py PICTURE classifies with numpy, onnxruntime and Pillow")


def profile(args: argparse.Namespace) -> None:
    """Measure how long each stage takes on this machine, and keep that beside the run."""
    from cascade_core.nets.networks.named import example, find
    from cascade_core.nets.running.classify import load_cascade
    from cascade_core.nets.running.profile import measure

    metadata = read_metadata(args.run)
    networks = [find(name, _images(args)) for name in args.network]
    model = load_cascade(networks, len(metadata["class_names"]), download=args.download)
    names = tuple(stage["name"] for stage in metadata["stages"])
    if model.stage_names != names:
        raise ValueError(
            f"Expected the network of {args.run}, with the stages {', '.join(names)}, "
            f"but its stages are {', '.join(model.stage_names)}"
        )
    options = {"batch_sizes": args.batch_sizes} if args.batch_sizes else {}
    found = measure(model, example(networks[0]), repeats=args.repeats, device=args.device, **options)
    print(text(profile_table(found)))
    print(f"wrote {save_profile(found, profile_path(args.run))}")


def _cells(row: dict[str, Any]) -> list[str]:
    """A row as columns for people: confidence to four digits, MACs with separators."""
    confidence, macs = f"{row['confidence']:.4f}", f"{row['macs']:,}"
    return [row["file"], row["label"], confidence, row["stage"], macs]


def _json_line(row: dict[str, Any]) -> str:
    """A row as JSON, in letters that standard output can show."""
    text = json.dumps(row, ensure_ascii=False)
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        return json.dumps(row)
    return text


def _compare_costs(model: StagedModel, choice: Choice, network: Network) -> None:
    """Say it if a choice counts other MACs than the network has, as that of another run with equal stage names does."""
    from cascade_core.nets.running.classify import costs_differ

    if costs_differ(model, choice, network):
        run = f" {choice.run['name']}" if choice.run else ""
        print(
            cell(f"note: the choice counts other MACs than this network has; was its run{run} made with this network?"),
            file=sys.stderr,
        )


def _images(args: argparse.Namespace) -> dict[str, Any]:
    """What the user wants of the images that networks are given."""
    given = {"size": args.image_size, "resize": args.image_resize, "mean": args.image_mean, "std": args.image_std}
    return {key: tuple(v) if isinstance(v, list) else v for key, v in given.items() if v is not None}


NETWORK = "NAME[=WEIGHTS][+HEADS]"

NETWORKS = """NETWORK is NAME[=WEIGHTS][+HEADS].
  NAME     cifar-resnet20, -32, -44, -56 or -110; small-cnn; one of torchvision's classifiers, such as resnet50;
           timm:NAME, where timm is installed; package.module:factory, a function of your own
  WEIGHTS  a file, or published ones: IMAGENET1K_V2, DEFAULT (torchvision), pretrained (timm)
  HEADS    a .safetensors file of heads that build wrote"""


def _add_image_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--image-size", type=int, help="pixels cropped from the middle (default: the network's own)")
    parser.add_argument("--image-resize", type=int, help="shorter side before cropping (default: the network's own)")
    parser.add_argument("--image-mean", type=numbers(float), help="r,g,b of pixels in [0, 1] (default: likewise)")
    parser.add_argument("--image-std", type=numbers(float), help="r,g,b (default: likewise)")


def _add_network_flags(parser: argparse.ArgumentParser, network: str) -> None:
    parser.add_argument("--network", action="append", required=True, metavar=NETWORK, help=network)
    parser.add_argument(
        "--data",
        required=True,
        metavar="SPEC",
        help="samples to run over: digits, imagefolder:PATH, cifar10:ROOT, cifar100:ROOT, svhn:ROOT, fashionmnist:ROOT",
    )
    add_out(parser, ", or a folder of parts, without ending; started again, it continues")
    parser.add_argument("--chunk-size", type=int, default=1024, help="samples in each part of the work (default 1024)")
    _add_image_flags(parser)
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or mps (default auto)")
    parser.add_argument("--seed", type=int, default=0, help="of everything random (default 0)")
    parser.add_argument("--download", action="store_true", help="let torchvision fetch absent data sets and weights")


def _add_build(verbs: Parsers) -> None:
    parser = add_verb(
        verbs,
        "build",
        build,
        "build --network cifar-resnet56=resnet56.th --exits auto:5 --heads fine \\\n"
        "      --train-data imagefolder:cifar/train --data imagefolder:cifar/test --out cache/my-run.parquet",
        NETWORKS,
    )
    _add_network_flags(parser, "heads are fitted to the first; more make a cascade of models, cheapest first")
    parser.add_argument("--train-data", required=True, metavar="SPEC", help="samples to fit the heads on")
    parser.add_argument(
        "--exits", help="auto:N, or names from the verb exits, a,b (default: the network's own, or auto:3)"
    )
    parser.add_argument("--heads", default="fine", help="linear, paper, fine, conv or ladder (default fine)")
    parser.add_argument(
        "--heads-out", type=Path, help="where to keep the heads (default: beside the run, .safetensors)"
    )
    parser.add_argument("--epochs", type=int, help="passes over the training samples (default: what suits the heads)")
    parser.add_argument("--batch-size", type=int, help="training samples a step (default: what suits the network)")
    parser.add_argument("--learning-rate", type=float, help="peak of the one-cycle schedule (default: by heads)")
    parser.add_argument(
        "--distil", type=float, help="share of the last stage's softmax in the targets (default: by heads)"
    )
    parser.add_argument("--held-out", type=float, help="share of samples that pick the best epoch (default: by heads)")


def _add_precompute(verbs: Parsers) -> None:
    parser = add_verb(
        verbs,
        "precompute",
        precompute,
        "precompute --network cifar-resnet20=resnet20.th --network cifar-resnet56=resnet56.th \\\n"
        "      --data imagefolder:cifar/test --out cache/two-models.parquet",
        NETWORKS,
    )
    _add_network_flags(parser, "a network; given more than once: a cascade of models, cheapest first")
    parser.add_argument("--batch-size", type=int, default=256, help="samples at a time (default 256)")


def _add_exits(verbs: Parsers) -> None:
    parser = add_verb(verbs, "exits", exits, "exits resnet50 --exits auto:5", NETWORKS)
    parser.add_argument("network", metavar="NETWORK", help="a network; it needs no weights")
    parser.add_argument("--exits", help="mark these: auto:N, or names, a,b (default: the network's own, or auto:3)")
    _add_image_flags(parser)


def _add_network(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--network",
        action="append",
        required=True,
        metavar=NETWORK,
        help="the network that was recorded; given more than once: a cascade of models, cheapest first",
    )
    _add_image_flags(parser)
    parser.add_argument("--download", action="store_true", help="let torchvision fetch absent weights")


def _add_choice_and_network(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("choice", type=Path, help="a JSON that choose or the dashboard wrote")
    _add_network(parser)
    parser.add_argument("--class-names", type=numbers(str), help="a,b,c (default: those of the heads file)")


_FINE = "--network cifar-resnet56=resnet56.th+cache/cifar10-resnet56-fine-heads.safetensors"


def _add_classify(verbs: Parsers) -> None:
    example = f"classify choice.json pictures/ \\\n      {_FINE}"
    parser = add_verb(verbs, "classify", classify, example, NETWORKS)
    _add_choice_and_network(parser)
    parser.add_argument("pictures", type=Path, nargs="+", help="image files, or folders of them")
    parser.add_argument("--json", action="store_true", help="JSON lines instead of columns")
    parser.add_argument("--batch-size", type=int, default=64, help="pictures at a time (default 64)")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or mps (default auto)")


def _add_bundle(verbs: Parsers) -> None:
    parser = add_verb(verbs, "bundle", bundle, f"bundle choice.json \\\n      {_FINE} --out deploy", NETWORKS)
    _add_choice_and_network(parser)
    parser.add_argument("--out", type=Path, required=True, help="the folder to write, which is not there yet")


def _add_profile(verbs: Parsers) -> None:
    run = "cache/cifar10-resnet56-fine-heads.parquet"
    parser = add_verb(verbs, "profile", profile, f"profile {run} \\\n      {_FINE}", NETWORKS)
    parser.add_argument("run", type=Path, help="the run whose network is measured")
    _add_network(parser)
    parser.add_argument("--batch-sizes", type=numbers(int), help="from 1, rising, a,b,c (default 1,2,4,8,16,32,64)")
    parser.add_argument("--repeats", type=int, default=30, help="times that each part is timed (default 30)")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or mps (default auto)")


def add(verbs: Parsers) -> None:
    """Add these verbs."""
    _add_exits(verbs)
    _add_build(verbs)
    _add_precompute(verbs)
    _add_classify(verbs)
    _add_bundle(verbs)
    _add_profile(verbs)
