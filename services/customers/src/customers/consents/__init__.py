"""Consents: what customers are asked for, how they answer, and what follows (BEY-14)."""
