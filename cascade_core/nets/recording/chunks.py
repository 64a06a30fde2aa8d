"""Long work in chunks of samples, each a part file of its own: what survives a kill, and what many share.

A chunk is computed in the same batches whatever happened before, and written under a temporary name and renamed, so
a part that is there is whole.  The plan beside the parts says what the work is; work that differs in anything that
decides the values is refused, unless no part is done yet.  Who computes which chunk, and where, is not said here: see
`workers` and `on_ray`.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from cascade_core.simulation.outputs import StageOutputs
from cascade_core.storage.parts import DONE, MAX_PARTS, PLAN, part_name, parts_there, read_plan, write_mark
from cascade_core.storage.writing import is_part, merge_parts, save_part
from cascade_core.support import checks
from cascade_core.support.files import BadFile
from cascade_core.support.refusals import naming_remote
from cascade_core.support.remote import Place, remove_folder
from cascade_core.support.stopping import Stopped, asked_by, stoppable

LATE = 60.0
"""Most seconds after which a network file system shows here what was written elsewhere."""

LOOK = 0.5
"""Seconds between two looks at the folder in that time."""

Compute = Callable[[range], StageOutputs]
"""From sample numbers to what is recorded of them."""


class Chunks:
    """Work on N samples in chunks of `size`, whose result is a run at `target`.

    Args:
        target: A file ending in ``.parquet``, whose parts lie in a hidden folder beside it until all are there, or
            a folder of parts.
        work: All that decides the values, as JSON data.

    Raises:
        ValueError: There are more chunks than a plan may name.
    """

    def __init__(self, target: Place, samples: int, size: int, work: Mapping[str, Any]) -> None:
        self.target = target
        self.folder: Place = target.with_name(f".{target.name}.parts") if target.suffix else target
        self.samples = samples
        self.size = size
        self.count = checks.whole("the number of chunks", -(-samples // size), 1, MAX_PARTS)
        whole = {**work, "samples": samples, "chunk_size": size, "chunks": self.count}
        # As it will come back from the plan: tuples are lists.
        self.work: dict[str, Any] = json.loads(json.dumps(whole, allow_nan=False))
        self.digest = hashlib.sha256(json.dumps(self.work, sort_keys=True).encode()).hexdigest()
        self.missing = set(range(self.count))

    def begin(self, noted: Mapping[str, Any]) -> dict[str, Any]:
        """Write the plan, or read it where the work was begun, as `begun` does; one process alone may do so.

        Args:
            noted: What does not decide whether work is the same, such as the date.

        Raises:
            ValueError: As for `begun`.
            OSError: The plan cannot be written.
        """
        plan = read_plan(self.folder)
        # Work of which nothing is done stands in nobody's way: it failed, or was killed, before its first part.
        if plan is None or (plan["work"] != self.work and not self._any_part()):
            try:
                write_mark(self.folder / PLAN, {"work": self.work, "noted": noted})
            except OSError:
                self._withdraw()
                raise
        return self.begun(noted)

    def begun(self, noted: Mapping[str, Any]) -> dict[str, Any]:
        """What was noted when the work was begun; from here on it is known which parts are there.

        Raises:
            ValueError: The folder holds other work; the message says what differs.
            OSError: It holds none.
        """
        plan = read_plan(self.folder)
        if plan is None:
            raise OSError(
                f"Expected work in {self.folder} that process 0 began but there is none; "
                "do all processes see the same folder?"
            )
        if plan["work"] != self.work:
            raise ValueError(
                f"Expected {self.folder} to hold parts of the same work but {_difference(plan['work'], self.work)}; "
                "delete the folder or give another --out"
            )
        if not isinstance(plan.get("noted"), dict) or plan["noted"].keys() != noted.keys():
            raise ValueError(f"Expected {self.folder / PLAN} to note {', '.join(noted)} but it does not; delete it")
        self.look()
        return dict(plan["noted"])

    @contextmanager
    def under_way(self, *, first: bool = True) -> Iterator[None]:
        """Within the block chunks are computed.

        Args:
            first: Whether this is the process that began the work.

        Raises:
            Stopped: The work was interrupted.
        """
        try:
            with stoppable():
                yield
        except KeyboardInterrupt as stop:
            # The interruption may have come between writing a part and noting it.
            with suppress(OSError):
                self.look()
            said = f"stopped: {self._tally()}; start the same command again to continue"
            raise Stopped(said, asked_by(stop)) from None
        except Exception:
            with suppress(OSError):
                if first and not self._any_part():
                    self._withdraw()
            raise

    def do(self, number: int, compute: Compute) -> int:
        """Compute a chunk and write its part, unless it is there already; the count of its samples.

        Raises:
            OSError: It cannot be written, or files of the data cannot be read.
        """
        samples = self.samples_of(number)
        if not self._is_there(number):
            try:
                save_part(compute(samples), self.folder / part_name(number), self._stamp(number))
            except (OSError, BadFile) as error:
                raise self._held_up(error) from None
        self.missing.discard(number)
        return len(samples)

    def samples_of(self, number: int) -> range:
        """The sample numbers of a chunk."""
        return range(number * self.size, min((number + 1) * self.size, self.samples))

    @property
    def done(self) -> int:
        """Samples in finished chunks."""
        return self.samples - sum(len(self.samples_of(number)) for number in self.missing)

    def look(self) -> None:
        """Find out which parts are there by now, whoever wrote them.

        Raises:
            OSError: The folder cannot be looked into.
        """
        with naming_remote(self.folder):
            there = parts_there(self.folder)
        self.missing -= {n for n in self.missing if part_name(n) in there and self._is_there(n)}

    def finish(self) -> None:
        """Make the parts a run: one file, or the folder with the mark of its end.

        Raises:
            OSError: Parts are missing that should be there, or the run cannot be written.
        """
        self._look_for_all()
        try:
            if self.target.suffix:
                merge_parts([self.folder / part_name(number) for number in range(self.count)], self.target)
                remove_folder(self.folder)
            else:
                self._mark_whole()
        except (OSError, BadFile) as error:
            raise self._held_up(error) from None

    def _mark_whole(self) -> None:
        with naming_remote(self.folder):
            if not (self.folder / DONE).exists():
                write_mark(self.folder / DONE, {"parts": self.count, "samples": self.samples})
        if isinstance(self.folder, Path):
            for unfinished in self.folder.glob(".part-*.tmp"):
                unfinished.unlink(missing_ok=True)

    def _look_for_all(self) -> None:
        end = time.monotonic() + LATE
        while self.missing:
            self.look()
            if self.missing and time.monotonic() > end:
                raise OSError(
                    f"Expected all parts in {self.folder} but {part_name(min(self.missing))} is missing; "
                    "do all workers see the same folder?"
                )
            if self.missing:
                time.sleep(LOOK)

    def _any_part(self) -> bool:
        return len(self.missing) < self.count or bool(parts_there(self.folder))

    def _withdraw(self) -> None:
        """Take the plan back, and the folder if it is empty: whoever mends what failed starts anew."""
        with suppress(OSError):
            (self.folder / PLAN).unlink(missing_ok=True)
            if isinstance(self.folder, Path):
                self.folder.rmdir()

    def _is_there(self, number: int) -> bool:
        path = self.folder / part_name(number)
        return is_part(path, self._stamp(number), len(self.samples_of(number)))

    def _stamp(self, number: int) -> str:
        return f"{self.digest}/{number}"

    def _tally(self) -> str:
        return f"{self.count - len(self.missing):,} of {self.count:,} chunks are done in {self.folder}"

    def _held_up(self, error: Exception) -> OSError:
        # What cannot be reached is not asked once more, which takes seconds.
        if isinstance(self.folder, Path):
            self.look()
        return OSError(f"{error}; {self._tally()}: mend this and start the same command again to continue")


def _difference(before: Mapping[str, Any], now: Mapping[str, Any], within: str = "") -> str:
    """The first entry in which two descriptions of work differ."""
    key = next(key for key in sorted({*before, *now}) if before.get(key) != now.get(key))
    old, new = before.get(key), now.get(key)
    if isinstance(old, dict) and isinstance(new, dict):
        return _difference(old, new, f"{within}{key} ")
    return f"theirs has {within}{key} {json.dumps(old)[:80]} and this one {json.dumps(new)[:80]}"
