"""Heads: their families, the ladder, and the files that hold their weights."""
