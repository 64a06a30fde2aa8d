"""Hostile inputs by the thousand, over all doors: each is a sound result, or one clean line and exit status 2.

``python -m tests.fuzzing --count 100000 --seed 7 --door import-npz`` goes on for as long as one likes; `test_fuzzing`
throws 5,000 a run.  A door is a file that is good, changed in one of the ways of `changes`, and what opens it.
"""
