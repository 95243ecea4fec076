"""A concern holds a customer for a person to look at; it never refuses and never says why to the wrong one (CUS-13, CUS-14)."""

import pytest
from sqlalchemy import select

from chassis.database import Transaction
from contracts.customers.customers import CustomerChanged, CustomerReviewOpened
from customers import customers
from customers.errors import DuplicateCompany
from customers.rules import lookalikes, oddities
from customers.rules.application import CreateCustomer, FirstAdminWanted
from customers.tables.customers import Review
from customers_testing.builders import DENIED, a_company, a_contact, a_partner, an_application, for_company
from customers_testing.http import Web, a_body
from customers_testing.outcomes import refused


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


@pytest.mark.parametrize("name", ["A\u0441me GmbH", "\u0410\u0421\u041c\u0415 GmbH", "\u0391cme GmbH"])
async def test_a_name_that_only_looks_like_another_is_the_other(tx: Transaction, name: str) -> None:
    """CUS-12: with letters of Cyrillic or Greek, or a word wholly in them."""
    await a_partner(tx)
    await customers.create(tx, for_company("Acme GmbH", "acme.example"))
    tx.told.clear()

    assert await refused(tx, for_company(name, "acme-two.example"), DuplicateCompany) == {"/company/name": "duplicate_company"}


async def test_a_name_in_mixed_alphabets_is_looked_at(tx: Transaction) -> None:
    """CUS-13, CUS-14: and screened as what it looks like."""
    await a_partner(tx)

    disguised = DENIED.replace("a", "\u0430").replace("K", "\u041a")

    assert await opened(tx, for_company("B\u0435rg Bau", "berg.example")) == ["mixed_alphabets"]
    assert await opened(tx, for_company(disguised, "zvezda.example")) == ["denied_party", "mixed_alphabets"]


@pytest.mark.parametrize(
    "name",
    ["\u0420\u0443\u0441\u0441\u043a\u0438\u0439 \u041c\u043e\u0441\u0442", "iPhone\u624b\u673a", "3M \u0391\u03b8\u03ae\u03bd\u03b1 AE"],
)
def test_a_name_in_alphabets_of_its_own_is_no_disguise(name: str) -> None:
    """CUS-14."""
    assert not lookalikes.disguised(name)


async def test_companies_that_only_sound_alike_are_two(tx: Transaction) -> None:
    """CUS-12: Li Ming, written with other characters, is another company."""
    await a_partner(tx)
    await customers.create(tx, for_company("\u674e\u660e\u516c\u53f8", "liming.example"))

    other = await customers.create(tx, for_company("\u9ece\u660e\u516c\u53f8", "dawn.example"))

    assert other.status == "active"


async def test_a_name_of_whatever_characters_is_stored_and_listed(web: Web) -> None:
    """CUS-31, CUS-32: written out it would be longer than an index or a cursor takes."""
    partner = await web.a_partner()
    for number in range(2):
        body = a_body("\U0001f469\U0001f3fd" * 99 + str(number), f"emoji-{number}.example")
        assert (await partner.post("/v1/customers", body)).status_code == 201

    first = (await partner.get("/v1/customers", limit=1)).json()
    second = await partner.get("/v1/customers", limit=1, cursor=first["next"])

    assert second.status_code == 200, second.text
