"""The page's door: ``streamlit run dashboard.py``.

Streamlit imports this once for the server `app`, and runs it as a script whenever a page is to be shown.
"""

from __future__ import annotations

import streamlit as st

if __name__ == "__main__":
    from cascade_core.panels.page import page

    page()
else:
    from cascade_core.panels.server import running

    app = st.App(__file__, lifespan=running)
