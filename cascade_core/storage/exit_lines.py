"""The line that a cascade at work writes of an answer, for `exit_logs` to read; it stands alone, to be copied."""

from __future__ import annotations

import json
from collections.abc import Sequence


def line_of(
    time: float,
    stage: str,
    confidence: Sequence[float | None],
    answer: int,
    milliseconds: float,
    audit: tuple[Sequence[int], int] | None = None,
) -> str:
    """A line, as whoever runs a cascade writes it.

    Args:
        audit: What each stage would have answered, and what the plain network says.
    """
    more = {} if audit is None else {"answers": list(audit[0]), "plain": audit[1]}
    sure = [None if value is None else round(value, 7) for value in confidence]
    entry = {"time": round(time, 6), "stage": stage, "confidence": sure, "answer": answer}
    return json.dumps({**entry, "milliseconds": round(milliseconds, 4), **more}, ensure_ascii=False) + "\n"
