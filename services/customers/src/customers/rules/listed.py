"""Listed: the lists of denied parties in memory, as they stand in the database (CUS-13).

Every look at the lists names the loads that it means, read in its own transaction, so a list
that was loaded anew counts in all processes from the moment it was committed.
"""

import asyncio
from typing import Final

from sqlalchemy import String, cast, func, literal, select
from sqlalchemy.dialects.postgresql import aggregate_order_by

from chassis.database import Transaction
from customers.rules.screening import DeniedParty, Index
from customers.tables.known import ScreeningList, ScreeningName

LOADS: Final = select(func.string_agg(cast(ScreeningList.load_id, String), aggregate_order_by(literal(" "), ScreeningList.list_name)))
"""Which loads are in force, as one text."""

_NAMES: Final = select(
    *(ScreeningName.list_name, ScreeningName.reference, ScreeningName.name, ScreeningName.country),
    *(ScreeningName.weak, ScreeningName.entity_type),
)
_index: Final[dict[str, Index]] = {}
"""By loads; one at a time."""
_building: Final = asyncio.Lock()


async def parties(tx: Transaction, loads: str | None) -> Index:
    """The parties of these loads, ready to be compared with; built by the first who asks, for whom the others wait."""
    name = loads or ""
    if name not in _index:
        async with _building:
            if name not in _index:
                rows = await tx.session.execute(_NAMES) if loads else ()
                built = await asyncio.to_thread(Index, [DeniedParty(*row) for row in rows])
                _index.clear()
                _index[name] = built
    return _index[name]


async def current(tx: Transaction) -> Index:
    """The parties of the loads that are in force now."""
    return await parties(tx, await tx.session.scalar(LOADS))
