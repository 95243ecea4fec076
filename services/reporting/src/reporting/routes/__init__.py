"""HTTP in and out, one module per noun of the path."""
