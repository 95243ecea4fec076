"""The ledger of consents, verified: each customer's chain, and each consent against its last entry (BEY-14)."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import RowMapping, Select, Uuid, bindparam, inspect, select, union
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.audit.walking import PAGE, Head, Heads, Ledger, Report, walk
from chassis.database import WorkerDatabase
from chassis.database.tables import Base
from customers.rules.ledger import SAID, TERMS
from customers.tables.consents import Consent, ConsentEntry, ConsentHead

_OVER_ALL: Final = {"across_partners": "a ledger is verified whole, whoever has the customer now"}
_CUSTOMERS: Final = union(select(ConsentEntry.customer_id), select(ConsentHead.id), select(Consent.customer_id)).execution_options(
    **_OVER_ALL
)
_CUSTOMER: Final = bindparam("owner", type_=Uuid())


def _columns(table: type[Base], *names: str) -> Select[Any]:
    return select(*(inspect(table).columns[name] for name in names)).execution_options(**_OVER_ALL)


_ENTRIES: Final = (
    _columns(ConsentEntry, *SAID, "number", "hash")
    .where(ConsentEntry.customer_id == _CUSTOMER, ConsentEntry.number > bindparam("after"))
    .order_by(ConsentEntry.number)
    .limit(PAGE)
)
_HEAD: Final = _columns(ConsentHead, "number", "hash").where(ConsentHead.id == _CUSTOMER)
_CONSENTS: Final = _columns(Consent, "id", *TERMS).where(Consent.customer_id == _CUSTOMER)
_LAST: Final = (
    _columns(ConsentEntry, "consent_id", *TERMS)
    .ext(distinct_on(ConsentEntry.consent_id))
    .where(ConsentEntry.customer_id == _CUSTOMER)
    .order_by(ConsentEntry.consent_id, ConsentEntry.number.desc())
)


async def verify(session: AsyncSession, *, kept: Mapping[UUID, Head] | None = None) -> Report:
    """Verify the chain of every customer, first thing in a transaction. ``kept`` are heads that somebody has noted before."""
    return await walk(session, CONSENTS, kept=kept)


async def verified(database: WorkerDatabase, kept: Heads) -> Report:
    async with database.work() as work:
        return await verify(work.session, kept=kept)


async def _astray(session: AsyncSession, customer: UUID) -> Sequence[str]:
    whose = {"owner": customer}
    stand = {row["id"]: row for row in (await session.execute(_CONSENTS, whose)).mappings()}
    last = {row["consent_id"]: row for row in (await session.execute(_LAST, whose)).mappings()}
    return list(_differing(stand, last))


def _differing(stand: Mapping[UUID, RowMapping], last: Mapping[UUID, RowMapping]) -> Iterator[str]:
    """Consents that do not stand as the ledger says."""
    for consent in sorted(stand.keys() | last.keys()):
        if consent not in last:
            yield f"consent {consent} has no entry"
        elif consent not in stand:
            yield f"consent {consent} is gone"
        elif any(stand[consent][name] != last[consent][name] for name in TERMS):
            yield f"consent {consent} does not stand as its last entry says"


CONSENTS: Final = Ledger(owner="customer", said=SAID, owners=_CUSTOMERS, entries=_ENTRIES, head=_HEAD, astray=_astray)
