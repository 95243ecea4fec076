"""Bulk: what is done with the product of one customer is done with that of many, as a job over a selection (CUS-66, CUS-67, BEY-13)."""
