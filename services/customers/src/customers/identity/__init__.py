"""What users change by which they get in: passwords, sessions, second factors, addresses; and what they say of themselves."""
