"""Plotly charts, one file for each view that shows them."""

from cascade_core.support.extras import require

require("page")
