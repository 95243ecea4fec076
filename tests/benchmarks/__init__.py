"""Benchmarks: what the suite costs, each beside the bare limit that was measured in the same run.

A row is a function that yields rounds; everything else (three rounds, medians, verdicts, the
table, ``docs/performance.md``) is the frame's. ``make bench`` runs them, the test command does not.
"""
