"""API keys: programs that work for a partner, with roles as its users have, and scopes (MKT-17)."""
