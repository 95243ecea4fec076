"""Paid terms: a subscription becomes active, its price is pinned, and what is charged in advance is rated.

A line is rated once per subscription, period and reason, whatever runs twice: a unique index
keeps that true, whoever comes second.
"""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from chassis.database import Transaction
from contracts.licensing.billing import BillingLineRated
from contracts.licensing.subscriptions import SubscriptionActivated, SubscriptionFact
from licensing.billing import Line, Reason
from licensing.billing.periods import local_date
from licensing.rules import offers, policies, quotes
from licensing.rules.quotes import Basis, Quote, RatingPolicy
from licensing.tables.lines import BillingLine
from licensing.tables.offers import Offer
from licensing.tables.subscriptions import Subscription


async def quote(tx: Transaction, offer: Offer, quantity: int, zone: ZoneInfo, reason: Reason) -> Quote:
    """What the first paid term would be if it began now.

    Raises:
        NoPriceOfOffer: the offer is for trials only.
    """
    rating = await policies.in_force(tx, RatingPolicy)
    basis = Basis(price=offers.price_of(offer), offer_version=offer.offer_version, rating=rating.policy, rating_version=rating.version)
    return quotes.first_term(basis, quantity, local_date(tx.now, zone), zone, line_id=tx.new_id(), reason=reason)


async def begin(tx: Transaction, subscription: Subscription, offer: Offer, agreed: Quote) -> list[SubscriptionFact]:
    """Make the subscription a paid one as quoted; answers the facts to tell, in order."""
    subscription.status = "active"
    subscription.offer_version = offer.offer_version
    subscription.seats_bought = agreed.quantity
    subscription.term_start, subscription.term_end = agreed.term_start, agreed.term_end
    subscription.currency, subscription.unit_price = agreed.price.currency, agreed.price.unit_price
    subscription.price_period, subscription.charge = agreed.price.period, agreed.price.charge
    tx.session.add(subscription)
    await tx.session.flush()
    tx.session.add_all(_row(tx, subscription, line) for line in agreed.lines)
    activated = SubscriptionActivated(
        offer=subscription.offer,
        offer_version=subscription.offer_version,
        seats=agreed.quantity,
        term_start=agreed.term_start,
        term_end=agreed.term_end,
        auto_renew=subscription.auto_renew,
    )
    return [activated, *(fact(subscription, line) for line in agreed.lines)]


def _row(tx: Transaction, subscription: Subscription, line: Line) -> BillingLine:
    said = fact(subscription, line).model_dump(exclude={"line_id"})
    return BillingLine(
        partner_id=tx.partner_id,
        id=line.id,
        customer_id=subscription.customer_id,
        subscription_id=subscription.id,
        rated_at=tx.now,
        **said,
    )


def fact(subscription: Subscription, line: Line) -> BillingLineRated:
    """A line as it is told, kept and shown: its period in local days."""
    zone = ZoneInfo(subscription.zone)
    return BillingLineRated(
        line_id=line.id,
        reason=line.reason.value,
        product=subscription.product,
        offer=subscription.offer,
        offer_version=subscription.offer_version,
        currency=line.currency,
        unit_price=line.price,
        quantity=line.quantity,
        numerator=line.numerator,
        denominator=line.denominator,
        convention=line.convention.value,
        rounding_order=line.rounding.value,
        unrounded_amount=str(line.unrounded),
        adjustment=line.adjustment,
        amount=line.amount,
        period_from=_day(line.period.starts, zone),
        period_to=_day(line.period.ends, zone),
        policy_versions={one.policy: str(one.version) for one in line.policy_versions},
        corrects=line.corrects,
    )


def _day(moment: date, zone: ZoneInfo) -> date:
    return local_date(moment, zone) if isinstance(moment, datetime) else moment
