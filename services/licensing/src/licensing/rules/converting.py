"""Converting: a trial becomes a paid subscription under the same id (LIC-11).

The subscription's row is locked first, so of two that convert at once one finds a trial and
the other does not. What was planned for the trial's end is withdrawn in the same transaction.
"""

from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select

from chassis import due
from chassis.database import Transaction
from contracts.licensing.subscriptions import TrialConverted
from licensing.billing import Reason
from licensing.errors import SubscriptionNotFound
from licensing.rules import capabilities, offers, paid_terms, serials, served
from licensing.rules.beginnings import TRIAL_END, TRIAL_NOTICE
from licensing.rules.quotes import Quote
from licensing.rules.telling import tell_subscription
from licensing.tables.offers import Offer
from licensing.tables.subscriptions import Subscription


async def lock(tx: Transaction, subscription_id: UUID) -> Subscription:
    """The subscription, held until the transaction ends.

    Raises:
        SubscriptionNotFound: there is none of this partner's.
        CustomerMoving: its customer is being moved.
        Retry: it is, and nobody asks.
    """
    await served.stay_with(tx, subscription_id)
    wanted = (
        select(Subscription)
        .where(Subscription.partner_id == tx.partner_id, Subscription.id == subscription_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    found = (await tx.session.execute(wanted)).scalar_one_or_none()
    if found is None:
        raise SubscriptionNotFound
    return found


async def evidence(tx: Transaction, subscription: Subscription, code: str | None) -> str | None:
    """The product serial number that converting rests on, None where the programme is enough.

    Raises:
        CapabilityMissing: the matrix does not let this partner convert (C-7).
        SerialRequired: it does so only with a product serial number, and none was named (LIC-10).
    """
    decision = (await capabilities.of(tx)).require("convert_trial")
    return await serials.evidence(tx, decision, subscription.product, code)


async def quote(tx: Transaction, subscription: Subscription, quantity: int) -> tuple[Offer, Quote]:
    """What converting now would be: the price of the day, the paid period from today on.

    Raises:
        OfferWithdrawn: the offer is no longer sold.
        NoPriceOfOffer: it is for trials only.
    """
    offer = await offers.on_sale(tx, subscription.offer)
    return offer, await paid_terms.quote(tx, offer, quantity, ZoneInfo(subscription.zone), Reason.CONVERSION)


async def convert(tx: Transaction, subscription: Subscription, offer: Offer, agreed: Quote) -> None:
    """Carry out a quote. The trial's pinned policy and planned end stay readable in the row."""
    for kind in (TRIAL_END, TRIAL_NOTICE):
        await due.withdraw(tx, kind, subscription.id)
    subscription.partner_owned = subscription.serial_number == serials.readable(subscription.id)
    facts = await paid_terms.begin(tx, subscription, offer, agreed)
    converted = TrialConverted(
        offer=subscription.offer,
        offer_version=subscription.offer_version,
        seats=agreed.quantity,
        term_start=agreed.term_start,
        term_end=agreed.term_end,
    )
    await tell_subscription(tx, subscription, converted, *facts)
