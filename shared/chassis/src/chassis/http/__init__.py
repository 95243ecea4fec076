"""HTTP: what an answer looks like, what is refused at the door, and how a change is claimed once.

Features know refusals, sorts and texts; only routes and ``app`` know FastAPI.
"""
