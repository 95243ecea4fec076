"""Customers served: what licensing must know of a customer, followed from what customers tells."""

from typing import Any, Final

from sqlalchemy.dialects.postgresql import insert

from chassis.access import projection
from chassis.consumers import Event, Projection
from chassis.database import Transaction
from contracts.customers.customers import CustomerChanged, EulaAccepted
from licensing.tables.customers import eulas, served_customers


def _row(record: CustomerChanged) -> dict[str, Any]:
    """A served customer's row, without its version."""
    state = record.state
    return {
        "partner_id": state.partner_id,
        "id": state.id,
        "status": state.status,
        "management_type": state.management_type,
        "time_zone": state.contact.time_zone,
        "data_region": state.data_region,
        "account_type": state.account_type,
        "moving": state.moving_to is not None,
    }


async def note_eula(tx: Transaction, event: Event[EulaAccepted]) -> None:
    """Remember that the customer accepted the terms: automatic conversion may ask for it (C-1)."""
    accepted = insert(eulas).values(
        partner_id=tx.partner_id,
        id=event.envelope.id,
        customer_id=event.envelope.subject,
        eula_version=event.record.eula_version,
        accepted_at=event.record.accepted_at,
    )
    await tx.session.execute(accepted.on_conflict_do_nothing())


SERVED: Final[Projection[CustomerChanged]] = projection.follow(CustomerChanged, served_customers, _row)
