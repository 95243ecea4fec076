"""What was mailed to a customer leaves with it, and is mailed to nobody where it is imported (BEY-15)."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from joserfc.jwk import OKPKey
from sqlalchemy import select

from chassis.bundles import archive, portable
from chassis.bundles.archive import Bundle
from chassis.database import DatabaseSettings, Transaction, WorkerDatabase
from chassis.ids import new_id
from chassis.keys import KeySet
from chassis_testing.clock import FixedClock
from notifications.bundles import PORTABLE
from notifications.tables.mails import Mail

KEY = OKPKey.generate_key("Ed25519")


def a_mail(tx: Transaction, customer_id: UUID, **given: Any) -> Mail:
    said: dict[str, Any] = {
        "template": "welcome",
        "recipient": "customer",
        "address": "ada@mueller.example",
        "language": "de",
        "state": "sent",
        "attempts": 1,
        "subject": "Willkommen",
        "created_at": tx.now,
        "settled_at": tx.now,
    }
    ids = {"id": new_id(), "occasion_id": new_id(), "user_id": new_id()}
    mail = Mail(partner_id=tx.partner_id, customer_id=customer_id, **ids, **(said | given))
    tx.session.add(mail)
    return mail


async def bundled(tx: Transaction, customer_id: UUID) -> Bundle:
    made = archive.pack(customer_id, await portable.said(tx, PORTABLE, customer_id), KEY, services=["notifications"], whole=True)
    return await archive.unpack(made, KeySet([KEY]), datetime(2026, 1, 1, tzinfo=UTC), PORTABLE.reader)


async def test_what_was_mailed_to_the_customer_is_the_same_elsewhere_and_the_rest_stays(
    worker_database: WorkerDatabase, another_database: DatabaseSettings, clock: FixedClock
) -> None:
    """BEY-15: no link leaves, no copy to the partner's people, nothing that another partner has asked or that is still to be sent."""
    customer_id, there = new_id(), WorkerDatabase(another_database, clock)
    async with worker_database.work() as work, work.item(new_id()) as tx:
        sent = a_mail(tx, customer_id)
        a_mail(tx, customer_id, recipient="partner", address="grace@hafen.example")
        a_mail(tx, customer_id, state="pending", attempts=0, subject=None, settled_at=None)
        a_mail(tx, customer_id, in_name_of=new_id(), template="consent")
        await tx.session.flush()
        bundle = await bundled(tx, customer_id)

    async with there.work() as work, work.item(new_id()) as tx:
        took = await portable.take_in(tx, PORTABLE, bundle), await portable.take_in(tx, PORTABLE, bundle)
        again = await bundled(tx, customer_id)
        (kept,) = (await tx.session.scalars(select(Mail).where(Mail.partner_id == tx.partner_id))).all()
        told = tx.told
    await there.close()

    assert took == (True, False)
    assert again.manifest.files == bundle.manifest.files
    assert (kept.id, kept.state, kept.occasion_id == sent.occasion_id, told) == (sent.id, "sent", False, [])
    assert str(sent.occasion_id) not in str(bundle.rows)
