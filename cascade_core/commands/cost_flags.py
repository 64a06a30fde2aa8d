"""Flags on what costs are counted in, which several verbs take, and the verb that writes costs beside a run."""

from __future__ import annotations

import argparse
from pathlib import Path

from cascade_core.commands.common import PROGRAM, Parsers, add_verb
from cascade_core.commands.terminal import tell
from cascade_core.simulation.meters import MACS, Meter, Milliseconds
from cascade_core.simulation.own_costs import WHOLE, OwnCosts
from cascade_core.simulation.timing import load_profile, profile_path
from cascade_core.storage.costs import costs_path, load_costs, save_costs
from cascade_core.storage.reading import read_metadata
from cascade_core.storage.schema import costs_in_place_of_macs, own_meter, usual_meter
from cascade_core.support.claims import claimed
from cascade_core.support.remote import place

UNITS = ("macs", "milliseconds", "own")


def add_cost_flags(parser: argparse.ArgumentParser, *, mistake: bool = False) -> None:
    """The unit, the size of batches, and where it is asked for the price of a wrong answer."""
    about = (
        "what costs are counted in: macs, milliseconds (needs `profile`), own (what `costs` wrote beside the run, or "
        "its file said), or a .json file of costs (default macs, or own where a run has no MACs; with --batch "
        "milliseconds)"
    )
    parser.add_argument("--cost", metavar="UNIT", help=about)
    parser.add_argument("--batch", type=int, help="for milliseconds: samples computed at once (default 1)")
    if mistake:
        about = "price of a wrong answer, in the unit of --cost: the least that computing and mistakes cost together"
        parser.add_argument("--mistake", type=float, metavar="PRICE", help=about)


def meter_of(args: argparse.Namespace) -> Meter:
    """What the command line counts costs in.

    Raises:
        ValueError: There is no such unit, or what it needs does not lie beside the run.
    """
    unit = args.cost or ("milliseconds" if args.batch else "usual")
    if args.batch and unit != "milliseconds":
        raise ValueError(f"--batch is for --cost milliseconds, not for --cost {unit}")
    if unit == "usual":
        return usual_meter(read_metadata(args.run))
    if unit == "macs":
        if (instead := costs_in_place_of_macs(read_metadata(args.run))) is not None:
            raise ValueError(
                f"Expected costs that are known with --cost, in {instead.unit}, but MACs of this run are not"
            )
        return MACS
    if unit == "milliseconds":
        beside = profile_path(args.run)
        if not beside.exists():
            raise ValueError(f"Expected a profile, {beside}, but there is none: {PROGRAM} profile {args.run} makes it")
        return Milliseconds(profile=load_profile(beside), batch=args.batch or 1)
    if unit != "own" and not unit.endswith(".json"):
        raise ValueError(f"expected --cost to be {', '.join(UNITS)} or a .json file but it was {unit!r}")
    beside = costs_path(args.run)
    own = own_meter(read_metadata(args.run)) if unit == "own" and not beside.is_file() else None
    return own or load_costs(beside if unit == "own" else unit, _stage_names(args.run))


def macs_known(run: Path, meter: Meter) -> bool:
    """Whether MACs are to be told: they are known, or are what costs are counted in."""
    return meter is MACS or costs_in_place_of_macs(read_metadata(run)) is None


def costs(args: argparse.Namespace) -> None:
    """Write what each stage of a run costs in a unit of your own, beside the run."""
    given, out = own_costs(args, _stage_names(args.run)), costs_path(args.run)
    with claimed(out):
        tell(f"wrote {save_costs(given, out)}")


def own_costs(args: argparse.Namespace, names: tuple[str, ...]) -> OwnCosts:
    """The costs that flags of `add_own_costs` give to stages of these names.

    Raises:
        ValueError: There is not one for each stage and the plain network, or one does not fit.
    """
    parts = dict(_part(text, names) for text in args.part)
    return OwnCosts(
        unit=args.unit,
        per=args.per,
        stage_names=names,
        stages=tuple({part: values[i] for part, values in parts.items()} for i in range(len(names))),
        plain_parts={part: values[-1] for part, values in parts.items()},
    )


def add_own_costs(parser: argparse.ArgumentParser, *, required: bool) -> None:
    """Flags of what stages cost in a unit of one's own."""
    parser.add_argument("--unit", required=required, help="a plural noun: dollars, joules")
    parser.add_argument("--per", type=int, default=1, help="samples that the numbers are for (default 1)")
    about = (
        "costs of each stage and, last, of the plain network, a,b,c; several parts, such as device, network and cloud, "
        "add up"
    )
    parser.add_argument("--part", action="append", required=required, metavar="[NAME=]NUMBERS", help=about)


def _part(text: str, names: tuple[str, ...]) -> tuple[str, list[float]]:
    """The name of a part, and its cost at each stage and in the plain network."""
    name, _, numbers = text.rpartition("=")
    try:
        values = [float(number) for number in numbers.split(",")]
    except ValueError:
        values = []
    if len(values) != len(names) + 1:
        raise ValueError(
            f"expected --part to have {len(names) + 1} numbers, one for each of {', '.join(names)} "
            f"and the last for the plain network, but it was {text!r}"
        )
    return name or WHOLE, values


def _stage_names(run: Path) -> tuple[str, ...]:
    return tuple(stage["name"] for stage in read_metadata(run)["stages"])


def add(verbs: Parsers) -> None:
    """Add the verb `costs`."""
    parser = add_verb(
        verbs,
        "costs",
        costs,
        "costs cache/digits.parquet --unit dollars --per 1000 --part device=0.01,0.01,0,0 --part cloud=0,0,0.5,0.5",
        "Later: `choose RUN --cost own`; the page offers the unit too. A stage's cost is paid by every sample that "
        "reaches it.",
    )
    parser.add_argument("run", type=place, help="a run file")
    add_own_costs(parser, required=True)
