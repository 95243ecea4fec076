"""Looking into the audit, and tampering with it as only the owner of its tables can."""

from collections.abc import Sequence
from typing import Any

from chassis.audit import sealing, verifying
from chassis.audit.walking import Report
from chassis.database import WorkerDatabase
from house.consuming import as_owner


async def entries(database: WorkerDatabase, **where: Any) -> list[dict[str, Any]]:
    """Entries of the audit with their values, in the order in which they were made."""
    conditions = " and ".join(f"a.{name} = ${number}" for number, name in enumerate(where, 1)) or "true"
    async with database.direct() as connection:
        rows = await connection.fetch(
            "select a.*, v.before::text as before, v.after::text as after from audit a"  # noqa: S608 (names of columns)
            f" left join audit_values v on v.partner_id = a.partner_id and v.audit_id = a.id where {conditions} order by a.id",
            *where.values(),
        )
    return [dict(row) for row in rows]


async def sealed(database: WorkerDatabase) -> int:
    """Seal everything; how many entries that were."""
    total = 0
    while True:
        async with database.work() as work:
            now = await sealing.seal(work.session)
        total += now
        if not now:
            return total


async def verified(database: WorkerDatabase, kept: Any = None) -> Report:
    async with database.work() as work:
        return await verifying.verify(work.session, kept=kept)


async def tamper(database: WorkerDatabase, statements: Sequence[str]) -> None:
    await as_owner(database.settings, *statements)
