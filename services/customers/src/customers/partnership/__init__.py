"""Partnership: what happens to a partner after it was registered, by itself and by those above it."""
