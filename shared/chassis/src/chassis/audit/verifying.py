"""Verifying: every chain is computed again from what its entries say now.

It finds an entry that was changed, taken out, put in or moved, values that are not the ones recorded,
and an end that is not where it was. Whoever changes the whole chain from some entry on, and its end,
is found by who has kept an earlier ``head``.
"""

from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.audit.chain import GENESIS, SAID, link
from chassis.database import audit

type Head = tuple[int, bytes]
"""The number and the hash of a chain's last entry."""

_PAGE: Final = 2_000
_PARTNERS: Final = text("select partner_id from audit where number is not null union select partner_id from audit_heads order by 1")
_HEAD: Final = text("select number, hash from audit_heads where partner_id = :partner")
_ENTRIES: Final = text(
    f"select {', '.join(f'a.{name}' for name in SAID)}, a.number, a.hash, v.salt, v.before::text as before, v.after::text as after"  # noqa: S608 (constants)
    " from audit a left join audit_values v on v.partner_id = a.partner_id and v.audit_id = a.id"
    " where a.partner_id = :partner and a.number > :after order by a.number limit :page"
)
_OPEN: Final = text("select count(*) from audit where number is null and at < now() - interval '1 minute'")


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not as it was recorded: ``number`` is the entry's, where it has one."""

    partner_id: UUID
    number: int | None
    what: str


@dataclass(slots=True)
class Report:
    """``heads`` say where each chain ends: kept elsewhere, they prove later that it went on from there."""

    entries: int = 0
    unsealed: int = 0
    heads: dict[UUID, Head] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)


async def verify(session: AsyncSession, *, kept: Mapping[UUID, Head] | None = None) -> Report:
    """Verify every chain of a service. ``kept`` are heads that somebody has noted before."""
    report = Report(unsealed=(await session.execute(_OPEN)).scalar_one())
    noted = kept or {}
    for partner in [*await session.scalars(_PARTNERS)]:
        await _verify_chain(session, partner, report, noted.get(partner))
    report.findings += [Finding(partner, None, "the whole chain is gone") for partner in noted.keys() - report.heads.keys()]
    return report


async def _verify_chain(session: AsyncSession, partner: UUID, report: Report, noted: Head | None) -> None:
    end: Head = 0, GENESIS
    async for entry in _entries(session, partner):
        report.entries += 1
        report.findings += [Finding(partner, entry["number"], what) for what in _faults(entry, end, noted)]
        end = entry["number"], entry["hash"]
    report.heads[partner] = end
    head = (await session.execute(_HEAD, {"partner": partner})).one_or_none()
    if head is None or tuple(head) != end:
        report.findings.append(Finding(partner, None, f"ends at {end[0]}, not at {head.number if head else 'any known entry'}"))
    if noted is not None and noted[0] > end[0]:
        report.findings.append(Finding(partner, None, f"ends at {end[0]}, before the entry {noted[0]} that was kept"))


def _faults(entry: RowMapping, last: Head, noted: Head | None) -> Iterator[str]:
    """What is wrong with an entry that follows the ``last`` one."""
    number, before = last
    if entry["number"] != number + 1:
        yield f"entries {number + 1} to {entry['number'] - 1} before it are missing"
    if link(before, entry["number"], entry) != entry["hash"]:
        yield "changed, or the one before it was"
    if entry["salt"] is not None and audit.digest(entry["salt"], entry["before"], entry["after"]) != entry["digest"]:
        yield "its values are not those recorded"
    if noted is not None and noted[0] == entry["number"] and noted[1] != entry["hash"]:
        yield "not the entry whose hash was kept"


async def _entries(session: AsyncSession, partner: UUID) -> AsyncIterator[RowMapping]:
    after = 0
    while True:
        page = (await session.execute(_ENTRIES, {"partner": partner, "after": after, "page": _PAGE})).mappings().all()
        for entry in page:
            yield entry
        if len(page) < _PAGE:
            return
        after = page[-1]["number"]
