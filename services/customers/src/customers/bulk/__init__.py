"""Bulk: what is done with one customer is done with many, as a job over a selection (CUS-68, BEY-13)."""
