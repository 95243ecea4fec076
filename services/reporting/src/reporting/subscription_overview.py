"""The overview of subscriptions: one row each, from ``subscription.changed``, as the customers' rows are counted from.

A version replaces a lower one and is dropped otherwise, so replays change nothing.
"""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import select

from chassis.access.projection import follow
from chassis.consumers import Event, Projection
from chassis.consumers.events import Tombstone
from chassis.database.worker import Work
from contracts.licensing.subscriptions import SubscriptionChanged
from reporting.rules.product_use import KEPT, recount
from reporting.tables.subscription_overview import SubscriptionOverview

_TABLE: Final = SubscriptionOverview.metadata.tables[SubscriptionOverview.__tablename__]


async def project(work: Work, events: Sequence[Event[SubscriptionChanged]]) -> None:
    """Let subscriptions be as they are told, and their customers' rows show it."""
    await _ROWS.apply(work, events)
    await recount(work, {event.record.state.customer_id for event in events})


async def forget(work: Work, ended: Sequence[Tombstone]) -> None:
    """Remove subscriptions of which nothing is kept."""
    gone = select(_TABLE.c.customer_id).where(_TABLE.c.id.in_([one.entity_id for one in ended]))
    found = await work.session.execute(gone, execution_options={"across_partners": "a tombstone says which entity ends, not whose it was"})
    customers = set(found.scalars())
    await _ROWS.forget(work, ended)
    await recount(work, customers)


def _row(record: SubscriptionChanged) -> dict[str, Any]:
    state = record.state
    return {
        "partner_id": state.partner_id,
        "id": state.id,
        "customer_id": state.customer_id,
        "offer": state.offer,
        "product": state.product,
        "product_type": state.product_type,
        "kind": "paid" if state.term_start else "trial",
        "status": state.status,
        "seats_used": state.seats_used,
        "seats_bought": state.seats_bought,
        "trial_ends_at": state.trial_ends_at,
        "term_end": state.term_end,
    }


_ROWS: Final = follow(SubscriptionChanged, _TABLE, _row)
PROJECTION: Final = Projection(name="subscription overview", record=SubscriptionChanged, apply=project, forget=forget, keeps=KEPT)
