"""What the audit learns of a request besides what it changes: that it was denied, and that somebody looked in another's name.

Each is written in a transaction of its own: a denial has none that could be kept, and a look is
audited before its answer is made.
"""

import dataclasses
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

from chassis.access.rights import ActingRefused
from chassis.database import ApiDatabase
from chassis.database.audit import Subject
from chassis.errors import Kind, Refusal
from chassis.http import correlation
from chassis.principal import Principal


@asynccontextmanager
async def denials(database: ApiDatabase, principal: Principal, customer: UUID | None) -> AsyncIterator[None]:
    """Audit a refusal of what the principal may not do, with its own partner: nothing is known of its right to act for another."""
    try:
        yield
    except Refusal as refusal:
        if refusal.kind is Kind.FORBIDDEN or isinstance(refusal, ActingRefused):
            itself = dataclasses.replace(principal, acting_as=None)
            await database.note(itself, _meant(principal, customer), correlation=correlation.current(), denied=refusal.code)
        raise


async def look(database: ApiDatabase, principal: Principal, customer: UUID | None) -> None:
    """Audit a read in another partner's name, with both identities."""
    if principal.acting_as not in {None, principal.partner_id}:
        await database.note(principal, _meant(principal, customer), correlation=correlation.current())


def _meant(principal: Principal, customer: UUID | None) -> Subject:
    if customer is not None:
        return Subject(type="customer", id=customer, customer_id=customer)
    return Subject(type="partner", id=principal.acting_as) if principal.acting_as else Subject()
