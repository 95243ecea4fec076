"""Off-boarding: what licensing does when a customer is unlinked, deleted or purged (C-2)."""
