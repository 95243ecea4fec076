"""Who may be mailed: the communications choice and the management type of a customer, and whether anybody is still there.

Held back means that it is written down and told, with the rule, never silently dropped.
"""

from typing import Final

from contracts.notifications.notifications import RecipientRole
from notifications.tables.customers import Customer
from notifications.tables.users import User

PARTNER_MANAGES: Final = "CUS-58"
"""The partner manages all communications: the customer gets no mail."""
SIGN_IN_BLOCKED: Final = "CUS-52"
"""The partner manages the customer: nobody there signs in, so nobody is sent what signs in."""
CUSTOMER_NOT_ACTIVE: Final = "customer_not_active"
RECIPIENT_GONE: Final = "recipient_gone"
LINK_TAKEN_BACK: Final = "link_taken_back"
"""The link that the mail would carry opens nothing any more: another took its place, or its address was replaced."""
STAGE_CHANGED: Final = "stage_changed"
"""What the mail announces was moved or stopped."""
UPDATE_NOT_REQUIRED: Final = "update_not_required"
"""The update that the mail is about is not required any more (NOT-17)."""


class HeldBack(Exception):
    """A rule keeps a mail from going out."""

    def __init__(self, rule: str) -> None:
        super().__init__(rule)
        self.rule = rule


def about_customer(customer: Customer | None, recipient: RecipientRole) -> str | None:
    """The rule by which a mail about a customer does not go out; None lets it go."""
    if customer is None or customer.status != "active":
        return CUSTOMER_NOT_ACTIVE
    if recipient == "customer" and customer.communications_mode == "partner_only":
        return PARTNER_MANAGES
    return None


def to_sign_in(customer: Customer | None) -> str | None:
    """The rule by which nobody at a customer is sent what signs in; None lets it go."""
    if customer is not None and customer.status == "active" and customer.management_type == "partner_managed":
        return SIGN_IN_BLOCKED
    return about_customer(customer, "customer")


def to_user(user: User | None) -> str | None:
    """The rule by which nobody is mailed who is not there any more; None lets it go."""
    return RECIPIENT_GONE if user is None or user.status == "disabled" else None
