"""Consoles: a partner's user goes to work in a customer's product console, and leaves it (CUS-54, CUS-55, GW-04)."""
