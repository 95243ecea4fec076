"""Consequences: what whoever lets a customer go is told before it is done (GW-14, CUS-60, CUS-61, CUS-63)."""

from typing import Final
from uuid import UUID

from chassis.database import Transaction
from chassis.http.confirmations import ConsequenceView, Effect
from customers.rules import policies, products
from customers.rules.offboarding_policy import OffboardingPolicy
from customers.tables.customers import Customer

_SIGNED_OUT: Final = ConsequenceView(code="users_signed_out", detail="Its users are signed out and cannot sign in.")
_NOTHING_NEW: Final = ConsequenceView(code="nothing_new", detail="Nothing new is sold to it until it is enabled again.")
_GOES_ON: Final = ConsequenceView(code="products_go_on", detail="The products that it has go on, and are billed.")
_GONE: Final = ConsequenceView(code="not_yours_any_more", detail="You see and manage the customer no longer; it lives on without you.")
_TAGS: Final = ConsequenceView(code="tags_lost", detail="It loses the tags that you gave it.", irreversible=True)
_NEVER: Final = ConsequenceView(code="not_recoverable", detail="Once deleted, the customer cannot be recovered.", irreversible=True)
_WHEN: Final = {"now": "now", "period_end": "with the period that is paid"}


def of_disabling(customer: Customer) -> Effect:
    return Effect(verb="disable", of=customer.id, version=customer.version, consequences=(_SIGNED_OUT, _NOTHING_NEW, _GOES_ON))


async def of_unlinking(tx: Transaction, customer: Customer) -> Effect:
    """A licence under the partner's own programme is lost: the customer must buy another (CUS-61)."""
    when = _WHEN[(await policies.in_force(tx, OffboardingPolicy)).policy.partner_owned_licences]
    lost = [
        ConsequenceView(
            code="licence_lost",
            detail=f"{one.product} is licensed under your programme and ends {when}; to use it on, the customer must buy it anew.",
            irreversible=True,
        )
        for one in await products.standing(tx, customer.id)
        if one.partner_owned
    ]
    return Effect(verb="unlink", of=customer.id, version=customer.version, consequences=(_GONE, _TAGS, *lost))


def of_moving(customer: Customer, partner_id: UUID) -> Effect:
    detail = f"Partner {partner_id} sees and manages the customer, and nobody of its present partner does any more."
    moved = ConsequenceView(code="moved", detail=detail)
    return Effect(verb="move", of=customer.id, version=customer.version, consequences=(moved, _TAGS))


async def of_deletion(tx: Transaction, customer: Customer) -> Effect:
    retention = (await policies.in_force(tx, OffboardingPolicy)).policy.retention
    if not retention:
        return Effect(verb="delete", of=customer.id, version=customer.version, consequences=(_SIGNED_OUT, _NEVER))
    later = ConsequenceView(
        code="purged_later",
        detail=f"It can be restored for {retention.total_seconds() / 86400:g} days; then all data about it is erased for good.",
        irreversible=True,
    )
    return Effect(verb="delete", of=customer.id, version=customer.version, consequences=(_SIGNED_OUT, later))
