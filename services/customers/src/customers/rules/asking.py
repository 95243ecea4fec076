"""Asking: what a customer is asked for, by whom, and what the ledger keeps as evidence of who did what (BEY-14)."""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final
from uuid import UUID

from chassis.database import Transaction
from contracts.customers.consents import Addressee, ConsentKind
from customers.tables.customers import Customer

BY_TIME: Final = {"by": "time"}
"""Nobody did anything, and the time for it is over."""
BY_REHOMING: Final = {"by": "rehoming"}
"""Whom it was granted to, or who asked, does not manage the customer any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """What a customer is asked for, and by whom. ``evidence`` says who made the request; ``consent_id`` None means a new one."""

    kind: ConsentKind
    scope: Mapping[str, Any]
    partner_id: UUID
    user_id: UUID | None
    evidence: Mapping[str, Any]
    consent_id: UUID | None = None


def by_caller(tx: Transaction) -> dict[str, Any]:
    """Who asks for this transaction, as evidence."""
    who = tx.principal
    if who is None:
        return {"by": "service"}
    return {"by": "user", "user_id": str(who.user_id), "user_kind": who.kind, "partner_id": str(who.partner_id)}


def asked_by_caller(tx: Transaction, kind: ConsentKind, **scope: Any) -> Asking:
    """What whoever asks for this transaction wants of a customer of its partner."""
    user_id = tx.principal.user_id if tx.principal else None
    return Asking(kind=kind, scope=scope, partner_id=tx.partner_id, user_id=user_id, evidence=by_caller(tx))


def contact_of(customer: Customer) -> Addressee:
    """Whom a customer has named to answer for it (CUS-09)."""
    contact = customer.contact
    return Addressee(company=customer.name, name=contact["name"], email=contact["email"], language=contact["language"])


def of_address(consent_id: UUID, email: str) -> str:
    """What the ledger keeps of the address that was asked: it proves an address that is named, and names none."""
    return sha256(consent_id.bytes + email.lower().encode()).hexdigest()
