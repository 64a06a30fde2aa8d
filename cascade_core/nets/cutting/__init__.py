"""A network in pieces: traced, split at exit points, and given exits."""
