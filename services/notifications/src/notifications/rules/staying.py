"""Staying: mails to a customer's people wait while it is being moved to another partner, and are then the new one's (MKT-02)."""

from datetime import timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import select

from chassis.database import Transaction
from chassis.due import Retry
from notifications.tables.customers import Customer

_SOON: Final = timedelta(seconds=1)


async def look(tx: Transaction, customer_id: UUID | None) -> None:
    """Go on unless the customer is being moved; whoever is to move it waits for the work that is in hand.

    Raises:
        Retry: it is.
    """
    moving = select(Customer.moving).where(Customer.partner_id == tx.partner_id, Customer.id == customer_id)
    if customer_id is not None and await tx.session.scalar(moving):
        raise Retry("the customer is being moved", after=_SOON)
