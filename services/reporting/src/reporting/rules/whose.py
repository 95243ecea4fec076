"""Whose: which partner has a customer, as far as reporting has heard; what is told of it late, by whoever had it before, goes there too."""

from typing import Final
from uuid import UUID

from sqlalchemy import select

from chassis.database import Transaction
from reporting.tables.customer_overview import CustomerOverview

_ACROSS: Final = {"across_partners": "it may have changed hands meanwhile"}


async def partner_of(tx: Transaction, customer_id: UUID | None) -> UUID:
    """The partner that has the customer now; whose it was when the fact was told, where the customer is not known yet."""
    whose = select(CustomerOverview.partner_id).where(CustomerOverview.id == customer_id)
    return await tx.session.scalar(whose, execution_options=_ACROSS) or tx.partner_id
