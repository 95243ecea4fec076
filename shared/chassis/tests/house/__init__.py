"""A small service of the tests' own: houses, which a partner owns and which have a version."""
