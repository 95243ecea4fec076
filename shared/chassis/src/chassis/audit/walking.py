"""Walking: chains of any ledger are computed again from what their entries say now.

It finds an entry that was changed, taken out, put in or moved, and an end that is not where it was.
Whoever changes a whole chain from some entry on, and its end, is found by who has kept an earlier
``head``. All is read in one snapshot, so whoever writes meanwhile is no finding.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from sqlalchemy import Executable, RowMapping, text
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.audit.chain import GENESIS, linked

type Head = tuple[int, bytes]
"""The number and the hash of a chain's last entry."""
type Heads = dict[UUID, Head]

PAGE: Final = 2_000
"""How many entries the statement of a ledger answers at once, at most."""

_SNAPSHOT: Final = text("set transaction isolation level repeatable read, read only")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """Chains of one kind, one of each owner.

    ``entries`` takes ``owner`` and ``after``, a number, and answers the next ``PAGE`` with their number
    and hash; ``head`` takes ``owner``. ``faults`` are what else may be wrong with an entry, ``astray``
    with what hangs on a chain.
    """

    owner: str
    said: Sequence[str]
    owners: Executable
    entries: Executable
    head: Executable
    faults: Callable[[RowMapping], Iterator[str]] | None = None
    astray: Callable[[AsyncSession, UUID], Awaitable[Sequence[str]]] | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not as it was recorded: ``number`` is the entry's, where it has one."""

    owner: UUID
    number: int | None
    what: str


@dataclass(slots=True)
class Report:
    """``heads`` say where each chain ends: kept elsewhere, they prove later that it went on from there.

    ``unsealed`` entries have waited for more than a minute to be linked, where that is done afterwards.
    """

    entries: int = 0
    unsealed: int = 0
    heads: Heads = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)


async def walk(session: AsyncSession, ledger: Ledger, *, kept: Mapping[UUID, Head] | None = None) -> Report:
    """Verify every chain of a ledger, first thing in a transaction. ``kept`` are heads that somebody has noted before."""
    await session.execute(_SNAPSHOT)
    report, noted = Report(), kept or {}
    for owner in sorted(await _owners(session, ledger)):
        await _walk_chain(session, ledger, owner, report, noted.get(owner))
    report.findings += [Finding(owner, None, "the whole chain is gone") for owner in noted.keys() - report.heads.keys()]
    return report


async def _owners(session: AsyncSession, ledger: Ledger) -> list[UUID]:
    return [row[0] for row in await session.execute(ledger.owners)]


async def _walk_chain(session: AsyncSession, ledger: Ledger, owner: UUID, report: Report, noted: Head | None) -> None:
    end: Head = 0, GENESIS
    async for entry in _entries(session, ledger, owner):
        report.entries += 1
        report.findings += [Finding(owner, entry["number"], what) for what in _faults(ledger, entry, end, noted)]
        end = entry["number"], entry["hash"]
    report.heads[owner] = end
    head = (await session.execute(ledger.head, {"owner": owner})).one_or_none()
    if head is None or tuple(head) != end:
        report.findings.append(Finding(owner, None, f"ends at {end[0]}, not at {head.number if head else 'any known entry'}"))
    if noted is not None and noted[0] > end[0]:
        report.findings.append(Finding(owner, None, f"ends at {end[0]}, before the entry {noted[0]} that was kept"))
    if ledger.astray is not None:
        report.findings += [Finding(owner, None, what) for what in await ledger.astray(session, owner)]


def _faults(ledger: Ledger, entry: RowMapping, last: Head, noted: Head | None) -> Iterator[str]:
    """What is wrong with an entry that follows the ``last`` one."""
    number, before = last
    if entry["number"] != number + 1:
        yield f"entries {number + 1} to {entry['number'] - 1} before it are missing"
    if linked(before, entry["number"], (entry[name] for name in ledger.said)) != entry["hash"]:
        yield "changed, or the one before it was"
    if ledger.faults is not None:
        yield from ledger.faults(entry)
    if noted is not None and noted[0] == entry["number"] and noted[1] != entry["hash"]:
        yield "not the entry whose hash was kept"


async def _entries(session: AsyncSession, ledger: Ledger, owner: UUID) -> AsyncIterator[RowMapping]:
    after = 0
    while True:
        page = (await session.execute(ledger.entries, {"owner": owner, "after": after})).mappings().all()
        for entry in page:
            yield entry
        if len(page) < PAGE:
            return
        after = page[-1]["number"]
