"""The command line: ``python -m cascade_core VERB ...``, one short function a verb.

Bad input ends with exit status 2 and one line on standard error.  Results go to standard output,
progress to standard error.  Accuracies, drops and epsilons are fractions, as in code: 0.01 is one point.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, NoReturn

import pandas as pd

from cascade_core.choice import load_choice, save_choice
from cascade_core.evaluation import Evaluation, evaluate
from cascade_core.exits import ExitRule
from cascade_core.exploration import Split
from cascade_core.importers import import_run
from cascade_core.joining import join_runs
from cascade_core.parts import check_result
from cascade_core.policies import POLICIES, Policy, choose, describe
from cascade_core.record import StageOutputs
from cascade_core.scores import SCORES
from cascade_core.store import check_writable, digest, load_record, load_run, save_run
from cascade_core.tables import exits_table, stages_table

Parsers = Any  # argparse's own type for sub-parsers is private


def build(args: argparse.Namespace) -> None:
    """Fit heads to a frozen network, then precompute its softmaxes."""
    from cascade_core.nets.build import build_run

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
    _report(args.out)


def precompute(args: argparse.Namespace) -> None:
    """Run a cascade once over a data set and keep every stage's softmax."""
    from cascade_core.nets.recording import precompute_run

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
        _report(args.out)


def exits(args: argparse.Namespace) -> None:
    """List the places where a network can have exits."""
    from cascade_core.nets.recording import exits_of

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
    print(_text(table))
    print(f"{total:,} MACs in all; * marks --exits {args.exits or ','.join(chosen)}")


def join(args: argparse.Namespace) -> None:
    """Make one run of runs over the same samples, cheapest first."""
    check_writable(args.out, ".parquet")
    names = args.names or [run.stem for run in args.runs]
    if len(names) != len(args.runs):
        raise ValueError(f"Expected --names to name the {len(args.runs)} runs but it names {len(names)}")
    _write(join_runs([load_run(run) for run in args.runs], names), args)


def import_(args: argparse.Namespace) -> None:
    """Turn anyone's softmaxes or logits into a run."""
    check_writable(args.out, ".parquet")
    outputs = import_run(
        args.file,
        macs=args.macs,
        baseline_macs=args.baseline_macs,
        stage_names=args.stage_names,
        class_names=args.class_names,
    )
    _write(outputs, args)


def show(args: argparse.Namespace) -> None:
    """Say what a run holds."""
    outputs = load_run(args.run)
    _m, n, k = outputs.probs.shape
    print(f"{args.run}: {n:,} samples, {k} classes, plain network {outputs.baseline_macs:,} MACs a sample\n")
    table = stages_table(outputs.record())
    if args.top_k > 1:
        table[f"top-{args.top_k} accuracy"] = outputs.record(top_k=args.top_k).stage_accuracy
    print(_text(table))
    for key, value in outputs.source.items():
        print(f"{key}: {value}")


def choose_(args: argparse.Namespace) -> None:
    """Choose thresholds on one part of a run, measure them on the other, write the JSON."""
    policy = _policy(args)
    if args.out:
        check_writable(args.out, ".json")
    split = Split(fraction=args.fraction, seed=args.seed, in_sample=args.in_sample)
    calibration, test = split.apply(load_run(args.run).record(args.score, args.top_k))
    rule = choose(calibration, policy)
    evaluation = evaluate(test, rule)
    if args.in_sample:
        print("in-sample: chosen and measured on the same samples")
    _print_evaluation(rule, evaluation)
    if args.out:
        run = {"name": args.run.stem, "sha256": digest(args.run)}
        save_choice(args.out, rule, evaluation, policy=describe(policy), run=run, split=split.describe())
        print(f"wrote {args.out}")


def evaluate_(args: argparse.Namespace) -> None:
    """Say what chosen thresholds do on a run."""
    choice = load_choice(args.choice)
    record = load_run(args.run).record(choice.rule.score, choice.rule.top_k)
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
    _print_evaluation(choice.rule, evaluate(record, choice.rule))
    print(
        f"the choice file recorded accuracy {choice.measured['accuracy']:.2%}, "
        f"saving {choice.measured['saving']:.1%} on {choice.measured['n']:,} samples"
    )


def _policy(args: argparse.Namespace) -> Policy:
    kind = POLICIES[args.policy]
    wanted = _parameters(kind)
    for name in sorted({name for each in POLICIES.values() for name in _parameters(each)}):
        given = getattr(args, name) is not None
        if given != (name in wanted):
            flag = "--" + name.replace("_", "-")
            raise ValueError(f"policy {args.policy} {'takes no' if given else 'needs'} {flag}")
    return kind(**{name: getattr(args, name) for name in wanted})


def _parameters(kind: type[Policy]) -> dict[str, Any]:
    """A policy's parameters and how to read each from the command line."""
    readers = {"float": float, "Sequence[float]": _numbers(float)}
    return {field.name: readers[str(field.type)] for field in fields(kind)}  # type: ignore[arg-type]  # all are dataclasses


def _images(args: argparse.Namespace) -> dict[str, Any]:
    """What the user wants of the images that networks are given."""
    given = {"size": args.image_size, "resize": args.image_resize, "mean": args.image_mean, "std": args.image_std}
    return {key: tuple(v) if isinstance(v, list) else v for key, v in given.items() if v is not None}


def _write(outputs: StageOutputs, args: argparse.Namespace) -> None:
    """Write a run and say what it holds."""
    if args.title:
        outputs = replace(outputs, source={**outputs.source, "title": args.title})
    _report(save_run(outputs, args.out))


def _report(out: Path) -> None:
    """Say what a run holds that was written."""
    record = load_record(out)
    print(_text(stages_table(record)))
    print(f"wrote {out} ({record.n:,} samples)")


def _print_evaluation(rule: ExitRule, evaluation: Evaluation) -> None:
    print(_text(exits_table(rule, evaluation)))
    low, high = evaluation.drop_interval()
    print(
        f"accuracy {evaluation.accuracy:.2%} (last stage {evaluation.full_accuracy:.2%}), "
        f"drop {100 * evaluation.accuracy_drop:.2f} points (95 % interval {100 * low:.2f} to {100 * high:.2f}), "
        f"saving {evaluation.saving:.1%} of {evaluation.baseline_macs:,} MACs, on {evaluation.n:,} samples"
    )


def _text(frame: pd.DataFrame) -> str:
    """A table as text: shares in percent, whole numbers with separators."""
    shown = frame.copy()
    for name in shown.columns:
        if name == "share" or name.endswith("accuracy"):
            shown[name] = ["-" if pd.isna(v) else f"{v:.2%}" for v in shown[name]]
        elif name == "threshold":
            shown[name] = ["always answers" if pd.isna(v) else f"{v:.6g}" for v in shown[name]]
        elif shown[name].dtype.kind == "i":
            shown[name] = [f"{v:,}" for v in shown[name]]
    return shown.to_string(index=False) + "\n"


def _numbers(kind: type) -> Any:
    """An argparse type for numbers separated by commas."""

    def parse(text: str) -> list[Any]:
        return [kind(part) for part in text.split(",")]

    parse.__name__ = "numbers separated by commas"
    return parse


class Parser(argparse.ArgumentParser):
    """A parser whose complaints are one line, like everybody else's."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong and where help is, and end with status 2."""
        self.exit(2, f"error: {message}; see {self.prog} --help\n")


def _add(verbs: Parsers, name: str, function: Any, example: str, more: str = "") -> Parser:
    parser: Parser = verbs.add_parser(
        name,
        help=function.__doc__,
        description=function.__doc__,
        epilog="\n\n".join(filter(None, [more, f"example:\n  python -m cascade_core {example}"])),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(function=function)
    return parser


def _add_out(parser: argparse.ArgumentParser, folder: str = "") -> None:
    parser.add_argument("--out", type=Path, required=True, help=f"the run file to write, ending in .parquet{folder}")
    parser.add_argument(
        "--title", default="", help='one sentence on the run, shown with its results: "CIFAR-10, ResNet-56 ..."'
    )


NETWORK = "NAME[=WEIGHTS][+HEADS]"

NETWORKS = """NETWORK is NAME[=WEIGHTS][+HEADS].
  NAME     cifar-resnet20, -32, -44, -56 or -110; small-cnn; one of torchvision's classifiers, such as resnet50;
           timm:NAME, where timm is installed; package.module:factory, a function of your own
  WEIGHTS  a file, or published ones: IMAGENET1K_V2, DEFAULT (torchvision), pretrained (timm)
  HEADS    a .safetensors file of heads that build wrote"""


def _add_image_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--image-size", type=int, help="pixels cropped from the middle (default: the network's own)")
    parser.add_argument("--image-resize", type=int, help="shorter side before cropping (default: the network's own)")
    parser.add_argument("--image-mean", type=_numbers(float), help="r,g,b of pixels in [0, 1] (default: likewise)")
    parser.add_argument("--image-std", type=_numbers(float), help="r,g,b (default: likewise)")


def _add_network_flags(parser: argparse.ArgumentParser, network: str) -> None:
    parser.add_argument("--network", action="append", required=True, metavar=NETWORK, help=network)
    parser.add_argument(
        "--data",
        required=True,
        metavar="SPEC",
        help="samples to run over: digits, imagefolder:PATH, cifar10:ROOT, cifar100:ROOT, svhn:ROOT, fashionmnist:ROOT",
    )
    _add_out(parser, ", or a folder of parts, without ending; started again, it continues")
    parser.add_argument("--chunk-size", type=int, default=1024, help="samples in each part of the work (default 1024)")
    _add_image_flags(parser)
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or mps (default auto)")
    parser.add_argument("--seed", type=int, default=0, help="of everything random (default 0)")
    parser.add_argument("--download", action="store_true", help="let torchvision fetch absent data sets and weights")


def _add_build(verbs: Parsers) -> None:
    parser = _add(
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
    parser = _add(
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
    parser = _add(verbs, "exits", exits, "exits resnet50 --exits auto:5", NETWORKS)
    parser.add_argument("network", metavar="NETWORK", help="a network; it needs no weights")
    parser.add_argument("--exits", help="mark these: auto:N, or names, a,b (default: the network's own, or auto:3)")
    _add_image_flags(parser)


def _add_join(verbs: Parsers) -> None:
    parser = _add(verbs, "join", join, "join small.parquet large.parquet --names small,large --out cache/both.parquet")
    parser.add_argument("runs", type=Path, nargs="+", metavar="RUN", help="two or more run files, cheapest first")
    _add_out(parser)
    parser.add_argument("--names", type=_numbers(str), help="what to call the runs, a,b (default: their file names)")


def _add_import(verbs: Parsers) -> None:
    parser = _add(verbs, "import", import_, "import softmaxes.npz --macs 40550000,125490000 --out cache/mine.parquet")
    parser.add_argument("file", type=Path, help="a .npz, .csv or .parquet file of softmaxes or logits")
    _add_out(parser)
    parser.add_argument("--macs", type=_numbers(int), help="multiply-accumulates that each stage adds, a,b,c")
    parser.add_argument("--baseline-macs", type=int, help="those of the plain network (default: the sum)")
    parser.add_argument("--stage-names", type=_numbers(str), help="a,b,c")
    parser.add_argument("--class-names", type=_numbers(str), help="a,b,c")


def _add_choose(verbs: Parsers) -> None:
    parser = _add(
        verbs,
        "choose",
        choose_,
        "choose cache/cifar10-resnet56-fine-heads.parquet --policy cheapest --max-drop 0.01 --out choice.json",
    )
    parser.add_argument("run", type=Path, help="a run file")
    parser.add_argument("--policy", choices=tuple(POLICIES), default="cheapest", help="(default cheapest)")
    for kind in POLICIES.values():
        for name, reader in _parameters(kind).items():
            flag = "--" + name.replace("_", "-")
            parser.add_argument(flag, type=reader, help=f"for {kind.name}: {kind.parameter_help}")
    parser.add_argument("--score", choices=tuple(SCORES), default="max_probability", help="(default max_probability)")
    parser.add_argument("--top-k", type=int, default=1, help="right if the label is among the k largest (default 1)")
    parser.add_argument("--seed", type=int, default=0, help="of the calibration split (default 0)")
    parser.add_argument("--fraction", type=float, default=0.5, help="of samples for calibration (default 0.5)")
    parser.add_argument("--in-sample", action="store_true", help="choose and measure on all samples")
    parser.add_argument("--out", type=Path, help="the JSON to write")


def _add_others(verbs: Parsers) -> None:
    parser = _add(verbs, "evaluate", evaluate_, "evaluate choice.json cache/cifar10-resnet56-fine-heads.parquet")
    parser.add_argument("choice", type=Path, help="a JSON that choose or the dashboard wrote")
    parser.add_argument("run", type=Path, help="a run file")
    parser.add_argument("--all", action="store_true", help="measure on all samples, those of calibration too")
    parser = _add(verbs, "show", show, "show cache/digits.parquet --top-k 5")
    parser.add_argument("run", type=Path, help="a run file")
    parser.add_argument("--top-k", type=int, default=1, help="accuracy among the k largest too (default 1)")


def parser() -> Parser:
    """The command line's parser."""
    result = Parser(
        prog="python -m cascade_core",
        description="Cascaded (early-exit) inference: precompute, choose thresholds, evaluate them.",
    )
    verbs = result.add_subparsers(metavar="VERB", required=True)
    for add in (_add_exits, _add_build, _add_precompute, _add_join, _add_import, _add_choose, _add_others):
        add(verbs)
    return result


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb; return the exit status."""
    args = parser().parse_args(arguments)
    try:
        args.function(args)
    except (ValueError, OSError) as error:
        print("error: " + " ".join(str(error).split()), file=sys.stderr)
        return 2
    except KeyboardInterrupt as stop:
        print(str(stop) or "stopped", file=sys.stderr)
        return 130
    # What no room foresaw still ends in one line; the traceback is one setting away.
    except Exception as error:
        if os.environ.get("CASCADE_TRACEBACK"):
            raise
        reason = " ".join(str(error).split())[:300]
        print(f"error: {type(error).__name__}: {reason}; CASCADE_TRACEBACK=1 shows where", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
