"""Sealing: entries that were committed are numbered and linked, a thousand at a time, by one worker at a time.

An entry that commits late comes later in the chain, and nothing else: its number says when it was
sealed, its time when it was made.
"""

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.audit.chain import GENESIS, SAID, link
from chassis.database.locks import Lock
from chassis.database.worker import WorkerDatabase
from chassis.loops import Periodic

_MOST: Final = 1_000
_EVERY: Final = 1.0

_ALONE: Final = text("select pg_try_advisory_xact_lock(:lock)")
_OPEN: Final = text(f"select {', '.join(SAID)} from audit where number is null order by partner_id, id limit :most")  # noqa: S608 (constants)
_HEADS: Final = text("select partner_id, number, hash from audit_heads where partner_id = any(:partners)")
_SEAL: Final = text("""
update audit set number = link.number, hash = link.hash
  from unnest(cast(:partner_id as uuid[]), cast(:id as uuid[]), cast(:number as bigint[]), cast(:hash as bytea[]))
    as link(partner_id, id, number, hash)
 where audit.partner_id = link.partner_id and audit.id = link.id
""")
_MOVE_HEADS: Final = text("""
insert into audit_heads (partner_id, number, hash)
select * from unnest(cast(:partner_id as uuid[]), cast(:number as bigint[]), cast(:hash as bytea[]))
on conflict (partner_id) do update set number = excluded.number, hash = excluded.hash
""")


class Sealing(Periodic):
    """Seals what is not sealed yet, until it is stopped."""

    def __init__(self, database: WorkerDatabase) -> None:
        super().__init__("audit", _EVERY)
        self._database = database

    async def look(self) -> bool:
        async with self._database.work() as work:
            return await seal(work.session) == _MOST


async def seal(session: AsyncSession, *, most: int = _MOST) -> int:
    """Link the entries that are not linked yet; answers how many. While another worker does it, none."""
    if not await session.scalar(_ALONE, {"lock": Lock.SEALING}):
        return 0
    entries = (await session.execute(_OPEN, {"most": most})).mappings().all()
    if entries:
        await _link(session, entries)
    return len(entries)


async def _link(session: AsyncSession, entries: Sequence[RowMapping]) -> None:
    partners = list(dict.fromkeys(entry["partner_id"] for entry in entries))
    heads: dict[UUID, tuple[int, bytes]] = dict.fromkeys(partners, (0, GENESIS))
    heads |= {row.partner_id: (row.number, row.hash) for row in await session.execute(_HEADS, {"partners": partners})}
    links: dict[str, list[Any]] = {"partner_id": [], "id": [], "number": [], "hash": []}
    for entry in entries:
        partner = entry["partner_id"]
        last, before = heads[partner]
        heads[partner] = last + 1, link(before, last + 1, entry)
        for name, value in zip(links, (partner, entry["id"], *heads[partner]), strict=True):
            links[name].append(value)
    await session.execute(_SEAL, links)
    ends = {"partner_id": partners, "number": [heads[one][0] for one in partners], "hash": [heads[one][1] for one in partners]}
    await session.execute(_MOVE_HEADS, ends)
