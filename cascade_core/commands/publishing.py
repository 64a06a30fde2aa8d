"""The verb that makes a site of many runs: `site`."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from cascade_core.analysis.comparison import sweeps_for
from cascade_core.analysis.exploration import Exploration, Split, explore, halves
from cascade_core.commands.common import Incomplete, Parsers, add_verb
from cascade_core.commands.terminal import remark, tell
from cascade_core.policies.answers import Halves
from cascade_core.rendering.site import POSITIONS, Listed, run_script, site_page
from cascade_core.simulation.record import Record
from cascade_core.storage.parts import is_run
from cascade_core.storage.reading import identity, load_record, load_run, read_metadata, run_name
from cascade_core.storage.schema import is_counted, usual_meter
from cascade_core.support.claims import claimed
from cascade_core.support.files import BadFile, atomic_folder
from cascade_core.support.wording import number_of

TITLE = "Cascades: accuracy against computation"


def site(args: argparse.Namespace) -> None:
    """Write a folder of web pages with all runs and policies behind two pickers; it needs no server and no network."""
    if args.out.exists():
        raise ValueError(f"Expected {args.out} not to be there yet; remove it, or name another folder")
    runs = list(dict.fromkeys(_runs(args.runs)))
    _check_names([run_name(path) for path in runs], args.open_on)
    with claimed(args.out):
        failed = _write(args, runs)
    if failed:
        raise Incomplete(f"{failed} of {len(runs)} runs were left out; the lines above say why")


def _write(args: argparse.Namespace, runs: Sequence[Path]) -> int:
    """The whole folder; returns how many runs were left out."""
    shown: list[Listed] = []
    with atomic_folder(args.out) as folder:
        for path in runs:
            try:
                run = listed(path)
            except ValueError as error:
                if len(runs) == 1:
                    raise
                remark(f"left out: {path.name}: {error}")
                continue
            size = (folder / run.script).write_text(run_script(run), encoding="utf-8")
            tell(f"{run.name}: {len(run.explorations)} policies, {size:,} bytes")
            shown.append(run)
        if not shown:
            raise ValueError("Expected a run that can be shown but there is none")
        _check_names([run.name for run in shown], args.open_on)
        page = site_page(shown, args.open_on or _best(shown), args.title)
        (folder / "index.html").write_text(page, encoding="utf-8")
        total = sum(file.stat().st_size for file in folder.iterdir())
    tell(f"wrote {args.out}: {number_of(len(shown), 'run')}, {total:,} bytes; open {args.out / 'index.html'}")
    return len(runs) - len(shown)


def _check_names(names: Sequence[str], open_on: str | None) -> None:
    """Raise ValueError if two runs have one name, or none has that of `--open-on`."""
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"Expected runs of different names but two are called {name}; rename one")
    if open_on is not None and open_on not in names:
        raise ValueError(f"Expected --open-on to be one of {', '.join(sorted(names))} but it was {open_on!r}")


def _runs(places: Iterable[Path]) -> Iterator[Path]:
    """Runs as they are, and those in folders by name; a folder whose parts are of one run is that run.

    Raises:
        ValueError: There is nothing of that name.
    """
    for place in places:
        if not place.exists():
            raise ValueError(f"Expected a run, or a folder of runs, but there is no {place}")
        if place.is_dir() and not _is_one_run(place):
            yield from (entry for entry in sorted(place.iterdir()) if is_run(entry))
        else:
            yield place


def _is_one_run(folder: Path) -> bool:
    try:
        return bool(read_metadata(folder))
    except BadFile:
        return False


def listed(path: Path) -> Listed:
    """A run and what each policy does to it, as a dashboard opens on it."""
    metadata, run = read_metadata(path), identity(path)
    return Listed(
        name=run["name"],
        sha256=run["sha256"],
        source=metadata["source"],
        classes=len(metadata["class_names"]),
        explorations=list(_explorations(path, metadata)),
    )


def _explorations(path: Path, metadata: dict[str, Any]) -> Iterator[Exploration]:
    """What each policy does to the run, as a dashboard opens on it."""
    meter, split = usual_meter(metadata), Split()
    divided: Halves | Record = load_record(path) if is_counted(metadata) else halves(load_run(path), split, meter=meter)
    for policy in sweeps_for(divided):
        yield explore(divided, policy, split, POSITIONS, meter=meter)


def _best(runs: Sequence[Listed]) -> str:
    """Name of the run whose first policy saves most where its slider opens."""
    opened = [run.explorations[0] for run in runs]
    savings = [float(1 - e.meter.mean(e.at(e.opening)) / e.meter.plain(e.evaluation)) for e in opened]
    return runs[savings.index(max(savings))].name


def add(verbs: Parsers) -> None:
    """Add these verbs."""
    parser = add_verb(verbs, "site", site, "site cache/ --out site/")
    parser.add_argument("runs", type=Path, nargs="+", metavar="RUN", help="run files, or folders of runs")
    parser.add_argument("--out", type=Path, required=True, help="the folder to write, which must not be there")
    parser.add_argument("--title", default=TITLE, help=f"heading of the page (default: {TITLE})")
    parser.add_argument("--open-on", metavar="NAME", help="run that it opens on (default: the one that saves most)")
