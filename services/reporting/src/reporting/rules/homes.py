"""Homes: whose reports about a customer are believed, and which customers are forgotten.

A partner that ever managed the customer counts, so a report that was right when it was made is right
whenever the topics are read again; the rows it makes belong to whoever manages the customer now.
"""

from collections.abc import Collection, Sequence
from functools import cache
from typing import Any, Final
from uuid import UUID

from sqlalchemy import TextClause, select, text, update

from chassis.consumers import Event
from chassis.database import Transaction
from chassis.database.worker import Work
from chassis.failures import Poison
from reporting.tables.customer_homes import CustomerHome

_SETTLE: Final = """
update {table} t set partner_id = c.partner_id from customer_overview c
 where t.customer_id = any(:customers) and c.id = t.customer_id and t.partner_id <> c.partner_id
"""
_ACROSS: Final = {"across_partners": "whose a customer was is what is looked at"}
_READ_MODELS: Final = ("endpoints", "provisioning_rejections")
_NOTE: Final = text("""
insert into customer_homes (partner_id, id)
select p, c from unnest(cast(:partners as uuid[]), cast(:customers as uuid[])) as u(p, c)
on conflict do nothing
""")


async def note(work: Work, managed: Collection[tuple[UUID, UUID]]) -> None:
    """Partners manage customers, ``(partner, customer)``."""
    partners, customers = zip(*sorted(set(managed)), strict=True)
    await work.session.execute(_NOTE, {"partners": list(partners), "customers": list(customers)}, execution_options=_ACROSS)


async def forget(within: Transaction | Work, customers: Collection[UUID]) -> None:
    """Keep nothing more that is told of these customers; whoever is at one in this moment is waited for."""
    forgotten = update(CustomerHome).where(CustomerHome.id.in_(sorted(customers))).values(forgotten=True)
    await within.session.execute(forgotten, execution_options=_ACROSS)


async def kept[E: Event[Any]](work: Work, events: Sequence[E], *, reported: bool) -> list[E]:
    """Those of ``events`` about customers that are not forgotten.

    Raises:
        Poison: one is ``reported`` of a customer that nobody knows here, or that its partner never had.
    """
    homes = await _of(work, {_customer(event) for event in events})
    for event in events if reported else ():
        known = homes.get(_customer(event))
        if known is None:
            raise Poison(f"customer {event.envelope.customer_id} is not known here")
        if event.envelope.partner_id not in known:
            raise Poison(f"customer {event.envelope.customer_id} was never partner {event.envelope.partner_id}'s")
    return [event for event in events if not any(homes.get(_customer(event), {}).values())]


async def settle(work: Work, customers: Collection[UUID], tables: Sequence[str] = _READ_MODELS) -> None:
    """Give what is kept of these customers to the partners that manage them."""
    for table in tables:
        await work.session.execute(_settling(table), {"customers": sorted(set(customers))}, execution_options=_ACROSS)


@cache
def _settling(table: str) -> TextClause:
    return text(_SETTLE.format(table=table))


async def _of(work: Work, customers: Collection[UUID | None]) -> dict[UUID | None, dict[UUID, bool]]:
    """By customer, its partners, and whether it is forgotten."""
    wanted = [one for one in customers if one is not None]
    rows = select(CustomerHome.id, CustomerHome.partner_id, CustomerHome.forgotten).where(CustomerHome.id.in_(wanted))
    found: dict[UUID | None, dict[UUID, bool]] = {}
    for customer, partner, forgotten in await work.session.execute(rows.with_for_update(read=True), execution_options=_ACROSS):
        found.setdefault(customer, {})[partner] = forgotten
    return found


def _customer(event: Event[Any]) -> UUID | None:
    return event.envelope.customer_id
