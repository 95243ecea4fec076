"""Off-boarding: a customer's timeline goes with it to its new partner, and is forgotten with it when it is purged (C-2).

The audit stays: it says who did what to which id, and no value.
"""

from typing import Final

from sqlalchemy import CursorResult, delete, select

from chassis.access import tables
from chassis.consumers import Event, Step
from chassis.database import Transaction
from chassis.due import Retry
from chassis.erasing import Erasing, Gone
from chassis.rehoming import rehome
from contracts.customers.customers import CustomerChanged
from reporting.tables.customer_overview import CustomerOverview
from reporting.tables.subscription_overview import SubscriptionOverview
from reporting.tables.timeline import Moment

_OVERVIEW: Final = CustomerOverview.metadata.tables[CustomerOverview.__tablename__]
_ACROSS: Final = {"across_partners": "nothing may be left of a purged customer, whosever it was once"}


async def _follow(tx: Transaction, event: Event[CustomerChanged]) -> None:
    await rehome(tx, event.envelope.subject, Moment)


async def _forget(tx: Transaction, gone: Gone) -> dict[str, int]:
    left = select(SubscriptionOverview.id).where(SubscriptionOverview.customer_id == gone.customer_id).limit(1)
    if (await tx.session.execute(left, execution_options=_ACROSS)).first() is not None:
        raise Retry("its subscriptions have not ended yet")
    moments = delete(Moment).where(Moment.customer_id == gone.customer_id)
    done = await tx.session.execute(moments, execution_options=_ACROSS)
    return {"moments": done.rowcount if isinstance(done, CursorResult) else 0}


REHOMING: Final = Step(name="reporting.rehoming", record=CustomerChanged, handle=_follow)
ERASING: Final = Erasing(service="reporting", follows=(_OVERVIEW, tables.customers, tables.users), forget=_forget)
STEPS: Final = (REHOMING, ERASING.step())
