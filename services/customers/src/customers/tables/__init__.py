"""The tables of customers, one file per noun."""
