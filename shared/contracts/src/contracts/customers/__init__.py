"""What customers tells: partners, users, roles, customers, credentials."""
