"""Off-boarding: what is kept of a customer goes with it to its new partner, and is forgotten with it when it is purged (C-2).

The audit stays: it says who did what to which id, and no value.
"""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from sqlalchemy import CursorResult, delete, select

from chassis.access import tables
from chassis.consumers import Event, Projection
from chassis.consumers.events import Tombstone
from chassis.database import Transaction
from chassis.database.worker import Work
from chassis.due import Retry
from chassis.erasing import Erasing, Gone
from chassis.releasing import Releasing
from contracts.customers.customers import CustomerChanged
from reporting.rules import homes
from reporting.tables.customer_overview import CustomerOverview
from reporting.tables.endpoints import Endpoint
from reporting.tables.provisioning_rejections import ProvisioningRejection
from reporting.tables.subscription_overview import SubscriptionOverview
from reporting.tables.timeline import Moment

_OVERVIEW: Final = CustomerOverview.metadata.tables[CustomerOverview.__tablename__]
_OF_CUSTOMERS: Final[dict[str, type[Moment | Endpoint | ProvisioningRejection]]] = {
    "moments": Moment,
    "endpoints": Endpoint,
    "rejections": ProvisioningRejection,
}
_ACROSS: Final = {"across_partners": "nothing may be left of a purged customer, whosever it was once"}


async def _follow(work: Work, events: Sequence[Event[CustomerChanged]]) -> None:
    """Every partner counts, also one that managed a customer for no longer than a batch."""
    await homes.note(work, [(event.envelope.partner_id, event.envelope.subject) for event in events])
    await homes.settle(work, [event.envelope.subject for event in events], [Moment.__tablename__])


async def _keep(_: Work, __: Sequence[Tombstone]) -> None:
    """What is left of a customer is forgotten when it is purged."""


async def _forget(tx: Transaction, gone: Gone) -> dict[str, int]:
    left = select(SubscriptionOverview.id).where(SubscriptionOverview.customer_id == gone.customer_id).limit(1)
    if (await tx.session.execute(left, execution_options=_ACROSS)).first() is not None:
        raise Retry("its subscriptions have not ended yet")
    await homes.forget(tx, [gone.customer_id])
    return {name: await _delete(tx, table, gone.customer_id) for name, table in _OF_CUSTOMERS.items()}


async def _delete(tx: Transaction, table: type[Moment | Endpoint | ProvisioningRejection], customer_id: UUID) -> int:
    done = await tx.session.execute(delete(table).where(table.customer_id == customer_id), execution_options=_ACROSS)
    return done.rowcount if isinstance(done, CursorResult) else 0


REHOMING: Final = Projection(name="reporting.rehoming", record=CustomerChanged, apply=_follow, forget=_keep, every=True)
"""Stands behind the overview, which says whose a customer is now."""
ERASING: Final = Erasing(service="reporting", follows=(_OVERVIEW, tables.customers, tables.users), forget=_forget)
RELEASING: Final = Releasing(service="reporting")
HANDLERS: Final = (RELEASING.step(), REHOMING, ERASING.step())
