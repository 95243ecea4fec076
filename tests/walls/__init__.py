"""Walls: what no change may break."""
