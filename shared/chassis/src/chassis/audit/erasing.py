"""Erasing the values that the audit keeps of a person; that somebody changed them, and when, stays and stays proved."""

from typing import Final
from uuid import UUID

from sqlalchemy import CursorResult, text
from sqlalchemy.ext.asyncio import AsyncSession

_ERASE: Final = text("""
delete from audit_values v using audit a
 where a.partner_id = v.partner_id and a.id = v.audit_id and (a.customer_id = :whom or a.subject_id = :whom)
""")


async def erase_values(session: AsyncSession, whom: UUID) -> int:
    """Forget the values, before and after, of all that was done to a customer or a user; answers of how many entries."""
    gone = await session.execute(_ERASE, {"whom": whom})
    return gone.rowcount if isinstance(gone, CursorResult) else 0
