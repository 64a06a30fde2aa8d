"""Texts: what a network takes of them, tables of texts with labels, and sets of such."""
