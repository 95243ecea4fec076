"""Customers that licensing serves: held while something begins for them or is told of them, and as operators find them, by id.

For everybody else the request's own level check has decided already whether there is such a customer.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.access.rights import CustomerNotFound
from chassis.database import Read, Transaction
from chassis.due import Retry
from licensing.errors import CustomerMoving, CustomerNotServed
from licensing.tables.customers import served_customers
from licensing.tables.subscriptions import Subscription

_ACROSS: Final = {"across_partners": "products tell of a customer by its id, whosever it is by now"}
_SOON: Final = timedelta(seconds=1)
_KNOWN: Final = "select exists (select from served_customers where id = $1)"


async def hold(tx: Transaction, customer_id: UUID) -> None:
    """Hold a customer as active until the transaction ends; whoever is to delete it waits, and then sees what has begun.

    One that is not known here yet is nobody's to delete.

    Raises:
        CustomerNotServed: it is not active.
        CustomerMoving: it is being moved.
        Retry: it is, and nobody asks.
    """
    status = await _still_here(tx, served_customers.c.id == customer_id)
    if status not in {None, "active"}:
        raise CustomerNotServed(status=status)


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """A customer as it is known here."""

    partner_id: UUID
    id: UUID
    status: str
    management_type: str
    account_type: str
    data_region: str


async def held(session: AsyncSession, customer_id: UUID) -> Served | None:
    """A customer, whosever it is, held until the transaction ends: neither does it change hands meanwhile, nor is it forgotten."""
    row = served_customers.c
    columns = (row.partner_id, row.id, row.status, row.management_type, row.account_type, row.data_region)
    known = select(*columns).where(row.id == customer_id).with_for_update(read=True)
    found = (await session.execute(known, execution_options=_ACROSS)).one_or_none()
    return Served(**found._mapping) if found else None  # noqa: SLF001 (SQLAlchemy's name for a row as a mapping)


async def stay(tx: Transaction, customer_id: UUID) -> None:
    """Hold a customer at its partner until the transaction ends; whoever is to move it waits, and then hears all that was told of it.

    Raises:
        CustomerMoving: it is being moved.
        Retry: it is, and nobody asks.
    """
    await _still_here(tx, served_customers.c.id == customer_id)


async def stay_with(tx: Transaction, subscription_id: UUID) -> None:
    """The same for the customer of a subscription: do so before the subscription is locked, as whoever moves both does."""
    whose: Select[Any] = select(Subscription.customer_id).where(
        Subscription.partner_id == tx.partner_id, Subscription.id == subscription_id
    )
    await _still_here(tx, served_customers.c.id == whose.scalar_subquery())


async def _still_here(tx: Transaction, which: ColumnElement[bool]) -> str | None:
    """How it is known here, None where it is not."""
    row = served_customers.c
    known = select(row.status, row.moving).where(row.partner_id == tx.partner_id, which).with_for_update(read=True)
    found = (await tx.session.execute(known)).one_or_none()
    if found is None:
        return None
    if found.moving and tx.principal is None:
        raise Retry("the customer is being moved", after=_SOON)
    if found.moving:
        raise CustomerMoving
    return str(found.status)


async def newer_known(tx: Transaction, customer_id: UUID, version: int) -> bool:
    """Whether what is known of a customer is newer than this version: then what was told of it before changes nothing."""
    newest = select(served_customers.c.version).where(served_customers.c.id == customer_id)
    known = (await tx.session.execute(newest)).scalar_one_or_none()
    return known is not None and known > version


async def require(read: Read, customer_id: UUID) -> None:
    """Refuse a customer that nobody has, where an operator asks.

    Raises:
        CustomerNotFound: no partner has one of this id.
    """
    if read.principal.kind == "operator" and not await read.connection.fetchval(_KNOWN, customer_id):
        raise CustomerNotFound
