"""Exit logs for tests: what a cascade at work would write of samples drawn from a run, or of made-up ones."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from cascade_core.simulation.record import Record
from cascade_core.storage.choice import Choice
from cascade_core.storage.exit_lines import line_of


def write_log(path: Path, choice: Choice, count: int, *, seed: int = 0, audited: float = 1.0) -> Path:
    """A log of `count` made-up samples, which leave as the choice was measured to do; a share of them is audited."""
    random = np.random.default_rng(seed)
    names = choice.rule.stage_names or ()
    shares = np.array([one["share"] for one in choice.measured["exits"]])
    lines = []
    for i in range(count):
        stage = int(random.choice(len(names), p=shares / shares.sum()))
        sure = np.sort(random.random(len(names))).tolist()
        audit = ([0, *(int(random.random() < 0.1) for _ in names[1:])], 0) if random.random() < audited else None
        passed = sure if audit else sure[: stage + 1]
        lines.append(line_of(1_764_180_000 + i, names[stage], passed, 0, 0.5, audit))
    path.write_text("".join(lines))
    return path


def lines_of(record: Record, choice: Choice, order: np.ndarray, *, audited: bool = False) -> list[str]:
    """Lines of samples of a record, in an order, as the choice lets them leave."""
    exits, names = choice.rule.exit_stages(record), record.stage_names
    lines = []
    for time, i in enumerate(order.tolist(), 1_764_180_000):
        stage = int(exits[i])
        audit = (record.predictions[:, i].tolist(), int(record.baseline_predictions[i])) if audited else None
        sure = record.confidence[: None if audited else stage + 1, i].tolist()
        lines.append(line_of(time, names[stage], sure, int(record.predictions[stage, i]), 0.25, audit))
    return lines
