"""The page: the only folder that imports streamlit.

A panel takes results from the floors below and shows them; it computes nothing but layout.
"""

from cascade_core.support.extras import require

require("page")
