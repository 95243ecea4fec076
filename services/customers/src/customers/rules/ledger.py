"""The ledger: every change of a consent, linked to the one before it in its customer's chain (BEY-14).

Whoever adds an entry holds the chain's head until the end of the transaction, so numbers have no gap
and nobody adds beside. Consents of one customer change rarely and behind the customer's own lock:
nobody waits here who would not wait there.
"""

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from chassis.audit.chain import GENESIS, linked
from chassis.database import Transaction
from customers.tables.consents import Consent, ConsentEntry, ConsentHead

SAID: Final = (
    "customer_id",
    "id",
    "consent_id",
    "kind",
    "state",
    "scope",
    "asked_by_partner_id",
    "asked_by",
    "asked_at",
    "expires_at",
    "at",
    "evidence",
)
"""Columns of an entry, in the order in which they are hashed."""
TERMS: Final = ("customer_id", "kind", "state", "scope", "asked_by_partner_id", "asked_by", "asked_at", "expires_at")
"""What an entry repeats of its consent: the last one says how that stands."""


async def append(tx: Transaction, consent: Consent, evidence: Mapping[str, Any]) -> ConsentEntry:
    """Put into the ledger how a consent stands now, and who made it so."""
    head = await _head(tx, consent)
    entry = ConsentEntry(
        partner_id=consent.partner_id,
        id=tx.new_id(),
        number=head.number + 1,
        consent_id=consent.id,
        at=tx.real_now,
        evidence=dict(evidence),
        **{name: getattr(consent, name) for name in TERMS},
    )
    entry.hash = linked(head.hash, entry.number, (getattr(entry, name) for name in SAID))
    head.number, head.hash = entry.number, entry.hash
    tx.session.add(entry)
    await tx.session.flush()
    return entry


async def _head(tx: Transaction, consent: Consent) -> ConsentHead:
    whose = {"partner_id": consent.partner_id, "id": consent.customer_id}
    await tx.session.execute(insert(ConsentHead).values(**whose, number=0, hash=GENESIS).on_conflict_do_nothing())
    mine = select(ConsentHead).where(ConsentHead.partner_id == consent.partner_id, ConsentHead.id == consent.customer_id)
    return (await tx.session.scalars(mine.with_for_update().execution_options(populate_existing=True))).one()
