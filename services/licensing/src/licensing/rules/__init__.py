"""Rules that several features need, each a module with a name of its own."""
