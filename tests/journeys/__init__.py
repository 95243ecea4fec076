"""Journeys of a customer through the whole suite."""
