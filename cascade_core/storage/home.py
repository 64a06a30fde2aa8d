"""Where the page's door, its settings and the first runs lie: `HOME` holds dashboard.py, .streamlit/ and cache/.

In a checkout that is the repository.  A wheel brings copies of them (pyproject.toml says which), with `digits` as the
one run.
"""

from __future__ import annotations

from pathlib import Path

_SHIPPED = Path(__file__).parent / "shipped"

HOME = _SHIPPED if _SHIPPED.is_dir() else Path(__file__).resolve().parents[2]
