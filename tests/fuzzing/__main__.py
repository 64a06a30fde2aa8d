"""Throws changed files at doors until the count is reached; says what did not hold, and ends with 1 if anything."""

from __future__ import annotations

import argparse
import faulthandler
import resource
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from random import Random

from tests.fuzzing.changes import some
from tests.fuzzing.doors import DOORS, Door, Refused

SECONDS = 10.0
"""Longest that an input may take."""

BYTES = 3 << 29
"""Most memory that an input may take on top of what the program takes."""


def thrown(name: str, door: Door, seed: int | None, folder: Path) -> str:
    """Throw one input, or the good file; "sound", "refused", or what went wrong."""
    files = dict(door.files())
    if seed is not None:
        changed = next(iter(files))
        files[changed] = some(door.changes, files[changed], Random(f"{name} {seed}"))
    for file, raw in files.items():
        (folder / file).parent.mkdir(exist_ok=True)
        (folder / file).write_bytes(raw)
    faulthandler.dump_traceback_later(5 * SECONDS, exit=True)
    start = time.monotonic()
    try:
        door.open(folder)
        result = "sound"
    except Refused:
        result = "refused"
    except BaseException as error:  # what is thrown must not end the thrower
        if isinstance(error, KeyboardInterrupt):
            raise
        result = f"{type(error).__name__}: {error}"
    faulthandler.cancel_dump_traceback_later()
    took = time.monotonic() - start
    return f"it took {took:.1f} s" if took > SECONDS else result


def main() -> int:
    """Run; 1 if anything did not hold."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--door", choices=(*DOORS, "all"), default="all")
    parser.add_argument("--count", type=int, default=100, help="inputs a door (default 100)")
    parser.add_argument("--seed", type=int, default=0, help="number of the first input (default 0)")
    args = parser.parse_args()
    faults = 0
    for name in DOORS if args.door == "all" else [args.door]:
        door, counts = DOORS[name], Counter[str]()
        with tempfile.TemporaryDirectory() as folder:
            thrown(name, door, None, Path(folder))  # imports what the door takes
        taken = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10
        for seed in range(args.seed, args.seed + args.count):
            with tempfile.TemporaryDirectory() as folder:
                result = thrown(name, door, seed, Path(folder))
            grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10) - taken
            if grown > BYTES:
                result, taken = f"it took {grown >> 20:,} MB", taken + grown
            counts[result if result in ("sound", "refused") else "faults"] += 1
            if result not in ("sound", "refused"):
                faults += 1
                print(f"{name} --seed {seed} --count 1: {result[:500]}", flush=True)
        print(f"{name}: {dict(counts)}", file=sys.stderr, flush=True)
    return int(faults > 0)


if __name__ == "__main__":
    sys.exit(main())
