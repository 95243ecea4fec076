"""Rehoming: what a service keeps of a customer goes with it to the partner that manages it now.

A customer changes hands in customers' own table first (an import, an unlinking, a move), and
``customer.changed`` names the new partner. Read models follow by themselves, because a state names its
partner. What else a service keeps is moved by a step of its own, in the transaction of the new partner:
whatever is still kept under another one is moved, so it does not matter which change was seen.
"""

from collections.abc import Collection
from functools import lru_cache
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, CursorResult, Table, TextClause, inspect, select, text, update

from chassis.database.tables import Base
from chassis.database.transaction import Transaction
from chassis.due import DueRow

_ACROSS: Final = {"across_partners": "what is a customer's goes with it, whosever it was"}


async def elsewhere(tx: Transaction, customer_id: UUID, *nouns: type[Base] | Table) -> bool:
    """Whether anything of a customer is kept under another partner than the transaction's. Mostly nothing is, so one statement asks."""
    asked = {"customer_id": customer_id, "partner_id": tx.partner_id}
    return bool((await tx.session.execute(_looking(tuple(map(_table, nouns))), asked, execution_options=_ACROSS)).scalar_one())


@lru_cache
def _looking(tables: tuple[Table, ...]) -> TextClause:
    theirs = "exists (select from {name} where customer_id = :customer_id and partner_id <> :partner_id)"
    return text("select " + " or ".join(theirs.format(name=table.name) for table in tables))


async def rehome(tx: Transaction, customer_id: UUID, *nouns: type[Base] | Table, where: Collection[ColumnElement[bool]] = ()) -> int:
    """Give rows of a customer to the transaction's partner; those that point at them by a key follow. Answers how many."""
    moved = 0
    for noun in nouns:
        table = _table(noun)
        theirs = (table.c.customer_id == customer_id, table.c.partner_id != tx.partner_id, *where)
        done = await tx.session.execute(update(table).where(*theirs).values(partner_id=tx.partner_id), execution_options=_ACROSS)
        moved += done.rowcount if isinstance(done, CursorResult) else 0
    return moved


def _table(noun: type[Base] | Table) -> Any:
    return noun if isinstance(noun, Table) else inspect(noun).local_table


async def rehome_due(tx: Transaction, subjects: Collection[UUID]) -> None:
    """Give work that is planned for these subjects to the transaction's partner.

    Do so before the subjects themselves are locked: whoever has such work in hand at this moment is waited for,
    and looks at its subject under the partner it had.
    """
    if not subjects:
        return
    theirs = (DueRow.subject.in_(subjects), DueRow.partner_id != tx.partner_id)
    in_hand = select(DueRow.id).where(*theirs).order_by(DueRow.id).with_for_update()
    ids = (await tx.session.scalars(in_hand, execution_options=_ACROSS)).all()
    if ids:
        given = update(DueRow).where(DueRow.id.in_(ids)).values(partner_id=tx.partner_id)
        await tx.session.execute(given, execution_options=_ACROSS | {"synchronize_session": False})
