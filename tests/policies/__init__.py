"""One test file for each module of `cascade_core.policies`."""
