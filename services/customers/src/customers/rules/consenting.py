"""Consenting: a customer is asked, answers, or takes back what it gave (BEY-14).

Whoever changes a consent holds its customer first and the consent second, so of two who answer at
once the second finds it settled. Each change is an entry of the ledger and told, in the same
transaction.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import select

from chassis import due
from chassis.database import Transaction
from contracts.customers.consents import Addressee, ConsentKind, ConsentState
from customers.errors.consents import ConsentNotFound, ConsentRequired, ConsentSettled
from customers.rules import ledger, policies
from customers.rules.asking import BY_REHOMING, Asking, by_caller, contact_of, of_address
from customers.rules.consent_policy import ConsentPolicy
from customers.rules.signing_in import partner_may
from customers.rules.telling import tell_consent
from customers.tables.consents import Consent, ConsentEntry
from customers.tables.customers import Customer

EXPIRE: Final = "consent.expire"


async def ask(tx: Transaction, customer: Customer, asking: Asking, to: Addressee) -> Consent:
    """Ask a customer that is held; what its asker had open of the kind is superseded. It is mailed by whoever hears of it."""
    rules = await policies.in_force(tx, ConsentPolicy)
    await _supersede(tx, customer, asking)
    consent = _consent(tx, customer, asking, state="requested", expires_at=tx.now + rules.policy.request_expires)
    evidence = {**asking.evidence, "policy": rules.version, "address": of_address(consent.id, to.email)}
    await _record(tx, customer, consent, evidence, ask_of=to)
    return consent


async def ask_anew(tx: Transaction, customer: Customer, former_email: str) -> None:
    """Ask the contact that a customer has now what its former one has not answered. An import asks one address only, so it ends."""
    kinds: tuple[ConsentKind, ...] = ("management_change", "console_launch")
    for kind in kinds:
        for earlier in await open_of(tx, customer, kind):
            again = Asking(
                kind=kind,
                scope=earlier.scope,
                partner_id=earlier.asked_by_partner_id,
                user_id=earlier.asked_by,
                evidence=by_caller(tx),
            )
            await plan_expiry(tx, await ask(tx, customer, again, contact_of(customer)))
    for earlier in await open_of(tx, customer, "import"):
        if await mailed_to(tx, earlier.id) == of_address(earlier.id, former_email):
            await settle(tx, customer, earlier, "superseded", evidence=by_caller(tx))


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
    return [one for one in granted if _runs(tx, one)]


async def leave(tx: Transaction, customer: Customer) -> None:
    """End what the partner that a customer leaves has asked for or was granted; what others asked for goes on."""
    for consent in await _living(tx, customer):
        await settle(tx, customer, consent, "superseded", evidence=BY_REHOMING)


async def require(tx: Transaction, customer: Customer, kind: ConsentKind) -> UUID | None:
    """By which consent a customer allows something now; None where its management type is leave enough.

    Raises:
        ConsentRequired: it has not granted it, has taken it back, or has declined it.
    """
    rules = await policies.in_force(tx, ConsentPolicy)
    version = str(rules.version)
    last = await _last_answer(tx, customer, kind)
    if last is not None and last.state != "granted":
        raise ConsentRequired(consent_id=str(last.id), state=last.state, policy_version=version)
    if last is not None and _runs(tx, last):
        return last.id
    if kind == "console_launch" and leave_enough(rules.policy, customer.management_type):
        return None
    raise ConsentRequired(policy_version=version)


def leave_enough(policy: ConsentPolicy, management_type: str) -> bool:
    """Whether a management type lets partners into consoles by itself."""
    return policy.console_launch == "management_type" and partner_may(management_type)


async def refused(tx: Transaction, customer: Customer, kind: ConsentKind) -> bool:
    """Whether the customer's last word on something was no."""
    last = await _last_answer(tx, customer, kind)
    return last is not None and last.state != "granted"


async def mailed_to(tx: Transaction, consent_id: UUID) -> str | None:
    """The hash of the address that was asked."""
    first = select(ConsentEntry.evidence).where(
        ConsentEntry.partner_id == tx.partner_id, ConsentEntry.consent_id == consent_id, ConsentEntry.state == "requested"
    )
    evidence: dict[str, Any] = (await tx.session.scalars(first)).first() or {}
    return evidence.get("address")


async def _last_answer(tx: Transaction, customer: Customer, kind: ConsentKind) -> Consent | None:
    """What it said last to the partner that manages it; what it said to another binds that one alone."""
    answered = select(Consent).where(
        Consent.partner_id == tx.partner_id,
        Consent.customer_id == customer.id,
        Consent.kind == kind,
        Consent.asked_by_partner_id == customer.partner_id,
        Consent.state.in_(("granted", "declined", "revoked")),
    )
    return (await tx.session.scalars(answered.order_by(Consent.settled_at.desc(), Consent.id.desc()).limit(1))).one_or_none()


def _runs(tx: Transaction, granted: Consent) -> bool:
    return granted.expires_at is None or granted.expires_at > tx.now


async def _supersede(tx: Transaction, customer: Customer, asking: Asking) -> None:
    for earlier in await _of(tx, customer, asking.kind, "requested"):
        if earlier.asked_by_partner_id == asking.partner_id:
            await settle(tx, customer, earlier, "superseded", evidence=asking.evidence)


async def _living(tx: Transaction, customer: Customer) -> list[Consent]:
    """What is asked for or granted and would not outlive its partner."""
    living: tuple[tuple[ConsentKind, ConsentState], ...] = (
        ("management_change", "requested"),
        ("console_launch", "requested"),
        ("console_launch", "granted"),
    )
    return [one for kind, state in living for one in await _of(tx, customer, kind, state)]


async def _of(tx: Transaction, customer: Customer, kind: ConsentKind, state: ConsentState) -> list[Consent]:
    theirs = select(Consent).where(
        Consent.partner_id == customer.partner_id, Consent.customer_id == customer.id, Consent.kind == kind, Consent.state == state
    )
    return list(await tx.session.scalars(theirs.order_by(Consent.id).with_for_update().execution_options(populate_existing=True)))


def _consent(tx: Transaction, customer: Customer, asking: Asking, *, state: ConsentState, expires_at: datetime | None) -> Consent:
    return Consent(
        partner_id=customer.partner_id,
        id=asking.consent_id or tx.new_id(),
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
