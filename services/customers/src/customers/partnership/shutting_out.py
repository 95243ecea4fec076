"""Shutting out: a partner closes itself to those above it, and opens itself again (MKT-05).

While it is closed nobody above acts as it or changes it; the operator does. Nobody but the partner's
own users closes and opens it. Those above are mailed, and see it in the list of partners below.
"""

from dataclasses import dataclass

from chassis.database import Transaction
from chassis.http.etags import Seen
from contracts.customers.partners import PartnerUpdated
from customers.errors.partners import OwnHandsOnly
from customers.rules.holding import hold_partner
from customers.rules.telling import tell_partner
from customers.tables.partners import Partner


@dataclass(frozen=True, slots=True, kw_only=True)
class ShutOut:
    """``closed`` to those above, or open to them."""

    seen: Seen
    closed: bool


async def shut_out(tx: Transaction, command: ShutOut) -> Partner:
    """Close the partner whose transaction it is, or open it. What is so already is told to nobody.

    Raises:
        OwnHandsOnly: whoever asks is no user of the partner.
    """
    if tx.principal is None or tx.principal.partner_id != tx.partner_id:
        raise OwnHandsOnly
    partner = await hold_partner(tx, command.seen)
    if partner.shut_out != command.closed:
        partner.shut_out = command.closed
        partner.shut_out_at = tx.now if command.closed else None
        partner.updated_at = tx.now
        await tx.session.flush()
        tell_partner(tx, partner, PartnerUpdated(fields=["shut_out"]))
    return partner
