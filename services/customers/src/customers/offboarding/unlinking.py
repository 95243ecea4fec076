"""Unlinking: a partner runs a customer no longer, and the customer lives on under the root party (CUS-60, C-2).

It is decided in a request and carried out as a job, because a request's role is held to one partner.
Everything of the customer goes with it, its tags do not, and its owner stays who it was. What was
licensed under the partner's own programme ends as the policy says (CUS-61): licensing does that
when it hears ``customer.unlinked``.
"""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from chassis import jobs
from chassis.database import Transaction
from chassis.http import confirmations
from chassis.http.confirmations import Effect
from chassis.http.etags import Seen
from chassis.jobs import Item, JobKind
from chassis.jobs.tables import Job
from customers.rules import actions, consequences, going
from customers.rules.holding import hold


@dataclass(frozen=True, slots=True, kw_only=True)
class UnlinkCustomer:
    """``seen`` is the version of the customer that the caller has seen, ``confirmation`` that of what was shown to it."""

    customer_id: UUID
    seen: Seen
    confirmation: str | None = None


async def preview(tx: Transaction, customer_id: UUID) -> Effect:
    """What unlinking the customer would do.

    Raises:
        Refusal: unlinking would be refused, for the same reason.
    """
    customer = await hold(tx, customer_id, Seen(None))
    await going.may_leave(tx, customer)
    return await consequences.of_unlinking(tx, customer)


async def unlink(tx: Transaction, command: UnlinkCustomer) -> Job:
    """Begin to give the customer to the root party.

    Raises:
        CustomerNotFound: there is none.
        StatusForbids: it is not active nor disabled.
        StaysHere: it is a sandbox's, or the root party's already.
        ConfirmationNeeded: nobody has confirmed what it does.
    """
    customer = await hold(tx, command.customer_id, command.seen)
    await going.may_leave(tx, customer)
    confirmations.require(command.confirmation, await consequences.of_unlinking(tx, customer))
    return await jobs.start(tx, UNLINK, [command.customer_id])


async def perform(tx: Transaction, item: Item) -> None:
    """Give one customer to the root party, if that may still be done."""
    await going.unlink(tx, await hold(tx, item.id, Seen(None)))


UNLINK: Final = JobKind(name="customers.unlink", perform=perform, permission=actions.UNLINK.permission, customers=True)
