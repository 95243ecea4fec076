"""A concern holds a customer for a person to look at; it never refuses and never says why to the wrong one (CUS-13, CUS-14)."""

import pytest
from sqlalchemy import select

from chassis.database import Transaction
from contracts.customers.customers import CustomerChanged, CustomerReviewOpened
from customers import customers
from customers.rules import oddities
from customers.rules.application import CreateCustomer, FirstAdminWanted
from customers.tables.customers import Review
from customers_testing.builders import DENIED, a_company, a_contact, a_partner, an_application


async def opened(tx: Transaction, command: CreateCustomer) -> list[str]:
    """The reasons for which the customer of an application is held; none when it is active."""
    customer = await customers.create(tx, command)
    assert customer.status == ("pending_review" if customer.review_reasons else "active")
    return customer.review_reasons


@pytest.mark.parametrize("name", [DENIED, "KRASNAYA ZVEZDA TRADING Ltd.", "Trading Krasnaya Zvesda LLC", "Красная Звезда Trading"])
async def test_a_company_like_a_denied_party_is_held(tx: Transaction, name: str) -> None:
    """CUS-13."""
    await a_partner(tx)

    assert await opened(tx, an_application(company=a_company(name=name))) == ["denied_party"]


async def test_people_are_screened_too(tx: Transaction) -> None:
    """CUS-13."""
    await a_partner(tx)

    assert await opened(tx, an_application(contact=a_contact(name="Krasnaya Zvezda-Trading"))) == ["denied_party"]


async def test_only_the_reviewer_learns_which_party_it_was(tx: Transaction) -> None:
    """CUS-13."""
    await a_partner(tx)

    customer = await customers.create(tx, an_application(company=a_company(name=DENIED)))

    review = (await tx.session.scalars(select(Review).where(Review.customer_id == customer.id))).one()
    assert "RUe.1" in review.findings[0]["detail"]
    assert all(b"RUe.1" not in one.record.payload() for one in tx.told)


async def test_the_hold_is_told_and_nothing_else_about_it(tx: Transaction) -> None:
    """CUS-13, CUS-14."""
    await a_partner(tx)

    await customers.create(tx, an_application(company=a_company(name=DENIED, city="???")))

    told = next(one.record for one in tx.told if isinstance(one.record, CustomerReviewOpened))
    state = next(one.record for one in tx.told if isinstance(one.record, CustomerChanged)).state
    assert told.reasons == state.review_reasons == ["denied_party", "placeholder_data", "special_characters"]
    assert state.status == "pending_review"


@pytest.mark.parametrize("name", ["Acme <script>", "A$$ets", "Schmidt;DROP", "Smile \U0001f600"])
async def test_special_characters_lead_to_a_look(tx: Transaction, name: str) -> None:
    """CUS-14."""
    await a_partner(tx)

    assert await opened(tx, an_application(company=a_company(name=name))) == ["special_characters"]


async def test_data_that_only_fills_a_field_leads_to_a_look(tx: Transaction) -> None:
    """CUS-14."""
    await a_partner(tx)
    admin = FirstAdminWanted(first_name="asdf", last_name="xxx")

    assert await opened(tx, an_application(company=a_company(name="Test", city="n/a"), first_admin=admin)) == ["placeholder_data"]


@pytest.mark.parametrize(
    ("field", "text", "reason"),
    [
        ("address_2", "<b>", "special_characters"),
        ("address_3", "xxx", "placeholder_data"),
        ("region", "n/a", "placeholder_data"),
        ("region", "H$", "special_characters"),
        ("postal_code", "00000", "placeholder_data"),
        ("postal_code", "2_457", "special_characters"),
    ],
)
async def test_every_part_of_the_address_is_looked_at(tx: Transaction, field: str, text: str, reason: str) -> None:
    """CUS-14."""
    await a_partner(tx)

    assert await opened(tx, an_application(company=a_company(**{field: text}))) == [reason]


@pytest.mark.parametrize("text", ["20457", "NA", "75", "SW1A 1AA", "c/o Meier", "4. Stock", "12", "22222", "Île-de-France"])
def test_codes_as_addresses_have_them_are_not_odd(text: str) -> None:
    """CUS-14."""
    assert not oddities.special(text)
    assert not oddities.placeholder_code(text)


@pytest.mark.parametrize("name", ["Müller & Söhne (Nord) GmbH", "L'Oréal S.A.", "李明 电子", "3M", "Ärzte-Haus „Mitte“", "O\u2019Neill"])
def test_names_as_people_have_them_are_not_odd(name: str) -> None:
    """CUS-14."""
    assert not oddities.special(name)
    assert not oddities.placeholder(name)
