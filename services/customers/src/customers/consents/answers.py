"""Answers: a customer confirms or declines what it was asked (CUS-43, CUS-48, BEY-14).

Either its contact does, by the link that was mailed, or somebody who is signed in for it. The customer is
held first, so of many answers at once, and of an answer and the end of its time, one counts.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import text

from chassis.database import ApiDatabase, Transaction
from chassis.http.etags import Seen
from chassis.http.views import View
from chassis.links import read_link_token
from chassis.principal import Principal
from contracts.customers.consents import ConsentKind, ConsentState
from contracts.customers.customers import ManagementType
from customers.errors import CustomerNotServed, LinkInvalid
from customers.errors.consents import ConsentNotFound, LoginTemporary, MacsInTheWay
from customers.rules import consenting, outcomes, policies
from customers.rules.actions import RUNNING
from customers.rules.consent_policy import ConsentPolicy
from customers.rules.holding import hold
from customers.rules.keyring import Keyring
from customers.tables.consents import Consent
from customers.tables.customers import Customer

_ANY: Final = Seen(None)
_FIND: Final = text("select * from door.find_consent(:consent)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """``evidence`` says who gives it. ``no_macs``: the customer says that there is no Mac left in its account (CUS-47)."""

    customer_id: UUID
    consent_id: UUID
    evidence: Mapping[str, Any]
    no_macs: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """Who holds a link: no user, but a principal for the one answer, which the audit knows by the consent's id."""

    consent_id: UUID
    customer_id: UUID
    company: str
    partner: str
    principal: Principal


class AskedView(View, frozen=True, kw_only=True):
    """What a customer is asked, for whoever has the mailed link. `management_type` is what it would be managed as from then on.

    Where `asks_about_macs`, it is confirmed only by who says `no_macs`, or has allowed unmanaged Macs (CUS-47).
    """

    kind: ConsentKind
    state: ConsentState
    company: str
    partner: str
    management_type: ManagementType | None
    asks_about_macs: bool
    asked_at: datetime
    expires_at: datetime | None


async def confirm(tx: Transaction, answer: Answer, seen: Seen = _ANY) -> Consent:
    """Say yes to what was asked, and let follow what follows.

    Raises:
        CustomerNotFound: it is somebody else's by now.
        ConsentNotFound: nothing like it was asked.
        ConsentSettled: it was answered, taken back, or its time is over.
        CustomerNotServed: it is going, or gone.
        LoginTemporary: whoever gave the first address may hold it.
        MacsInTheWay: an import, of an account that may have Macs that nobody manages.
    """
    customer, consent = await _open(tx, answer, seen)
    if customer.status not in RUNNING:
        raise CustomerNotServed(status=customer.status)
    if customer.first_admin["temporary"] and tx.caller == UUID(customer.first_admin["user_id"]):
        raise LoginTemporary
    evidence = dict(answer.evidence)
    if consent.kind == "import":
        evidence |= _macs(customer, answer)
    until = None
    if consent.kind == "console_launch":
        until = tx.now + (await policies.in_force(tx, ConsentPolicy)).policy.console_launch_lasts
    await consenting.settle(tx, customer, consent, "granted", evidence=evidence, until=until)
    await outcomes.follow(tx, customer, consent)
    return consent


async def decline(tx: Transaction, answer: Answer, seen: Seen = _ANY) -> Consent:
    """Say no to what was asked: everything stays as it is.

    Raises:
        CustomerNotFound: it is somebody else's by now.
        ConsentNotFound: nothing like it was asked.
        ConsentSettled: it was answered, taken back, or its time is over.
    """
    customer, consent = await _open(tx, answer, seen)
    await consenting.settle(tx, customer, consent, "declined", evidence=answer.evidence)
    await outcomes.follow(tx, customer, consent)
    return consent


async def _open(tx: Transaction, answer: Answer, seen: Seen) -> tuple[Customer, Consent]:
    customer = await hold(tx, answer.customer_id, _ANY)
    consent = await consenting.require_open(tx, answer.consent_id)
    if consent.customer_id != customer.id:
        raise ConsentNotFound
    seen.admit(consent.version)
    return customer, consent


def _macs(customer: Customer, answer: Answer) -> dict[str, bool]:
    """CUS-47."""
    if not customer.unmanaged_macs_allowed and not answer.no_macs:
        raise MacsInTheWay(errors=[MacsInTheWay.at("/no_macs")])
    return {"unmanaged_macs_allowed": customer.unmanaged_macs_allowed, "no_macs": answer.no_macs}


async def of_holder(tx: Transaction, holder: Holder, *, no_macs: bool = False) -> Answer:
    """The answer of who has the link; the ledger keeps the address that it was mailed to, as a hash."""
    address = await consenting.mailed_to(tx, holder.consent_id)
    evidence = {"by": "link", "link": str(holder.consent_id), "address": address}
    return Answer(customer_id=holder.customer_id, consent_id=holder.consent_id, evidence=evidence, no_macs=no_macs)


async def asked(tx: Transaction, holder: Holder) -> AskedView:
    """What is asked by a link.

    Raises:
        ConsentNotFound: it went with its customer.
    """
    consent = await tx.session.get(Consent, (tx.partner_id, holder.consent_id))
    if consent is None:
        raise ConsentNotFound
    customer = await tx.session.get_one(Customer, (tx.partner_id, consent.customer_id))
    late = consent.state == "requested" and consent.expires_at is not None and consent.expires_at <= tx.now
    said = {"state": "expired" if late else consent.state, "management_type": consent.scope.get("management_type")}
    said["asks_about_macs"] = consent.kind == "import" and not customer.unmanaged_macs_allowed
    return AskedView.of_entity(consent, company=holder.company, partner=holder.partner, **said)


async def let_in(database: ApiDatabase, keyring: Keyring, token: str) -> Holder:
    """Who a link's token lets in to answer this one question.

    Raises:
        LinkInvalid: the token was not made by us, or what was asked is gone.
    """
    consent_id = read_link_token(keyring.link_key, token)
    if consent_id is None:
        raise LinkInvalid
    async with database.at_the_door() as door:
        found = (await door.execute(_FIND, {"consent": consent_id})).one_or_none()
    if found is None:
        raise LinkInvalid
    principal = Principal(kind="service", user_id=consent_id, partner_id=found.partner_id, gen=1)
    return Holder(
        consent_id=consent_id, customer_id=found.customer_id, company=found.company, partner=found.asked_by_name, principal=principal
    )
