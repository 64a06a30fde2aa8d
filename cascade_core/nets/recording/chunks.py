"""Long work in chunks of samples, each a part file of its own: what survives a kill, and what several processes share.

A chunk is computed in the same batches whatever happened before, and written under a temporary name and renamed, so
a part that is there is whole.  The plan beside the parts says what the work is; work that differs in anything that
decides the values is refused, unless no part is done yet.  Processes need a shared file system and no more: process r
of N computes chunks r, r + N, ..., and process 0, the only one that writes the plan and the end result, looks at the
folder until all parts are there.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from cascade_core.nets.progress import Bar, above_bars
from cascade_core.simulation.outputs import StageOutputs
from cascade_core.storage.parts import DONE, MAX_PARTS, PLAN, part_name, read_plan, write_mark
from cascade_core.storage.writing import is_part, merge_parts, save_part
from cascade_core.support import checks
from cascade_core.support.group import Group
from cascade_core.support.stopping import Stopped, asked_by, stoppable

PATIENCE = 30.0
"""Least seconds without a new part before process 0 computes itself what others should have."""

SLOWEST = 4
"""The same as a multiple of the time of its own slowest chunk."""

START = 600.0
"""Most seconds that a process waits for process 0 to begin."""

LOOK = 0.1
"""Seconds between two looks at the folder."""

Compute = Callable[[range, Callable[[int], object]], StageOutputs]
"""From sample numbers, and a function to call with the count of samples done since its last call."""


class Chunks:
    """Work on N samples in chunks of `size`, whose result is a run at `target`.

    Args:
        target: A file ending in ``.parquet``, whose parts lie in a hidden folder beside it until all are there, or
            a folder of parts.
        work: All that decides the values, as JSON data.

    Raises:
        ValueError: There are more chunks than a plan may name.
    """

    def __init__(self, target: Path, samples: int, size: int, work: Mapping[str, Any]) -> None:
        self.target = target
        self.folder = target.with_name(f".{target.name}.parts") if target.suffix else target
        self.samples = samples
        self.size = size
        self.count = checks.whole("the number of chunks", -(-samples // size), 1, MAX_PARTS)
        whole = {**work, "samples": samples, "chunk_size": size, "chunks": self.count}
        # As it will come back from the plan: tuples are lists.
        self.work: dict[str, Any] = json.loads(json.dumps(whole, allow_nan=False))
        self.digest = hashlib.sha256(json.dumps(self.work, sort_keys=True).encode()).hexdigest()
        self.missing = set(range(self.count))
        self._slowest = 0.0

    def begin(self, rank: int, noted: Mapping[str, Any]) -> dict[str, Any]:
        """Write the plan, or read it where the work was begun; what was noted when it was.

        Args:
            noted: What does not decide whether work is the same, such as the date.

        Raises:
            ValueError: The folder holds other work; the message says what differs.
            OSError: The plan cannot be written, or process 0 wrote none.
        """
        plan = read_plan(self.folder)
        # Work of which nothing is done stands in nobody's way: it failed, or was killed, before its first part.
        if rank == 0 and (plan is None or (plan["work"] != self.work and not self._any_part())):
            self._plan(noted)
            plan = None
        if plan is None:
            plan = self._wait_for_plan()
        if plan["work"] != self.work:
            raise ValueError(
                f"Expected {self.folder} to hold parts of the same work but {_difference(plan['work'], self.work)}; "
                "delete the folder or give another --out"
            )
        if not isinstance(plan.get("noted"), dict) or plan["noted"].keys() != noted.keys():
            raise ValueError(f"Expected {self.folder / PLAN} to note {', '.join(noted)} but it does not; delete it")
        return dict(plan["noted"])

    def _plan(self, noted: Mapping[str, Any]) -> None:
        try:
            write_mark(self.folder / PLAN, {"work": self.work, "noted": noted})
        except OSError:
            self._withdraw()
            raise

    def _any_part(self) -> bool:
        return next(self.folder.glob("part-*.parquet"), None) is not None

    def _wait_for_plan(self) -> dict[str, Any]:
        end = time.monotonic() + START
        while (plan := read_plan(self.folder)) is None:
            if time.monotonic() > end:
                raise OSError(
                    f"Expected process 0 to begin the work in {self.folder} within {START:.0f} s but it has not; "
                    "do all processes see the same folder?"
                )
            time.sleep(LOOK)
        return plan

    def run(self, compute: Compute, group: Group, progress: bool) -> None:
        """Compute this process's share; process 0 waits for the others' too, and writes the result.

        Raises:
            OSError: A file cannot be written.
            Stopped: The work was interrupted.
        """
        self._look()
        shown = progress and group.rank == 0
        try:
            with (
                stoppable(),
                Bar(total=self.samples, initial=self._done, unit="images", shown=shown, mininterval=1) as bar,
            ):
                for number in range(group.rank, self.count, group.size):
                    if group.rank and self._ended():
                        return
                    if number in self.missing:
                        self._do(number, compute, bar, group.rank)
                if group.rank == 0:
                    self._wait_for_others(compute, bar)
                    self._finish()
        except KeyboardInterrupt as stop:
            # The interruption may have come between writing a part and noting it.
            self._look()
            said = f"stopped: {self._tally()}; start the same command again to continue"
            raise Stopped(said, asked_by(stop)) from None
        except Exception:
            if group.rank == 0 and not self._any_part():
                self._withdraw()
            raise

    def _withdraw(self) -> None:
        """Take the plan back, and the folder if it is empty: whoever mends what failed starts anew."""
        (self.folder / PLAN).unlink(missing_ok=True)
        with suppress(OSError):
            self.folder.rmdir()

    def _samples(self, number: int) -> range:
        return range(number * self.size, min((number + 1) * self.size, self.samples))

    @property
    def _done(self) -> int:
        """Samples in finished chunks."""
        return self.samples - sum(len(self._samples(number)) for number in self.missing)

    def _tally(self) -> str:
        return f"{self.count - len(self.missing):,} of {self.count:,} chunks are done in {self.folder}"

    def _stamp(self, number: int) -> str:
        return f"{self.digest}/{number}"

    def _ended(self) -> bool:
        """Whether process 0 has written the result, without waiting for this one."""
        return (self.folder / DONE).exists() or not (self.folder / PLAN).exists()

    def _look(self) -> None:
        """Find out which parts are there by now, whoever wrote them."""
        try:
            there = {entry.name for entry in self.folder.iterdir()}
        except FileNotFoundError:
            # Process 0 has made one file of the parts.
            return
        for number in sorted(self.missing):
            name = part_name(number)
            if name in there and is_part(self.folder / name, self._stamp(number), len(self._samples(number))):
                self.missing.remove(number)

    def _do(self, number: int, compute: Compute, bar: Bar, rank: int) -> None:
        start = time.monotonic()
        outputs = compute(self._samples(number), bar.update)
        path = self.folder / part_name(number)
        try:
            save_part(outputs, path, self._stamp(number))
        except OSError as error:
            if rank and self._ended():
                return
            raise self._unwritable(error) from None
        self.missing.discard(number)
        self._slowest = max(self._slowest, time.monotonic() - start)
        self._show(bar)

    def _show(self, bar: Bar) -> None:
        self._look()
        bar.n = self._done
        bar.refresh()

    def _unwritable(self, error: OSError) -> OSError:
        return OSError(f"{error}; {self._tally()}: mend this and start the same command again to continue")

    def _wait_for_others(self, compute: Compute, bar: Bar) -> None:
        last_progress, remaining, warned = time.monotonic(), len(self.missing), False
        while self.missing:
            self._show(bar)
            if len(self.missing) < remaining:
                last_progress, warned = time.monotonic(), False
            elif time.monotonic() - last_progress > max(PATIENCE, SLOWEST * self._slowest):
                if not warned:
                    silent = f"no chunk came from other processes for {time.monotonic() - last_progress:.0f} s"
                    above_bars(f"{silent}; computing here what is missing, {remaining:,} chunks")
                    warned = True
                # A slow process goes upwards, so the last is the one that it needs longest for.
                self._do(max(self.missing), compute, bar, 0)
            else:
                time.sleep(LOOK)
            remaining = len(self.missing)

    def _finish(self) -> None:
        """Make the parts a run: one file, or the folder with the mark of its end."""
        if not self.target.suffix:
            if not (self.folder / DONE).exists():
                write_mark(self.folder / DONE, {"parts": self.count, "samples": self.samples})
            for unfinished in self.folder.glob(".part-*.tmp"):
                unfinished.unlink(missing_ok=True)
            return
        try:
            merge_parts([self.folder / part_name(number) for number in range(self.count)], self.target)
        except OSError as error:
            raise self._unwritable(error) from None
        shutil.rmtree(self.folder, ignore_errors=True)


def _difference(before: Mapping[str, Any], now: Mapping[str, Any], within: str = "") -> str:
    """The first entry in which two descriptions of work differ."""
    key = next(key for key in sorted({*before, *now}) if before.get(key) != now.get(key))
    old, new = before.get(key), now.get(key)
    if isinstance(old, dict) and isinstance(new, dict):
        return _difference(old, new, f"{within}{key} ")
    return f"theirs has {within}{key} {json.dumps(old)[:80]} and this one {json.dumps(new)[:80]}"
