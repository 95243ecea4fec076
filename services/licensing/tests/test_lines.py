"""Rated lines explain themselves, wherever they are read (BEY-06)."""

from dataclasses import replace
from decimal import Decimal

from sqlalchemy import select

from chassis.database import Transaction
from chassis.http.lists import Listing
from chassis_testing.views import fitted
from contracts.licensing.billing import BillingLineRated
from licensing.billing.lines import priced
from licensing.billing.money import RoundingOrder, Share, worth
from licensing.lines import LineView
from licensing.rules import converting, paid_terms
from licensing.tables.lines import BillingLine
from licensing_testing.builders import a_trial
from licensing_testing.desk import Desk


async def test_a_line_that_takes_over_a_remainder_is_recomputed_from_itself_alone(desk: Desk) -> None:
    """BEY-06: as it is told, as it is kept and as it is read."""

    async def rate(tx: Transaction) -> list[BillingLineRated | BillingLine]:
        subscription = await a_trial(tx)
        await desk.knows(subscription.customer_id)
        offer, agreed = await converting.quote(tx, subscription, 10)
        adjusted = tuple(priced(line, line.amount - Decimal("0.01")) for line in agreed.lines)
        facts = await paid_terms.begin(tx, subscription, offer, replace(agreed, lines=adjusted))
        told = [fact for fact in facts if isinstance(fact, BillingLineRated)]
        return [*told, *(await tx.session.execute(select(BillingLine))).scalars()]

    told, kept = await desk.set_up(rate)
    (read,) = fitted(Listing[LineView], (await desk.get("/v1/lines")).content).items

    for line in (told, kept, read):
        assert (line.adjustment, line.amount) == (Decimal("-0.01"), Decimal("44.99"))
        assert _recomputed(line) == line.amount


def _recomputed(line: BillingLineRated | BillingLine | LineView) -> Decimal:
    share, order = Share(line.numerator, line.denominator), RoundingOrder(line.rounding_order)
    return worth(line.unit_price, line.quantity, share, order=order, currency=line.currency).amount + line.adjustment
