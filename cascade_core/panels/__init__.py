"""Streamlit views: the only package that imports streamlit, apart from the page itself.

A panel takes results from the rooms below and shows them; it computes nothing but layout.
"""
