"""Erasing: what licensing keeps of a purged customer (C-2).

Rated lines are kept, and the subscriptions that they point at: they carry ids and amounts, and name
nobody. A subscription ends in its topic all the same, and is shown no more.
"""

from typing import Final

from sqlalchemy import CursorResult, Delete, delete, select

from chassis.access import tables
from chassis.database import Transaction
from chassis.due import DueRow
from chassis.erasing import Erasing, Gone
from licensing.rules.telling import end_subscription
from licensing.tables.customers import eulas, served_customers
from licensing.tables.firmware import Appliance, FirmwareUpdate
from licensing.tables.previews import Preview
from licensing.tables.product_settings import PolicyDeployment, ProductSettings
from licensing.tables.provisionings import Provisioning
from licensing.tables.subscription_moments import SubscriptionMoment
from licensing.tables.subscriptions import Subscription

type _Own = ProductSettings | PolicyDeployment | Appliance | FirmwareUpdate

_ACROSS: Final = {"across_partners": "nothing may be left of a purged customer, whosever it was once"}


async def _forget(tx: Transaction, gone: Gone) -> dict[str, int]:
    its_own = select(Subscription.id).where(Subscription.customer_id == gone.customer_id)
    return {
        "eulas": await _deleted(tx, delete(eulas).where(eulas.c.customer_id == gone.customer_id)),
        "previews": await _deleted(tx, delete(Preview).where(Preview.subscription_id.in_(its_own))),
        "provisionings": await _deleted(tx, delete(Provisioning).where(Provisioning.customer_id == gone.customer_id)),
        "subscription_moments": await _deleted(tx, delete(SubscriptionMoment).where(SubscriptionMoment.customer_id == gone.customer_id)),
        "subscriptions": await _end_subscriptions(tx, gone),
        **await _forget_settings(tx, gone),
    }


async def _forget_settings(tx: Transaction, gone: Gone) -> dict[str, int]:
    """What its products were set to, what was on its way to them, and the work that waits for an answer."""
    deployments = select(PolicyDeployment.id).where(PolicyDeployment.customer_id == gone.customer_id)
    await _deleted(tx, delete(DueRow).where(DueRow.subject.in_(deployments)))
    nouns: tuple[type[_Own], ...] = (ProductSettings, PolicyDeployment, Appliance, FirmwareUpdate)
    return {one.__tablename__: await _deleted(tx, delete(one).where(one.customer_id == gone.customer_id)) for one in nouns}


async def _deleted(tx: Transaction, statement: Delete) -> int:
    done = await tx.session.execute(statement, execution_options=_ACROSS | {"synchronize_session": False})
    return done.rowcount if isinstance(done, CursorResult) else 0


async def _end_subscriptions(tx: Transaction, gone: Gone) -> int:
    left = select(Subscription).where(Subscription.customer_id == gone.customer_id, Subscription.forgotten_at.is_(None)).with_for_update()
    subscriptions = (await tx.session.scalars(left.order_by(Subscription.id), execution_options=_ACROSS)).all()
    for one in subscriptions:
        one.forgotten_at = tx.now
        if one.partner_id == tx.partner_id:
            await end_subscription(tx, one)
        else:
            async with tx.beside(one.partner_id) as its_partner:
                await end_subscription(its_partner, one)
    return len(subscriptions)


ERASING: Final = Erasing(service="licensing", follows=(served_customers, tables.customers, tables.users), forget=_forget)
