"""The verb `front`: a small network trained in front of a given one.

Torch is loaded by the verb that needs it, not by asking for help.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from cascade_core.commands.common import Parsers, add_verb
from cascade_core.commands.networks import NETWORK, NETWORKS
from cascade_core.commands.recording import add_recording_flags, record_options
from cascade_core.commands.tables import report, tell_table
from cascade_core.commands.terminal import tell
from cascade_core.storage.parts import check_result
from cascade_core.support.amounts import share
from cascade_core.support.claims import claimed

if TYPE_CHECKING:
    from cascade_core.nets.recording.front import Front


def front(args: argparse.Namespace) -> None:
    """Train a small network with exits to stand in front of a given one, from what that one answers."""
    with claimed(args.front_out, *([args.out] if args.out else [])):
        if args.out:
            check_result(args.out)
        _front(args)


def _front(args: argparse.Namespace) -> None:
    from cascade_core.nets.recording.front import train_front

    training = ("epochs", "batch_size", "learning_rate", "distil", "held_out")
    made = train_front(
        args.network,
        train_data=args.train_data,
        out=args.front_out,
        minutes=args.minutes,
        training={name: getattr(args, name) for name in training if getattr(args, name) is not None},
        data=args.data,
        run=args.out,
        **{name: getattr(args, name) for name in ("share", "views") if getattr(args, name) is not None},
        **record_options(args),
    )
    _tell(made, args)
    if args.out:
        report(args.out)


def _tell(made: Front, args: argparse.Namespace) -> None:
    """What each exit costs, and how right it is."""
    trained, spent, rows = made.about.training, 0, []
    views, epochs = trained["made"]
    for stage, right in zip(made.stages, trained["accuracy"], strict=True):
        spent += stage.trunk_macs + stage.head_macs
        rows.append({"exit": stage.name, "accuracy": right, "macs": spent, "share": spent / made.behind_macs})
    tell_table(pd.DataFrame(rows))
    tell(
        f"wrote {args.front_out} ({epochs} epochs on {views} views of each image; accuracy is of "
        f"{trained['judged_on']:,} training samples held out, share is of the {made.behind_macs:,} MACs of "
        f"{made.about.behind}); precompute --network front={args.front_out} --network {args.network} runs both"
    )


def add(verbs: Parsers) -> None:
    """Add the verb."""
    parser = add_verb(
        verbs,
        "front",
        front,
        "front --network cifar-resnet56=resnet56.th --train-data imagefolder:cifar/train \\\n"
        "      --front-out front.safetensors --data imagefolder:cifar/test --out cache/front.parquet",
        NETWORKS,
    )
    parser.add_argument("--network", required=True, metavar=NETWORK, help="the network of images to stand before")
    parser.add_argument("--train-data", required=True, metavar="SPEC", help="samples to learn from")
    parser.add_argument("--front-out", type=Path, required=True, help="the .safetensors file to write")
    parser.add_argument("--share", type=share, help="of the network's MACs that the small one may take (default 10%%)")
    parser.add_argument("--epochs", type=int, help="passes over the training samples (default 90)")
    parser.add_argument("--views", type=int, help="augmented views of each image that the network answers (default 16)")
    parser.add_argument("--minutes", type=float, help="make as many views and epochs of these as fit in this time")
    parser.add_argument("--batch-size", type=int, help="training samples a step (default 128)")
    parser.add_argument("--learning-rate", type=float, help="peak of the schedule (default 0.2)")
    parser.add_argument("--distil", type=float, help="share of the network's softmax in the targets (default 0.9)")
    parser.add_argument("--held-out", type=share, help="share of samples that only judge the exits (default 2%%)")
    add_recording_flags(parser, required=False)
