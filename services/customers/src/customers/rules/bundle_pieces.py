"""Bundles that wait to be fetched: nothing of a customer that has left its partner, or was purged, is among them."""

from uuid import UUID

from sqlalchemy import delete

from chassis.database import Transaction
from customers.tables.bundles import BundlePiece


async def forget(tx: Transaction, customer_id: UUID) -> None:
    """For workers, whom no policy holds to one partner."""
    kept = delete(BundlePiece).where(BundlePiece.customer_id == customer_id)
    await tx.session.execute(kept, execution_options={"across_partners": "it may have changed hands"})
