"""Limits: what the same work costs without our code."""
