"""Revoking: a partner takes a question back, a customer what it has granted; from then on it allows nothing (BEY-14)."""

from dataclasses import dataclass
from typing import Final, Literal
from uuid import UUID

from chassis.database import Transaction
from chassis.http.etags import Seen
from customers.errors.consents import NothingToRevoke
from customers.rules import asking, capabilities, consenting, outcomes
from customers.rules.actions import REVOKE_CONSENT
from customers.rules.holding import hold
from customers.rules.signing_in import partner_may
from customers.tables.customers import Customer

type Revocable = Literal["management_change", "console_launch"]

_BY_MANAGEMENT_TYPE: Final[Revocable] = "console_launch"


@dataclass(frozen=True, slots=True, kw_only=True)
class Revoke:
    """``seen`` is the version of the customer that the caller has seen."""

    customer_id: UUID
    seen: Seen
    kind: Revocable


async def revoke(tx: Transaction, command: Revoke) -> Customer:
    """End what is asked for of a kind, and leave to launch that was granted, or that the management type gives.

    Raises:
        CustomerNotFound: there is none.
        StatusForbids: it is going, or gone.
        NothingToRevoke: nothing of the kind is asked for or granted.
    """
    customer = await hold(tx, command.customer_id, command.seen)
    await capabilities.require(tx, REVOKE_CONSENT, customer)
    evidence = asking.by_caller(tx)
    ended = await consenting.open_of(tx, customer, command.kind)
    if command.kind == _BY_MANAGEMENT_TYPE:
        ended += await consenting.in_force(tx, customer, command.kind)
    for consent in ended:
        await consenting.settle(tx, customer, consent, "revoked", evidence=evidence)
        await outcomes.follow(tx, customer, consent)
    if not ended:
        await _without_any(tx, customer, command.kind)
    return customer


async def _without_any(tx: Transaction, customer: Customer, kind: Revocable) -> None:
    """What only the management type allows is taken back by an entry of its own."""
    if kind != _BY_MANAGEMENT_TYPE or not partner_may(customer.management_type) or await consenting.refused(tx, customer, kind):
        raise NothingToRevoke(errors=[NothingToRevoke.at("/kind")])
    await outcomes.follow(tx, customer, await consenting.note(tx, customer, asking.asked_by_caller(tx, kind), "revoked"))
