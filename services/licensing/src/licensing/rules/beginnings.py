"""Beginnings: a customer gets a trial or a paid subscription.

Nothing begins for a customer that is not active; ``served.hold`` keeps that true while a customer is
being deleted. The zone is the customer contact's and the trial policy the offer version's; both are pinned
here, so that nothing that changes later moves a running trial. With it come the product's default settings.
"""

from dataclasses import dataclass
from uuid import UUID
from zoneinfo import ZoneInfo

from chassis import due
from chassis.database import Transaction
from contracts.licensing.subscriptions import TrialStarted
from licensing.billing import Reason
from licensing.rules import offers, paid_terms, serials, served, setting, trial_clock
from licensing.rules.orders import Accepted
from licensing.rules.telling import tell_subscription
from licensing.tables.subscriptions import Subscription

TRIAL_END = "trial.end"
TRIAL_NOTICE = "trial.notice"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """Who gets it; ``item`` numbers the product asked for at creation."""

    customer_id: UUID
    zone: ZoneInfo
    data_region: str
    item: int | None = None


async def start_trial(tx: Transaction, subscription_id: UUID, accepted: Accepted, recipient: Recipient) -> Subscription:
    """Start a trial now, and plan its end and the announcements of it (LIC-01, LIC-02)."""
    await served.hold(tx, recipient.customer_id)
    policy = offers.trial_of(accepted.offer)
    ends = trial_clock.ends_at(policy, tx.now, recipient.zone)
    subscription = _new(tx, subscription_id, accepted, recipient)
    subscription.status, subscription.trial_ends_at = "trial", ends
    subscription.trial_policy = policy.model_dump(mode="json")
    tx.session.add(subscription)
    started = TrialStarted(offer=subscription.offer, offer_version=subscription.offer_version, seats=accepted.quantity, ends_at=ends)
    await tell_subscription(tx, subscription, started)
    await due.plan(tx, TRIAL_END, subscription.id, slot="end", at=ends)
    for notice, at in trial_clock.notices(policy, tx.now, ends, recipient.zone):
        await due.plan(tx, TRIAL_NOTICE, subscription.id, slot=notice, at=at)
    await setting.begin(tx, subscription)
    return subscription


async def start_paid(tx: Transaction, subscription_id: UUID, accepted: Accepted, recipient: Recipient) -> Subscription:
    """Start a paid subscription now; charged in advance, its first whole period is rated."""
    await served.hold(tx, recipient.customer_id)
    subscription = _new(tx, subscription_id, accepted, recipient)
    subscription.partner_owned = accepted.serial_number is None
    agreed = await paid_terms.quote(tx, accepted.offer, accepted.quantity, recipient.zone, Reason.FIRST_PERIOD)
    facts = await paid_terms.begin(tx, subscription, accepted.offer, agreed)
    await tell_subscription(tx, subscription, *facts)
    await setting.begin(tx, subscription)
    return subscription


def _new(tx: Transaction, subscription_id: UUID, accepted: Accepted, recipient: Recipient) -> Subscription:
    offer = accepted.offer
    return Subscription(
        partner_id=tx.partner_id,
        id=subscription_id,
        customer_id=recipient.customer_id,
        item=recipient.item,
        serial_number=accepted.serial_number or serials.readable(subscription_id),
        offer=offer.code,
        offer_version=offer.offer_version,
        product=offer.product,
        product_type=offer.product_type,
        seats_bought=accepted.quantity,
        seats_used=0,
        zone=recipient.zone.key,
        data_region=recipient.data_region,
        started_at=tx.now,
        auto_renew=offer.auto_renew_default,
    )
