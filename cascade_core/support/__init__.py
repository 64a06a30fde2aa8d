"""Checks of arguments, files that are whole or not there, and numbers in words: rooms that know no domain."""
