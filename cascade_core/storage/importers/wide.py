"""Tables with a row for each sample, which holds what all stages said of it -> tables with a row a stage.

Columns are called by a stage and what they hold of it: ``small_confidence``, ``small_answer``, ``large_confidence``;
``stage_0_confidence``, or ``confidence_0``.  Stages are those that have a confidence, in the order of its columns; by
number where all have one.
"""

from __future__ import annotations

import re
from dataclasses import replace

import pandas as pd

from cascade_core.storage.importers.naming import (
    ANSWERS,
    CONFIDENCE,
    CORRECT,
    LOGITS,
    PROBS,
    class_column,
    meaning,
    stage_column,
)
from cascade_core.storage.importers.sheet import Sheet
from cascade_core.storage.importers.stage_order import check_stage_count
from cascade_core.support.files import BadFile

_NUMBERED = re.compile(r"(?:stage|exit|model)?_?(\d{1,6})")


def with_a_row_a_stage(sheet: Sheet) -> Sheet:
    """The table as it is, or, where it has a row for each sample, with one for each stage of a sample.

    Raises:
        BadFile: A stage lacks what another has, all lack confidences, or two columns hold the same of one.
    """
    columns = [str(name) for name in sheet.frame.columns]
    meanings = {meaning(name) for name in (*columns, *sheet.matrices)}
    if meanings & {"stage", CONFIDENCE, PROBS, LOGITS} or any(map(class_column, columns)):
        return sheet
    held: dict[str, dict[str, str]] = {}
    for name in columns:
        if (found := stage_column(name)) is not None:
            if found.what in held.setdefault(found.stage, {}):
                raise BadFile(f"expected one column of {found.what} of stage {found.stage!r} but {name!r} is another")
            held[found.stage][found.what] = name
    stages = _in_order([stage for stage, has in held.items() if CONFIDENCE in has])
    if not stages:
        unsure = [stage for stage, has in held.items() if has.keys() & {ANSWERS, CORRECT}]
        if len(unsure) > 1:
            wanted = ", ".join(f"{stage}_confidence" for stage in unsure[:3])
            raise BadFile(
                f"expected {wanted}, how sure each answer is (any scale), but there are {', '.join(columns[:8])}"
            )
        return sheet
    check_stage_count(len(stages))
    return _taken_apart(sheet, {stage: held[stage] for stage in stages})


def _in_order(stages: list[str]) -> list[str]:
    """By number where all have one, else as they are."""
    numbers = [_NUMBERED.fullmatch(stage) for stage in stages]
    return sorted(stages, key=_number) if all(numbers) else stages


def _number(stage: str) -> int:
    found = _NUMBERED.fullmatch(stage)
    assert found is not None
    return int(found[1])


def _taken_apart(sheet: Sheet, held: dict[str, dict[str, str]]) -> Sheet:
    first, *_ = held.values()
    for stage, has in held.items():
        for what in sorted(first.keys() ^ has.keys()):
            raise BadFile(f"expected the same columns of every stage but {stage!r} and the first differ in {what}")
    others = sheet.frame[[name for name in sheet.frame.columns if stage_column(str(name)) is None]]
    parts = [
        pd.concat([others, sheet.frame[list(has.values())].set_axis(list(has), axis=1)], axis=1)
        for has in held.values()
    ]
    frame = pd.concat(parts, ignore_index=True)
    # Numbers may begin anywhere, and say an order alone.
    numbered = all(map(_NUMBERED.fullmatch, held))
    names = [f"stage {place}" if numbered else stage for place, stage in enumerate(held, 1)]
    lines = len(sheet.frame)
    frame["stage"] = pd.Categorical([name for name in names for _ in range(lines)], categories=names, ordered=True)
    return replace(sheet, frame=frame, lines=lines, names=sheet.columns)
