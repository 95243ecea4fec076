"""Rules that more than one projection needs."""
