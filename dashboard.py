"""The page's door: ``streamlit run dashboard.py``."""

from __future__ import annotations

from cascade_core.panels.page import page

page()
