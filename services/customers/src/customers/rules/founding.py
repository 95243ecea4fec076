"""Founding: a party comes into being with its two roles; the root party and partners alike."""

from dataclasses import dataclass, field
from uuid import UUID

from chassis.database import Transaction
from contracts.customers.partners import PartnerRegistered, SupportInfo
from customers.rules import predefined
from customers.rules.addresses import Address
from customers.rules.names import search_key
from customers.rules.predefined import Predefined
from customers.rules.telling import tell_partner
from customers.tables.partners import Partner
from customers.tables.sandboxes import Sandbox


@dataclass(frozen=True, slots=True, kw_only=True)
class Founding:
    """``ancestors`` are the parties above it, from the root down to its parent; none above the root party.

    A ``sandbox`` is one for good, and so is whoever is founded below it.
    """

    name: str
    country: str
    language: str = "en"
    time_zone: str = "UTC"
    support: SupportInfo = field(default_factory=SupportInfo)
    address: Address | None = None
    ancestors: tuple[UUID, ...] = ()
    sandbox: bool = False


async def found(tx: Transaction, founding: Founding) -> tuple[Partner, Predefined]:
    """Make the party whose transaction this is, and its roles."""
    if founding.sandbox:
        await tx.found_sandbox()
    partner = Partner(
        partner_id=tx.partner_id,
        id=tx.partner_id,
        name=founding.name,
        name_key=search_key(founding.name),
        country=founding.country,
        status="active",
        parent_id=founding.ancestors[-1] if founding.ancestors else None,
        ancestors=[*founding.ancestors],
        sandbox=founding.sandbox,
        ahead_seconds=0.0 if founding.sandbox else None,
        language=founding.language,
        time_zone=founding.time_zone,
        support=founding.support.model_dump(mode="json"),
        address=None if founding.address is None else dict(founding.address),
        registered_at=tx.now,
        updated_at=tx.now,
    )
    tx.session.add(partner)
    await tx.session.flush()
    if founding.sandbox:
        tx.session.add(Sandbox(partner_id=tx.partner_id, id=tx.partner_id))
    tell_partner(tx, partner, PartnerRegistered(parent_id=partner.parent_id, country=partner.country))
    return partner, await predefined.give(tx)
