"""A trial converts once and keeps its id (LIC-11, rule 10)."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.exc import DBAPIError

from chassis.database import Transaction
from chassis.due import DueRow
from chassis.http.etags import Seen, Stale
from chassis_testing.database import as_stranger
from contracts.licensing.billing import BillingLineRated
from contracts.licensing.subscriptions import SubscriptionActivated, SubscriptionChanged, TrialConverted
from licensing import conversions
from licensing.conversions import ConvertTrial, PreviewConversion
from licensing.errors import (
    CapabilityMissing,
    CustomerNotServed,
    NoPriceOfOffer,
    NotATrial,
    OfferWithdrawn,
    QuantityRequired,
    SeatsInUse,
    SerialRequired,
    SubscriptionNotFound,
)
from licensing.tables.customers import served_customers
from licensing.tables.lines import BillingLine
from licensing.tables.subscriptions import Subscription
from licensing_testing.builders import (
    MONTHLY,
    SYMANTEC,
    a_matrix,
    a_programme,
    a_serial,
    a_trial,
    an_offer,
    as_operator,
)


@pytest.fixture
async def trial(tx: Transaction) -> Subscription:
    """A trial of ten seats of a partner in the programme; nothing told yet."""
    await a_programme(tx)
    tx.told.clear()
    return await a_trial(tx)


async def test_converting_keeps_the_id_and_tells_every_fact_once(tx: Transaction, trial: Subscription) -> None:
    """LIC-11, rule 10: same subscription, quantity of the trial, one state."""
    converted = await conversions.convert(tx, ConvertTrial(subscription_id=trial.id))

    assert (converted.id, converted.status, converted.seats_bought) == (trial.id, "active", 10)
    assert [type(one.record) for one in tx.told] == [TrialConverted, SubscriptionActivated, BillingLineRated, SubscriptionChanged]
    assert len({one.about.version for one in tx.told}) == 1


async def test_the_first_whole_period_is_rated_from_today_on(tx: Transaction, trial: Subscription) -> None:
    """The paid period starts at conversion, at local midnight; BEY-06: the line explains itself."""
    converted = await conversions.convert(tx, ConvertTrial(subscription_id=trial.id))

    line = (await tx.session.execute(select(BillingLine))).scalar_one()
    assert (line.reason, line.amount, line.currency) == ("conversion", Decimal("45.00"), "EUR")
    assert (line.quantity, line.unit_price, line.numerator, line.denominator) == (10, Decimal("4.50"), 31, 31)
    assert (line.period_from, line.period_to) == (date(2026, 1, 5), date(2026, 2, 5))
    assert line.policy_versions == {"offer": "1", "rating": "1"}
    assert (converted.term_start, converted.term_end) == (
        datetime(2026, 1, 4, 23, tzinfo=UTC),
        datetime(2026, 2, 4, 23, tzinfo=UTC),
    )


async def test_the_price_of_the_day_is_pinned(tx: Transaction) -> None:
    await a_programme(tx)
    offer = await an_offer(tx)
    trial = await a_trial(tx, offer=offer)
    async with as_operator(tx):
        offer.price, offer.offer_version = {**MONTHLY, "unit_price": "5.00"}, 2

    converted = await conversions.convert(tx, ConvertTrial(subscription_id=trial.id))

    assert (converted.unit_price, converted.offer_version) == (Decimal("5.00"), 2)


async def test_nothing_planned_for_the_trial_is_left(tx: Transaction, trial: Subscription) -> None:
    await conversions.convert(tx, ConvertTrial(subscription_id=trial.id))

    assert (await tx.session.execute(select(DueRow.slot).where(DueRow.subject == trial.id))).all() == []


async def test_a_subscription_converts_once(tx: Transaction, trial: Subscription) -> None:
    """Another call finds no trial, whatever version it has seen."""
    await conversions.convert(tx, ConvertTrial(subscription_id=trial.id))

    with pytest.raises(NotATrial):
        await conversions.convert(tx, ConvertTrial(subscription_id=trial.id, seen=Seen(frozenset({1}))))


async def test_a_paused_trial_can_still_be_converted(tx: Transaction, trial: Subscription) -> None:
    """C-1."""
    trial.status = "paused"

    assert (await conversions.convert(tx, ConvertTrial(subscription_id=trial.id))).status == "active"


async def test_a_plain_reseller_converts_nothing_by_the_shipped_policy(tx: Transaction) -> None:
    """C-7, LIC-06: the text's reading; the refusal names rule and policy version (BEY-04)."""
    trial = await a_trial(tx)

    with pytest.raises(CapabilityMissing) as refused:
        await conversions.convert(tx, ConvertTrial(subscription_id=trial.id))

    assert (refused.value.rule, refused.value.policy_version) == ("C-7", "1")


async def test_a_plain_reseller_converts_by_the_tables_reading(tx: Transaction) -> None:
    """C-7, LIC-06: another version of the policy document is all it takes."""
    await a_matrix(tx, convert_trial="yes")
    trial = await a_trial(tx)

    assert (await conversions.convert(tx, ConvertTrial(subscription_id=trial.id))).status == "active"


async def test_a_product_serial_number_can_be_asked_for(tx: Transaction) -> None:
    """LIC-10: the subscription then carries it."""
    await a_matrix(tx, convert_trial="product_serial")
    offer = await an_offer(tx, product="sep")
    trial = await a_trial(tx, offer=offer)
    code = await a_serial(tx, kind="product", product="sep")

    with pytest.raises(SerialRequired):
        await conversions.convert(tx, ConvertTrial(subscription_id=trial.id))
    converted = await conversions.convert(tx, ConvertTrial(subscription_id=trial.id, serial_number=code))

    assert converted.serial_number == code


async def test_whoever_has_not_seen_the_present_version_converts_nothing(tx: Transaction, trial: Subscription) -> None:
    with pytest.raises(Stale):
        await conversions.convert(tx, ConvertTrial(subscription_id=trial.id, seen=Seen(frozenset({7}))))


async def test_fewer_seats_than_are_in_use_are_refused(tx: Transaction, trial: Subscription) -> None:
    """LIC-14."""
    trial.seats_used = 8

    with pytest.raises(SeatsInUse):
        await conversions.convert(tx, ConvertTrial(subscription_id=trial.id, quantity=7))
    with pytest.raises(QuantityRequired):
        await conversions.convert(tx, ConvertTrial(subscription_id=trial.id, quantity=0))


async def test_an_offer_that_is_not_sold_or_has_no_price_converts_to_nothing(tx: Transaction) -> None:
    await a_programme(tx)
    unsold = await a_trial(tx, offer=await an_offer(tx, status="withdrawn"))
    priceless = await a_trial(tx, offer=await an_offer(tx, price=None))

    with pytest.raises(OfferWithdrawn):
        await conversions.convert(tx, ConvertTrial(subscription_id=unsold.id))
    with pytest.raises(NoPriceOfOffer):
        await conversions.convert(tx, ConvertTrial(subscription_id=priceless.id))


async def test_a_customer_that_is_not_active_converts_nothing(tx: Transaction) -> None:
    await a_programme(tx)
    trial = await a_trial(tx)
    its_own = (served_customers.c.partner_id == tx.partner_id, served_customers.c.id == trial.customer_id)
    await tx.session.execute(update(served_customers).where(*its_own).values(status="disabled"))

    with pytest.raises(CustomerNotServed):
        await conversions.convert(tx, ConvertTrial(subscription_id=trial.id))


async def test_what_is_charged_in_arrears_converts_without_a_line(tx: Transaction) -> None:
    await a_programme(tx)
    tx.told.clear()
    offer = await an_offer(tx, trial=SYMANTEC, price={**MONTHLY, "period": "quarter", "charge": "in_arrears"})
    trial = await a_trial(tx, offer=offer)

    await conversions.convert(tx, ConvertTrial(subscription_id=trial.id))

    assert tx.facts_told == [TrialConverted, SubscriptionActivated]


async def test_another_partners_trial_does_not_exist(tx: Transaction, trial: Subscription) -> None:
    trial_id = trial.id
    async with as_stranger(tx) as stranger:
        with pytest.raises(SubscriptionNotFound):
            await conversions.convert(stranger, ConvertTrial(subscription_id=trial_id))
        with pytest.raises(SubscriptionNotFound):
            await conversions.preview(stranger, PreviewConversion(subscription_id=trial_id))


@pytest.mark.parametrize("statement", ["update billing_lines set amount = 0", "delete from billing_lines"])
async def test_nobody_changes_a_rated_line(tx: Transaction, trial: Subscription, statement: str) -> None:
    """BEY-06, LIC-34: lines are immutable, by the database's own grants."""
    await conversions.convert(tx, ConvertTrial(subscription_id=trial.id))

    with pytest.raises(DBAPIError, match="permission denied"):
        await tx.session.execute(text(statement))
