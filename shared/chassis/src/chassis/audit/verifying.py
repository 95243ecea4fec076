"""Verifying the audit: each partner's chain, and the values of its entries against their digests."""

from collections.abc import Iterator, Mapping
from typing import Final
from uuid import UUID

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.audit.chain import SAID
from chassis.audit.walking import PAGE, Head, Ledger, Report, walk
from chassis.database import audit

_PARTNERS: Final = text("select partner_id from audit where number is not null union select partner_id from audit_heads")
_HEAD: Final = text("select number, hash from audit_heads where partner_id = :owner")
_ENTRIES: Final = text(
    f"select {', '.join(f'a.{name}' for name in SAID)}, a.number, a.hash, v.salt, v.before::text as before, v.after::text as after"  # noqa: S608 (constants)
    " from audit a left join audit_values v on v.partner_id = a.partner_id and v.audit_id = a.id"
    f" where a.partner_id = :owner and a.number > :after order by a.number limit {PAGE}"
)
_OPEN: Final = text("select count(*) from audit where number is null and at < now() - interval '1 minute'")


async def verify(session: AsyncSession, *, kept: Mapping[UUID, Head] | None = None) -> Report:
    """Verify every chain of a service, first thing in a transaction. ``kept`` are heads that somebody has noted before."""
    report = await walk(session, AUDIT, kept=kept)
    report.unsealed = (await session.execute(_OPEN)).scalar_one()
    return report


def _faults(entry: RowMapping) -> Iterator[str]:
    if entry["salt"] is not None and audit.digest(entry["salt"], entry["before"], entry["after"]) != entry["digest"]:
        yield "its values are not those recorded"


AUDIT: Final = Ledger(owner="partner", said=SAID, owners=_PARTNERS, entries=_ENTRIES, head=_HEAD, faults=_faults)
