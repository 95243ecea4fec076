"""Advice: the best practice that goes with an action, for whoever is about to ask for it."""

from typing import Final

AUTHORISATION: Final = (
    "Tell the customer beforehand that an e-mail is coming which asks it to authorise this. Nothing changes until it confirms by the link"
    " in that mail."
)
"""Of whatever a customer is mailed about to authorise: an import, another management, a launch of its console (CUS-50)."""
