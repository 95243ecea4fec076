"""Portable bundles: a customer with its history as one signed file, to be kept or imported elsewhere (BEY-15)."""
