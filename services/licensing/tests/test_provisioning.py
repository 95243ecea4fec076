"""An active customer is given what was asked for, once per item; what may not be given is told with its rule (CUS-15, LIC-05)."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from chassis.database import Transaction
from chassis.ids import new_id
from chassis_testing.database import reading
from contracts.customers.customers import CustomerStatus
from contracts.licensing.billing import BillingLineRated
from contracts.licensing.provisioning import ProvisioningRejected
from contracts.licensing.subscriptions import SubscriptionActivated, TrialStarted
from licensing import provisioning
from licensing.tables.customers import served_customers
from licensing.tables.provisionings import Provisioning
from licensing.tables.subscriptions import Subscription
from licensing_testing.builders import (
    MONTHLY,
    SYMANTEC,
    CustomerTold,
    a_customer,
    a_matrix,
    a_programme,
    a_serial,
    an_offer,
    asked,
)


async def test_an_active_customer_gets_the_trial_it_asked_for(tx: Transaction) -> None:
    """CUS-01, CUS-15, LIC-04."""
    offer = await an_offer(tx)
    customer = CustomerTold(partner_id=tx.partner_id, products=[asked(1, offer.code, quantity=10)])

    await provisioning.follow(tx, customer.now("active", tx.now))

    subscription = (await tx.session.execute(select(Subscription))).scalar_one()
    assert (subscription.status, subscription.item, subscription.seats_bought) == ("trial", 1, 10)
    assert tx.facts_told == [TrialStarted]


async def test_several_products_are_given_one_by_one(tx: Transaction) -> None:
    """CUS-15."""
    offers = [await an_offer(tx) for _ in range(3)]
    customer = CustomerTold(partner_id=tx.partner_id, products=[asked(item, offer.code) for item, offer in enumerate(offers, start=1)])

    await provisioning.follow(tx, customer.now("active", tx.now))

    assert tx.facts_told == [TrialStarted] * 3


async def test_however_often_the_state_is_told_there_is_one_trial(tx: Transaction) -> None:
    offer = await an_offer(tx)
    customer = CustomerTold(partner_id=tx.partner_id, products=[asked(1, offer.code)])

    for _ in range(3):
        await provisioning.follow(tx, customer.now("active", tx.now))

    assert tx.facts_told == [TrialStarted]


@pytest.mark.parametrize("status", ["draft", "pending_review", "disabled", "deleting", "rejected"])
async def test_a_customer_that_is_not_active_gets_nothing(tx: Transaction, status: CustomerStatus) -> None:
    """CUS-13, CUS-14: nothing is provisioned while in review."""
    offer = await an_offer(tx)
    customer = CustomerTold(partner_id=tx.partner_id, products=[asked(1, offer.code)])

    await provisioning.follow(tx, customer.now(status, tx.now))

    assert tx.told == []


async def test_a_customer_whose_review_is_cleared_gets_it_then(tx: Transaction) -> None:
    """CUS-13: the trial's time begins when the customer becomes active."""
    offer = await an_offer(tx)
    customer = CustomerTold(partner_id=tx.partner_id, products=[asked(1, offer.code)])
    await provisioning.follow(tx, customer.now("pending_review", tx.now - timedelta(days=5)))

    await provisioning.follow(tx, customer.now("active", tx.now))

    assert (await tx.session.execute(select(Subscription.started_at))).scalar_one() == tx.now


async def test_an_old_state_that_comes_late_gives_nothing(tx: Transaction) -> None:
    offer = await an_offer(tx)
    customer = CustomerTold(partner_id=tx.partner_id, products=[asked(1, offer.code)])
    old = customer.now("active", tx.now)
    await a_customer(tx, status="disabled", customer_id=customer.id)
    await tx.session.execute(_newer(customer))

    await provisioning.follow(tx, old)

    assert tx.told == []


async def test_seat_fifty_one_of_a_trial_is_refused(tx: Transaction) -> None:
    """LIC-01, rule 10: the order for 51 seats is rejected, the one for 50 is not."""
    offer = await an_offer(tx, trial={**SYMANTEC, "max_per_customer_product": 2})
    customer = CustomerTold(partner_id=tx.partner_id, products=[asked(1, offer.code, quantity=51), asked(2, offer.code, quantity=50)])

    await provisioning.follow(tx, customer.now("active", tx.now))

    assert tx.facts_told == [ProvisioningRejected, TrialStarted]
    assert _rejected(tx) == ("seat_cap_exceeded", "LIC-01", "1")


async def test_a_trial_without_a_cap_has_the_seats_that_were_ordered(tx: Transaction) -> None:
    """LIC-02, C-1: Proofpoint's trial is 30 days, seats as ordered."""
    offer = await an_offer(tx, trial={**SYMANTEC, "duration": "P30D", "seat_cap": None})
    customer = CustomerTold(partner_id=tx.partner_id, products=[asked(1, offer.code, quantity=300)])

    await provisioning.follow(tx, customer.now("active", tx.now))

    assert (await tx.session.execute(select(Subscription.seats_bought))).scalar_one() == 300


async def test_a_trial_ordered_without_a_quantity_has_all_the_seats_it_comes_with(tx: Transaction) -> None:
    """LIC-01."""
    offer = await an_offer(tx)
    customer = CustomerTold(partner_id=tx.partner_id, products=[asked(1, offer.code, quantity=None)])

    await provisioning.follow(tx, customer.now("active", tx.now))

    assert (await tx.session.execute(select(Subscription.seats_bought))).scalar_one() == 50


@pytest.mark.parametrize(
    ("given", "quantity", "code"),
    [
        ({"status": "withdrawn"}, 1, "offer_withdrawn"),
        ({"trial": None}, 1, "no_trial"),
        ({"trial": {**SYMANTEC, "seat_cap": None}}, None, "quantity_required"),
        ({}, 0, "quantity_required"),
        ({}, -1, "quantity_required"),
        ({"trial": {**SYMANTEC, "seat_cap": None}}, 2**62, "quantity_required"),
        ({"trial": {**SYMANTEC, "max_per_customer_product": 0}}, 1, "trial_used_up"),
    ],
)
async def test_what_the_offer_forbids_is_rejected_with_its_rule(
    tx: Transaction, given: dict[str, Any], quantity: int | None, code: str
) -> None:
    """CUS-15, C-1, BEY-04: a rejection names code, rule, policy version and remedy."""
    offer = await an_offer(tx, **given)
    customer = CustomerTold(partner_id=tx.partner_id, products=[asked(1, offer.code, quantity=quantity)])

    await provisioning.follow(tx, customer.now("active", tx.now))

    assert tx.facts_told == [ProvisioningRejected]
    assert _rejected(tx)[0] == code


async def test_an_offer_that_does_not_exist_is_rejected(tx: Transaction) -> None:
    customer = CustomerTold(partner_id=tx.partner_id, products=[asked(1, "dream")])

    await provisioning.follow(tx, customer.now("active", tx.now))

    assert _rejected(tx) == ("unknown_offer", "LIC-03", "0")


async def test_a_second_trial_of_one_product_is_rejected(tx: Transaction) -> None:
    """C-1: ``max_per_customer_product``, also across offers of the product."""
    first, second = [await an_offer(tx, product="sep") for _ in range(2)]
    customer = CustomerTold(partner_id=tx.partner_id, products=[asked(1, first.code), asked(2, second.code)])

    await provisioning.follow(tx, customer.now("active", tx.now))

    assert tx.facts_told == [TrialStarted, ProvisioningRejected]
    assert _rejected(tx)[0] == "trial_used_up"


async def test_a_plain_reseller_is_given_no_paid_product(tx: Transaction) -> None:
    """CUS-17, LIC-05, LIC-06: without the programme only trials."""
    offer = await an_offer(tx)
    customer = CustomerTold(partner_id=tx.partner_id, products=[asked(1, offer.code, kind="paid"), asked(2, offer.code)])

    await provisioning.follow(tx, customer.now("active", tx.now))

    assert tx.facts_told == [ProvisioningRejected, TrialStarted]
    assert _rejected(tx) == ("no_programme", "CUS-17", "1")


async def test_a_partner_in_the_programme_is_given_a_paid_product_and_its_first_line(tx: Transaction) -> None:
    """CUS-17, LIC-05."""
    await a_programme(tx)
    tx.told.clear()
    offer = await an_offer(tx)
    customer = CustomerTold(partner_id=tx.partner_id, products=[asked(1, offer.code, kind="paid", quantity=10)])

    await provisioning.follow(tx, customer.now("active", tx.now))

    assert tx.facts_told == [SubscriptionActivated, BillingLineRated]


async def test_what_is_charged_in_arrears_has_no_line_before_its_period_closes(tx: Transaction) -> None:
    await a_programme(tx)
    tx.told.clear()
    offer = await an_offer(tx, trial=None, price={**MONTHLY, "period": "quarter", "charge": "in_arrears"})
    customer = CustomerTold(partner_id=tx.partner_id, products=[asked(1, offer.code, kind="paid", quantity=10)])

    await provisioning.follow(tx, customer.now("active", tx.now))

    assert tx.facts_told == [SubscriptionActivated]


async def test_a_product_serial_number_opens_one_activation(tx: Transaction) -> None:
    """LIC-10: where the matrix asks for it, a product is activated with its serial number, however typed, and with each one once."""
    await a_matrix(tx, set_up_paid="product_serial")
    offer = await an_offer(tx, product="sep")
    code, other = await a_serial(tx, kind="product", product="sep"), await a_serial(tx, kind="product", product="edge")
    orders = [asked(item, offer.code, kind="paid", **answers) for item, answers in enumerate(_answers(code, other), start=1)]
    customer = CustomerTold(partner_id=tx.partner_id, products=orders)

    await provisioning.follow(tx, customer.now("active", tx.now))

    outcomes = (await tx.session.execute(select(Provisioning.code).order_by(Provisioning.item))).scalars().all()
    assert outcomes == ["serial_required", "serial_of_other_kind", None, "serial_taken"]
    assert (await tx.session.execute(select(Subscription.serial_number))).scalar_one() == code


async def test_the_partner_reads_what_became_of_each_product(tx: Transaction) -> None:
    offer = await an_offer(tx)
    customer = CustomerTold(partner_id=tx.partner_id, products=[asked(1, offer.code), asked(2, "dream")])
    await provisioning.follow(tx, customer.now("active", tx.now))

    views = await provisioning.of_customer(await reading(tx), customer.id)

    assert [(view.item, view.outcome, view.rule) for view in views.items] == [(1, "given", None), (2, "rejected", "LIC-03")]


async def test_a_customer_moved_to_another_partner_is_not_given_everything_again(tx: Transaction) -> None:
    offer = await an_offer(tx)
    customer = CustomerTold(partner_id=tx.partner_id, products=[asked(1, offer.code)])
    await provisioning.follow(tx, customer.now("active", tx.now))
    customer.partner_id = new_id()

    await provisioning.follow(tx, customer.now("active", tx.now))

    assert tx.facts_told == [TrialStarted]


def _answers(code: str, other: str) -> list[dict[str, str]]:
    return [{}, {"serial_number": other}, {"serial_number": f" {code.lower()} "}, {"serial_number": code}]


def _rejected(tx: Transaction) -> tuple[str, str, str]:
    told = next(one.record for one in tx.told if isinstance(one.record, ProvisioningRejected))
    assert told.remedy
    return told.code, told.rule, told.policy_version


def _newer(customer: CustomerTold) -> Any:
    return served_customers.update().where(served_customers.c.id == customer.id).values(version=9)
