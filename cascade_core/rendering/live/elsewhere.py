"""Two payloads as one: what thresholds do on the run that chose them, and on another that they are judged on."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any


def beside(data: Mapping[str, Any], there: Mapping[str, Any]) -> dict[str, Any]:
    """The payload `data` of one run with that of the same rules on another run, whose numbers stand below its own."""
    both = hashlib.sha256(f"{data['id']} {there['id']} {there['name']}".encode()).hexdigest()[:16]
    return {**data, "id": both, "elsewhere": dict(there)}
