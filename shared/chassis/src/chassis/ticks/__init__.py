"""Ticks: how a service follows the clock of a sandbox partner that is moved on, so that nothing happens out of order (BEY-11).

Customers tells where the clock stands, every service works off what is due by then and what it
was told, and answers; only when a whole round of answers says that nobody told anything does
customers move the clock to what is due next, in whichever service that is.
"""
