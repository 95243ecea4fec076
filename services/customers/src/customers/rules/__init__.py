"""Rules that several features need, each in a module with a name of its own."""
