"""The command line's verbs, in files by what they work on; each adds its own parser."""
