"""What licensing says of a customer in its bundle: subscriptions, what became of products asked for, rated lines, accepted terms (BEY-15).

Imported, everything is as it was: ids, versions, pinned policies and planned ends. Nothing is given and nothing is rated
anew; subscriptions are told as states, and lines not at all, because whoever bills has them from where they were rated.
"""

from datetime import date, datetime
from decimal import Decimal
from typing import Final, Literal, cast
from uuid import UUID
from zoneinfo import ZoneInfo

from pydantic import JsonValue
from sqlalchemy import select

from chassis import due
from chassis.bundles import Bundle, Noun, Portable
from chassis.database import Transaction
from contracts.licensing.offers import TrialPolicy
from contracts.licensing.subscriptions import SubscriptionStatus
from contracts.records import Part
from licensing.rules import cancelling, trial_clock
from licensing.rules.beginnings import TRIAL_END, TRIAL_NOTICE
from licensing.rules.telling import tell_subscription
from licensing.tables.customers import eulas
from licensing.tables.lines import BillingLine
from licensing.tables.provisionings import Provisioning
from licensing.tables.subscription_moments import SubscriptionMoment
from licensing.tables.subscriptions import Subscription

_ENDED: Final = "imported"
type Document = dict[str, JsonValue]


class SubscriptionRow(Part):
    id: UUID
    version: int
    item: int | None
    serial_number: str
    offer: str
    offer_version: int
    product: str
    product_type: str
    status: SubscriptionStatus
    seats_bought: int
    seats_used: int
    zone: str
    data_region: str
    started_at: datetime
    trial_policy: Document | None
    trial_ends_at: datetime | None
    last_notice: str | None
    term_start: datetime | None
    term_end: datetime | None
    auto_renew: bool
    currency: str | None
    unit_price: Decimal | None
    price_period: str | None
    charge: str | None
    partner_owned: bool


class MomentRow(Part):
    """How a subscription stood from ``at`` on."""

    id: UUID
    version: int
    at: datetime
    serial_number: str
    offer: str
    product: str
    product_type: str
    status: SubscriptionStatus
    seats_bought: int
    seats_used: int
    zone: str
    started_at: datetime
    trial_ends_at: datetime | None
    term_start: datetime | None
    term_end: datetime | None
    auto_renew: bool


class ProvisioningRow(Part):
    id: UUID
    item: int
    offer: str
    kind: Literal["trial", "paid"]
    quantity: int | None
    outcome: Literal["given", "rejected"]
    subscription_id: UUID | None
    code: str | None
    rule: str | None
    policy_version: str | None
    remedy: str | None
    decided_at: datetime


class LineRow(Part):
    id: UUID
    subscription_id: UUID
    reason: str
    product: str
    offer: str
    offer_version: int
    currency: str
    unit_price: Decimal
    quantity: Decimal
    numerator: int
    denominator: int
    convention: str
    rounding_order: str
    unrounded_amount: str
    adjustment: Decimal
    amount: Decimal
    period_from: date
    period_to: date
    policy_versions: Document
    corrects: UUID | None
    rated_at: datetime


class TermsRow(Part):
    id: UUID
    eula_version: str
    accepted_at: datetime


SUBSCRIPTIONS: Final = Noun(
    file="licensing/subscriptions.jsonl", row=SubscriptionRow, table=Subscription, only=lambda kept: [kept["forgotten_at"].is_(None)]
)
_NOUNS: Final = (
    SUBSCRIPTIONS,
    Noun(file="licensing/subscription_moments.jsonl", row=MomentRow, table=SubscriptionMoment, order=("id", "version")),
    Noun(file="licensing/provisionings.jsonl", row=ProvisioningRow, table=Provisioning),
    Noun(file="licensing/lines.jsonl", row=LineRow, table=BillingLine),
    Noun(file="licensing/terms.jsonl", row=TermsRow, table=eulas),
)


async def _settle(tx: Transaction, bundle: Bundle) -> None:
    """Tell the subscriptions as they are, and plan what is still to come of each."""
    rows = cast("list[SubscriptionRow]", bundle.rows[SUBSCRIPTIONS.file])
    mine = select(Subscription).where(Subscription.partner_id == tx.partner_id, Subscription.id.in_([one.id for one in rows]))
    for subscription in await tx.session.scalars(mine.order_by(Subscription.id)):
        await tell_subscription(tx, subscription)
        if subscription.status == "trial":
            await _plan_trial(tx, subscription)
        elif subscription.status == "cancelling" and subscription.term_end is not None:
            at = max(subscription.term_end, tx.now)
            await due.plan(tx, cancelling.END, subscription.id, slot="end", at=at, payload={"reason": _ENDED})


async def _plan_trial(tx: Transaction, subscription: Subscription) -> None:
    """Its end, and what of its announcements is still ahead."""
    ends = subscription.trial_ends_at
    if ends is None:
        return
    policy = TrialPolicy.model_validate(subscription.trial_policy)
    await due.plan(tx, TRIAL_END, subscription.id, slot="end", at=max(ends, tx.now))
    for notice, at in trial_clock.notices(policy, subscription.started_at, ends, ZoneInfo(subscription.zone)):
        if at > tx.now:
            await due.plan(tx, TRIAL_NOTICE, subscription.id, slot=notice, at=at)


PORTABLE: Final = Portable(service="licensing", nouns=_NOUNS, settle=_settle)
