"""Denied parties: lists of them are read from files, loaded whole, and every customer is looked at again (CUS-13)."""
