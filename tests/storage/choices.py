"""A choice to write, and what earlier versions of its file held."""

from __future__ import annotations

from typing import Any

import numpy as np

from cascade_core import FixedThresholds, choose, evaluate
from tests.oracle import random_record

RECORD = random_record(1)


RULE = choose(RECORD, FixedThresholds((0.75, np.inf)))


EVALUATION = evaluate(RECORD, RULE)


def earlier(data: dict[str, Any], temperature: Any) -> None:
    """Make a file of version 2 of one of version 3."""
    data["schema_version"] = 2
    data["rule"].pop("pool")
    data["rule"]["temperature"] = temperature
