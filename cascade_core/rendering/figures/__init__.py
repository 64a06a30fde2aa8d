"""Plotly charts, one file for each view that shows them."""
