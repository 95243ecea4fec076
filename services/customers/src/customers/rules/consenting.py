"""Consenting: a customer is asked, answers, or takes back what it gave (BEY-14).

Whoever changes a consent holds its customer first and the consent second, so of two who answer at
once the second finds it settled. Each change is an entry of the ledger and told, in the same
transaction.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, Final
from uuid import UUID

from sqlalchemy import select

from chassis import due
from chassis.database import Transaction
from contracts.customers.consents import Addressee, ConsentKind, ConsentState
from customers.errors.consents import ConsentNotFound, ConsentRequired, ConsentSettled
from customers.rules import ledger, policies
from customers.rules.consent_policy import ConsentPolicy
from customers.rules.telling import tell_consent
from customers.tables.consents import Consent, ConsentEntry
from customers.tables.customers import Customer

EXPIRE: Final = "consent.expire"
BY_TIME: Final = {"by": "time"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """What a customer is asked for, and by whom. ``evidence`` says who made the request."""

    kind: ConsentKind
    scope: Mapping[str, Any]
    partner_id: UUID
    user_id: UUID | None
    evidence: Mapping[str, Any]


def by_caller(tx: Transaction) -> dict[str, Any]:
    """Who asks for this transaction, as evidence."""
    who = tx.principal
    if who is None:
        return {"by": "service"}
    return {"by": "user", "user_id": str(who.user_id), "user_kind": who.kind, "partner_id": str(who.partner_id)}


def of_address(consent_id: UUID, email: str) -> str:
    """What the ledger keeps of the address that was asked: it proves an address that is named, and names none."""
    return sha256(consent_id.bytes + email.lower().encode()).hexdigest()


async def ask(tx: Transaction, customer: Customer, asking: Asking, to: Addressee) -> Consent:
    """Ask a customer that is held; what its asker had open of the kind is superseded. It is mailed by whoever hears of it."""
    rules = await policies.in_force(tx, ConsentPolicy)
    await _supersede(tx, customer, asking)
    consent = _consent(tx, customer, asking, state="requested", expires_at=tx.now + rules.policy.request_expires)
    evidence = {**asking.evidence, "policy": rules.version, "address": of_address(consent.id, to.email)}
    await _record(tx, customer, consent, evidence, ask_of=to)
    return consent


async def note(tx: Transaction, customer: Customer, asking: Asking, state: ConsentState) -> Consent:
    """Put into the ledger what holds at once, without a question; it takes the place of what held before."""
    for earlier in await _of(tx, customer, asking.kind, "granted"):
        await settle(tx, customer, earlier, "superseded", evidence=asking.evidence)
    consent = _consent(tx, customer, asking, state=state, expires_at=None)
    await _record(tx, customer, consent, asking.evidence)
    return consent


async def hold(tx: Transaction, consent_id: UUID) -> Consent:
    """A consent, for a change; its customer is held already.

    Raises:
        ConsentNotFound: there is none.
    """
    mine = select(Consent).where(Consent.partner_id == tx.partner_id, Consent.id == consent_id)
    consent = (await tx.session.scalars(mine.with_for_update().execution_options(populate_existing=True))).one_or_none()
    if consent is None:
        raise ConsentNotFound
    return consent


async def require_open(tx: Transaction, consent_id: UUID) -> Consent:
    """As ``hold``, of one that nobody has answered yet and may still be.

    Raises:
        ConsentNotFound: there is none.
        ConsentSettled: it was answered, taken back or came too late.
    """
    consent = await hold(tx, consent_id)
    late = consent.expires_at is not None and consent.expires_at <= tx.now
    if consent.state != "requested" or late:
        raise ConsentSettled(state="expired" if consent.state == "requested" else consent.state)
    return consent


async def settle(
    tx: Transaction,
    customer: Customer,
    consent: Consent,
    state: ConsentState,
    *,
    evidence: Mapping[str, Any],
    until: datetime | None = None,
) -> None:
    """End a request or what was granted. ``until`` is when something granted ends by itself."""
    consent.state = state
    consent.expires_at = until
    consent.settled_at = tx.now
    await due.withdraw(tx, EXPIRE, consent.id)
    if until is not None:
        await plan_expiry(tx, consent)
    await _record(tx, customer, consent, evidence)


async def plan_expiry(tx: Transaction, consent: Consent) -> None:
    """End it by itself when its time has come."""
    if consent.expires_at is not None:
        await due.plan(tx, EXPIRE, consent.id, slot=consent.state, at=consent.expires_at)


async def open_of(tx: Transaction, customer: Customer, kind: ConsentKind) -> list[Consent]:
    """What a customer that is held has not answered yet."""
    return await _of(tx, customer, kind, "requested")


async def in_force(tx: Transaction, customer: Customer, kind: ConsentKind) -> list[Consent]:
    """What a customer that is held has granted and not taken back."""
    granted = await _of(tx, customer, kind, "granted")
    return [one for one in granted if one.expires_at is None or one.expires_at > tx.now]


async def require(tx: Transaction, customer: Customer, kind: ConsentKind) -> UUID | None:
    """By which consent a customer allows something now; None where its management type is leave enough.

    Raises:
        ConsentRequired: it has not granted it, has taken it back, or has declined it.
    """
    rules = await policies.in_force(tx, ConsentPolicy)
    answered = select(Consent).where(
        Consent.partner_id == tx.partner_id,
        Consent.customer_id == customer.id,
        Consent.kind == kind,
        Consent.state.in_(("granted", "declined", "revoked")),
    )
    last = (await tx.session.scalars(answered.order_by(Consent.settled_at.desc(), Consent.id.desc()).limit(1))).one_or_none()
    if last is not None and last.state != "granted":
        raise ConsentRequired(consent_id=str(last.id), state=last.state, policy_version=str(rules.version))
    if last is not None and (last.expires_at is None or last.expires_at > tx.now):
        return last.id
    if kind == "console_launch" and rules.policy.console_launch == "management_type" and customer.management_type != "customer_managed":
        return None
    raise ConsentRequired(policy_version=str(rules.version))


async def mailed_to(tx: Transaction, consent: Consent) -> str | None:
    """The hash of the address that was asked."""
    first = select(ConsentEntry.evidence).where(
        ConsentEntry.partner_id == tx.partner_id, ConsentEntry.consent_id == consent.id, ConsentEntry.state == "requested"
    )
    evidence: dict[str, Any] = (await tx.session.scalars(first)).first() or {}
    return evidence.get("address")


async def _supersede(tx: Transaction, customer: Customer, asking: Asking) -> None:
    for earlier in await _of(tx, customer, asking.kind, "requested"):
        if earlier.asked_by_partner_id == asking.partner_id:
            await settle(tx, customer, earlier, "superseded", evidence=asking.evidence)


async def _of(tx: Transaction, customer: Customer, kind: ConsentKind, state: ConsentState) -> list[Consent]:
    theirs = select(Consent).where(
        Consent.partner_id == customer.partner_id, Consent.customer_id == customer.id, Consent.kind == kind, Consent.state == state
    )
    return list(await tx.session.scalars(theirs.order_by(Consent.id).with_for_update().execution_options(populate_existing=True)))


def _consent(tx: Transaction, customer: Customer, asking: Asking, *, state: ConsentState, expires_at: datetime | None) -> Consent:
    return Consent(
        partner_id=customer.partner_id,
        id=tx.new_id(),
        customer_id=customer.id,
        kind=asking.kind,
        state=state,
        scope=dict(asking.scope),
        asked_by_partner_id=asking.partner_id,
        asked_by=asking.user_id,
        asked_at=tx.now,
        expires_at=expires_at,
        settled_at=None if state == "requested" else tx.now,
    )


async def _record(
    tx: Transaction, customer: Customer, consent: Consent, evidence: Mapping[str, Any], *, ask_of: Addressee | None = None
) -> None:
    tx.session.add(consent)
    await tx.session.flush()
    entry = await ledger.append(tx, consent, evidence)
    tell_consent(tx, customer, consent, entry, ask_of)
