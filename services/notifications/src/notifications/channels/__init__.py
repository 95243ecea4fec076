"""Channels: the ways out of the platform, each a small adapter that knows nothing of what it carries."""
