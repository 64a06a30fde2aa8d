"""Whether a site of runs has Python's numbers, at 20 positions of each run and policy.

Run with ``python -m tests.benchmarks.site_numbers site/ cache/*.parquet`` in a checkout; it takes some minutes.
Each run is explored anew, each rule is evaluated by itself, and what differs by more than the site's nine digits is
printed.
"""

from __future__ import annotations

import argparse
import base64
import json
import re
import sys
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from cascade_core.analysis.exploration import Exploration
from cascade_core.commands.publishing import listed
from cascade_core.simulation.evaluation import evaluate

PLACES = 20
"""Positions that are compared, evenly spread."""

CLOSE = 5.1e-9
"""Relative difference of numbers that are rounded to nine digits, half a unit of the ninth at most."""


def held(script: str) -> dict[str, Any]:
    """What the script of a run hands to the page."""
    text = re.fullmatch(r'cascadeRun\("[\w.-]+", "([\w+/=]+)"\);\n', script)
    assert text is not None
    found: dict[str, Any] = json.loads(zlib.decompress(base64.b64decode(text[1]), -zlib.MAX_WBITS))
    return found


def differences(found: Mapping[str, Any], explorations: Sequence[Exploration]) -> list[str]:
    """A line on each policy and number that is not Python's."""
    lines = []
    for exploration in explorations:
        payload = found["payloads"][exploration.policy.name]
        for g in np.linspace(0, len(exploration.path) - 1, PLACES).astype(int):
            for name, expected in _numbers(exploration, int(g)).items():
                value = np.asarray(payload[name])[..., g]
                if not np.allclose(value, expected, rtol=CLOSE, atol=CLOSE):
                    lines.append(f"{exploration.policy.name}, position {g}: {name} {value} in place of {expected}")
    return lines


def _numbers(exploration: Exploration, g: int) -> dict[str, Any]:
    """What one rule does, evaluated by itself, by the payload's names."""
    one, meter = evaluate(exploration.test, exploration.path.rule(g)), exploration.meter
    low, high = one.drop_interval()
    cost, plain = meter.mean(one), meter.plain(exploration.evaluation)
    return {
        "accuracy": one.accuracy,
        "drop": one.accuracy_drop,
        "drop_low": low,
        "drop_high": high,
        "cost": cost,
        "saving": 1 - cost / plain,
        "exit_counts": one.exit_counts,
        "correct_counts": one.correct_counts,
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Print what differs; the exit status is 1 if anything does."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("site", type=Path)
    parser.add_argument("runs", type=Path, nargs="+")
    given = parser.parse_args(arguments)
    wrong = 0
    for path in given.runs:
        run = listed(path)
        script = (given.site / run.script).read_text(encoding="utf-8")
        lines = differences(held(script), run.explorations)
        print(
            f"{run.name}: {len(run.explorations)} policies, {len(lines)} differences",
            *lines[:5],
            sep="\n  ",
            flush=True,
        )
        wrong += len(lines)
    return min(wrong, 1)


if __name__ == "__main__":
    sys.exit(main())
