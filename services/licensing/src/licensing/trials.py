"""Trials: their end is announced, and at the end they do what their pinned policy says.

*expire* ends the use, *pause* keeps it for a later conversion, *convert* makes it a paid
subscription when the partner could convert it itself and all that the policy requires holds,
and expires otherwise (C-1, C-7): nobody is there to name a product serial number. A due row that
finds no running trial does nothing: whoever converted first has withdrawn it.
"""

from uuid import UUID

from sqlalchemy import select

from chassis.database import Transaction
from chassis.due import DueItem
from chassis.errors import Refusal
from contracts.licensing.offers import TrialPolicy
from contracts.licensing.subscriptions import TrialEnding, TrialExpired, TrialPaused
from licensing.errors import SubscriptionNotFound
from licensing.rules import capabilities, converting
from licensing.rules.telling import tell_subscription
from licensing.tables.customers import eulas, served_customers
from licensing.tables.subscriptions import Subscription


async def announce(tx: Transaction, item: DueItem) -> None:
    """Tell that the end is near; the slot says how near (``P7D``)."""
    subscription = await _running(tx, item.subject)
    if subscription is None or subscription.trial_ends_at is None:
        return
    subscription.last_notice = item.slot
    await tell_subscription(tx, subscription, TrialEnding(ends_at=subscription.trial_ends_at, notice=item.slot))


async def end(tx: Transaction, item: DueItem) -> None:
    """The trial's last day is over (LIC-01: at day 60)."""
    subscription = await _running(tx, item.subject)
    if subscription is None:
        return
    policy = TrialPolicy.model_validate(subscription.trial_policy)
    if policy.end_behavior == "convert" and await _converted(tx, subscription, policy):
        return
    if policy.end_behavior == "pause":
        subscription.status = "paused"
        await tell_subscription(tx, subscription, TrialPaused(paused_at=tx.now))
        return
    subscription.status = "expired"
    await tell_subscription(tx, subscription, TrialExpired(ended_at=tx.now))


async def _running(tx: Transaction, subscription_id: UUID) -> Subscription | None:
    try:
        subscription = await converting.lock(tx, subscription_id)
    except SubscriptionNotFound:
        return None
    return subscription if subscription.status == "trial" else None


async def _converted(tx: Transaction, subscription: Subscription, policy: TrialPolicy) -> bool:
    if not await _requirements_hold(tx, subscription, policy):
        return False
    try:
        await converting.evidence(tx, subscription, None)
        offer, agreed = await converting.quote(tx, subscription, subscription.seats_bought)
    except Refusal:
        return False
    await converting.convert(tx, subscription, offer, agreed)
    return True


async def _requirements_hold(tx: Transaction, subscription: Subscription, policy: TrialPolicy) -> bool:
    customer = select(served_customers.c.status).where(
        served_customers.c.partner_id == tx.partner_id, served_customers.c.id == subscription.customer_id
    )
    if (await tx.session.execute(customer)).scalar_one_or_none() != "active":
        return False
    if "programme_active" in policy.convert_requires and await capabilities.active_programme(tx) is None:
        return False
    return "eula" not in policy.convert_requires or await _accepted_terms(tx, subscription.customer_id)


async def _accepted_terms(tx: Transaction, customer_id: UUID) -> bool:
    accepted = select(eulas.c.id).where(eulas.c.partner_id == tx.partner_id, eulas.c.customer_id == customer_id).limit(1)
    return (await tx.session.execute(accepted)).scalar_one_or_none() is not None
