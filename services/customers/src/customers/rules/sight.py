"""Sight: whether whoever asks may see a customer that it did not name, but came upon (CUS-85)."""

from uuid import UUID

from chassis.access.rights import CustomerNotFound, require_level, rights_of
from chassis.database import Transaction


async def require(tx: Transaction, customer_id: UUID) -> None:
    """Go on only with a customer that whoever asks sees; a worker asks for nobody.

    Raises:
        CustomerNotFound: it is not there, or hidden.
    """
    if tx.principal is not None:
        fetchrow = (await tx.driver()).fetchrow
        await require_level(fetchrow, await rights_of(fetchrow, tx.principal), customer_id, write=False)


async def sees(tx: Transaction, customer_id: UUID) -> bool:
    """Whether ``require`` goes on."""
    try:
        await require(tx, customer_id)
    except CustomerNotFound:
        return False
    return True
