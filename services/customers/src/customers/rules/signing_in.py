"""Signing in by management type: who gets into a customer's account, and who runs its product (CUS-51 to CUS-53).

Whoever has to know asks here; which verbs the types open to a partner is the capability matrix's to say.
"""


def customer_may(management_type: str | None) -> bool:
    """Whether the customer's own users sign in (CUS-52)."""
    return management_type != "partner_managed"


def partner_may(management_type: str) -> bool:
    """Whether its partner does, with full rights (CUS-51); otherwise it sees entitlements, deployment and how the product works."""
    return management_type != "customer_managed"
