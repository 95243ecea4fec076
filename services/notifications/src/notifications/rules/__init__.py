"""Rules that several features need."""
