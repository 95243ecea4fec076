"""The ledger of consents, verified: every chain is computed again from what its entries say now (BEY-14).

It finds an entry that was changed, taken out, put in or moved, an end that is not where it was, and a
consent that does not stand as the last entry about it says. Whoever changes a whole chain from some
entry on, its end and its consents, is found by who has kept an earlier head.
"""

from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from sqlalchemy import RowMapping, Select, Uuid, bindparam, inspect, select, union
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.audit.chain import GENESIS, linked
from chassis.database.tables import Base
from customers.rules.ledger import SAID, TERMS
from customers.tables.consents import Consent, ConsentEntry, ConsentHead

type Head = tuple[int, bytes]
"""The number and the hash of a chain's last entry."""

_PAGE: Final = 2_000
_OVER_ALL: Final = {"across_partners": "a ledger is verified whole, whoever has the customer now"}
_CUSTOMERS: Final = union(select(ConsentEntry.customer_id), select(ConsentHead.id), select(Consent.customer_id)).execution_options(
    **_OVER_ALL
)
_CUSTOMER: Final = bindparam("customer", type_=Uuid())


def _columns(table: type[Base], *names: str) -> Select[Any]:
    return select(*(inspect(table).columns[name] for name in names)).execution_options(**_OVER_ALL)


_ENTRIES: Final = (
    _columns(ConsentEntry, *SAID, "number", "hash")
    .where(ConsentEntry.customer_id == _CUSTOMER, ConsentEntry.number > bindparam("after"))
    .order_by(ConsentEntry.number)
    .limit(_PAGE)
)
_HEAD: Final = _columns(ConsentHead, "number", "hash").where(ConsentHead.id == _CUSTOMER)
_CONSENTS: Final = _columns(Consent, "id", *TERMS).where(Consent.customer_id == _CUSTOMER)


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not as it was recorded: ``number`` is the entry's, where it has one."""

    customer_id: UUID
    number: int | None
    what: str


@dataclass(slots=True)
class Report:
    """``heads`` say where each chain ends: kept elsewhere, they prove later that it went on from there."""

    entries: int = 0
    heads: dict[UUID, Head] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)


async def verify(session: AsyncSession, *, kept: Mapping[UUID, Head] | None = None) -> Report:
    """Verify the chain of every customer. ``kept`` are heads that somebody has noted before."""
    report = Report()
    noted = kept or {}
    for customer in sorted(await session.scalars(_CUSTOMERS)):
        await _verify_chain(session, customer, report, noted.get(customer))
    report.findings += [Finding(customer, None, "the whole chain is gone") for customer in noted.keys() - report.heads.keys()]
    return report


async def _verify_chain(session: AsyncSession, customer: UUID, report: Report, noted: Head | None) -> None:
    end: Head = 0, GENESIS
    last: dict[UUID, dict[str, Any]] = {}
    async for entry in _entries(session, customer):
        report.entries += 1
        report.findings += [Finding(customer, entry["number"], what) for what in _faults(entry, end, noted)]
        end = entry["number"], entry["hash"]
        last[entry["consent_id"]] = {name: entry[name] for name in TERMS}
    report.heads[customer] = end
    head = (await session.execute(_HEAD, {"customer": customer})).one_or_none()
    if head is None or tuple(head) != end:
        report.findings.append(Finding(customer, None, f"ends at {end[0]}, not at {head.number if head else 'any known entry'}"))
    if noted is not None and noted[0] > end[0]:
        report.findings.append(Finding(customer, None, f"ends at {end[0]}, before the entry {noted[0]} that was kept"))
    stand = {row["id"]: row for row in (await session.execute(_CONSENTS, {"customer": customer})).mappings()}
    report.findings += [Finding(customer, None, what) for what in _astray(stand, last)]


def _faults(entry: RowMapping, last: Head, noted: Head | None) -> Iterator[str]:
    """What is wrong with an entry that follows the ``last`` one."""
    number, before = last
    if entry["number"] != number + 1:
        yield f"entries {number + 1} to {entry['number'] - 1} before it are missing"
    if linked(before, entry["number"], (entry[name] for name in SAID)) != entry["hash"]:
        yield "changed, or the one before it was"
    if noted is not None and noted[0] == entry["number"] and noted[1] != entry["hash"]:
        yield "not the entry whose hash was kept"


def _astray(stand: Mapping[UUID, RowMapping], last: Mapping[UUID, dict[str, Any]]) -> Iterator[str]:
    """Consents that do not stand as the ledger says."""
    for consent in sorted(stand.keys() | last.keys()):
        if consent not in last:
            yield f"consent {consent} has no entry"
        elif consent not in stand:
            yield f"consent {consent} is gone"
        elif any(stand[consent][name] != said for name, said in last[consent].items()):
            yield f"consent {consent} does not stand as its last entry says"


async def _entries(session: AsyncSession, customer: UUID) -> AsyncIterator[RowMapping]:
    after = 0
    while True:
        page = (await session.execute(_ENTRIES, {"customer": customer, "after": after})).mappings().all()
        for entry in page:
            yield entry
        if len(page) < _PAGE:
            return
        after = page[-1]["number"]
