"""Consents: what a customer is asked is kept in a chain, and of those who answer at once one wins (BEY-14)."""

from datetime import timedelta

import pytest

from chassis.database import Transaction
from chassis_testing.database import as_stranger
from contracts.customers.consents import Addressee, ConsentRecorded
from customers.errors.consents import ConsentNotFound, ConsentRequired, ConsentSettled
from customers.rules import asking, consenting
from customers.tables.consents import Consent
from customers.tables.customers import Customer
from customers_testing.builders import a_customer, a_partner

ADA = Addressee(company="Müller & Söhne GmbH", name="Ada Lovelace", email="ada@mueller.example", language="de")
LINK = {"by": "link"}


async def asked(tx: Transaction, customer: Customer) -> Consent:
    question = asking.asked_by_caller(tx, "console_launch")
    return await consenting.ask(tx, customer, question, ADA)


async def test_a_request_is_told_with_whom_to_ask_and_expires_as_the_policy_says(tx: Transaction) -> None:
    """BEY-14."""
    await a_partner(tx)
    customer = await a_customer(tx)

    consent = await asked(tx, customer)

    (told,) = tx.told
    record = told.record
    assert isinstance(record, ConsentRecorded)
    assert (record.state, record.number, record.ask) == ("requested", 1, ADA)
    assert (told.about.partner_id, told.about.customer_id) == (tx.partner_id, customer.id)
    assert consent.expires_at == tx.now + timedelta(days=90)


async def test_asking_again_supersedes_the_question_that_was_open(tx: Transaction) -> None:
    await a_partner(tx)
    customer = await a_customer(tx)
    first = await asked(tx, customer)

    second = await asked(tx, customer)

    assert (first.state, second.state) == ("superseded", "requested")
    with pytest.raises(ConsentSettled) as refused:
        await consenting.require_open(tx, first.id)
    assert refused.value.facts == {"state": "superseded"}


async def test_what_a_customer_granted_holds_until_it_takes_it_back(tx: Transaction) -> None:
    await a_partner(tx)
    customer = await a_customer(tx)
    consent = await asked(tx, customer)
    await consenting.settle(tx, customer, consent, "granted", evidence=LINK, until=tx.now + timedelta(days=1))

    assert await consenting.require(tx, customer, "console_launch") == consent.id
    await consenting.settle(tx, customer, consent, "revoked", evidence=LINK)

    with pytest.raises(ConsentRequired):
        await consenting.require(tx, customer, "console_launch")


@pytest.mark.parametrize(("management_type", "allowed"), [("partner_managed", True), ("co_managed", True), ("customer_managed", False)])
async def test_a_management_type_that_lets_the_partner_in_is_leave_enough_to_launch(
    tx: Transaction, management_type: str, *, allowed: bool
) -> None:
    """CUS-55: until the customer says otherwise."""
    await a_partner(tx)
    customer = await a_customer(tx, management_type=management_type)

    if allowed:
        assert await consenting.require(tx, customer, "console_launch") is None
    else:
        with pytest.raises(ConsentRequired):
            await consenting.require(tx, customer, "console_launch")


async def test_a_grant_that_ran_out_allows_nothing_by_itself(tx: Transaction) -> None:
    await a_partner(tx)
    customer = await a_customer(tx, management_type="customer_managed")
    consent = await asked(tx, customer)
    await consenting.settle(tx, customer, consent, "granted", evidence=LINK, until=tx.now)

    with pytest.raises(ConsentRequired):
        await consenting.require(tx, customer, "console_launch")


async def test_another_partners_consent_does_not_exist(tx: Transaction) -> None:
    await a_partner(tx)
    consent = await asked(tx, await a_customer(tx))

    async with as_stranger(tx) as stranger:
        with pytest.raises(ConsentNotFound):
            await consenting.hold(stranger, consent.id)
