"""The rails that every service runs on: database, outbox, relay, consumers, identity, access, HTTP, time.

It knows contracts and no service; no domain word but partner, customer, user, role and permission.
"""
