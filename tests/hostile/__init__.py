"""Attempts to get media out of the program without its labels, and faults at every place where a release can fail.

python -m tests.hostile                 every attempt, with what it got
python -m tests.hostile.faults --all    every storage call of a release, killed or failed
python -m tests.hostile.labels --all    bad labels refused, good ones accepted
"""
