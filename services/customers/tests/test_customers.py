"""A customer comes into being whole or not at all, and everything about it is told exactly once (CUS-01 to CUS-26, C-3, C-8)."""

from typing import Any

import pytest
from sqlalchemy import select

from chassis.database import Transaction
from chassis_testing.database import as_stranger
from contracts.customers.credentials import CredentialLinkRequested
from contracts.customers.customers import CustomerChanged, CustomerCreated, EulaAccepted
from contracts.customers.users import UserChanged, UserCreated
from customers import customers
from customers.errors import DuplicateCompany, EmailTaken, EulaOutdated, NotAcceptable
from customers.tables.customers import EulaAcceptance
from customers_testing.builders import (
    EULA,
    a_company,
    a_contact,
    a_customer,
    a_partner,
    a_product,
    an_application,
    for_company,
)
from customers_testing.outcomes import refused


def state_of(tx: Transaction) -> Any:
    return next(one.record.state for one in tx.told if isinstance(one.record, CustomerChanged))


async def test_a_sound_application_becomes_an_active_customer_and_is_told(tx: Transaction) -> None:
    """CUS-01, CUS-03, CUS-15: the state carries the products asked for, numbered."""
    await a_partner(tx)

    customer = await customers.create(tx, an_application())

    assert tx.facts_told == [CustomerCreated, EulaAccepted, UserCreated, CredentialLinkRequested]
    assert [type(one.record) for one in tx.told if one.record.topic.endswith(".changed")] == [CustomerChanged, UserChanged]
    assert {one.envelope.customer_id for one in tx.told} == {customer.id}
    state = state_of(tx)
    assert (state.status, state.management_type, state.owner_partner_id) == ("active", "co_managed", tx.partner_id)
    assert state.products == [a_product()]


async def test_company_and_contact_are_kept_whole(tx: Transaction) -> None:
    """CUS-06, CUS-07, CUS-08; phone numbers as E.164, websites with their scheme."""
    await a_partner(tx)
    company = a_company(phone="040 123456", website="mueller.example", address_2="Haus C", address_3="4. Stock")

    await customers.create(tx, an_application(company=company, contact=a_contact(phone="040 123457")))

    assert state_of(tx).company == company.model_copy(update={"phone": "+4940123456", "website": "https://mueller.example"})
    assert state_of(tx).contact == a_contact(phone="+4940123457")


async def test_what_billing_keeps_names_no_person(tx: Transaction) -> None:
    await a_partner(tx)

    await customers.create(tx, an_application())

    kept = b"".join(one.record.payload() for one in tx.told if isinstance(one.record, CustomerCreated | EulaAccepted))
    assert b"Ada" not in kept
    assert b"@" not in kept


async def test_both_sides_are_written_to_unless_the_partner_does_it_alone(tx: Transaction) -> None:
    """CUS-04, C-8; the wish for a welcome mail stands for itself (CUS-25)."""
    await a_partner(tx)

    by_default = await customers.create(tx, an_application())
    alone = await customers.create(tx, for_company("Lübeck Logistik", "luebeck.example", communications_mode="partner_only"))

    assert (by_default.communications_mode, alone.communications_mode) == ("both", "partner_only")
    assert alone.welcome_link_id is not None


async def test_without_a_welcome_no_link_is_asked_for(tx: Transaction) -> None:
    """CUS-25."""
    await a_partner(tx)

    customer = await customers.create(tx, an_application(send_welcome=False))

    assert customer.welcome_link_id is None
    assert CredentialLinkRequested not in tx.facts_told


async def test_the_welcome_link_told_is_the_one_in_the_state(tx: Transaction) -> None:
    """CUS-25, NOT-12."""
    await a_partner(tx)

    customer = await customers.create(tx, an_application())

    link = next(one.record for one in tx.told if isinstance(one.record, CredentialLinkRequested))
    assert (link.link_id, link.purpose, str(link.user_id)) == (customer.welcome_link_id, "welcome", customer.first_admin["user_id"])


async def test_who_accepted_which_terms_is_kept_and_told(tx: Transaction) -> None:
    """CUS-26."""
    await a_partner(tx)

    customer = await customers.create(tx, an_application())

    kept = (await tx.session.scalars(select(EulaAcceptance).where(EulaAcceptance.customer_id == customer.id))).one()
    told = next(one.record for one in tx.told if isinstance(one.record, EulaAccepted))
    assert tx.principal is not None
    assert (kept.eula_version, kept.accepted_by, kept.accepted_at) == (EULA, tx.principal.user_id, tx.now)
    assert told == EulaAccepted(eula_version=EULA, accepted_by=tx.principal.user_id, accepted_at=tx.now)


async def test_the_same_company_twice_is_refused_however_it_is_written(tx: Transaction) -> None:
    """CUS-12."""
    await a_partner(tx)
    await a_customer(tx)

    again = for_company("MÜLLER  & Sohne, GmbH", "other.example")
    assert await refused(tx, again, DuplicateCompany) == {"/company/name": "duplicate_company"}


async def test_another_country_or_another_partner_may_have_a_company_of_that_name(tx: Transaction) -> None:
    """CUS-12."""
    await a_partner(tx)
    await a_customer(tx)

    await customers.create(tx, an_application(company=a_company(country="AT"), contact=a_contact(email="eva@mueller.example")))
    async with as_stranger(tx) as stranger:
        await a_partner(stranger)
        await customers.create(stranger, an_application(contact=a_contact(email="bob@mueller.example")))


async def test_the_partners_own_data_is_never_a_customers(tx: Transaction) -> None:
    """CUS-09, CUS-18."""
    await a_partner(tx, name="Hafen IT GmbH", email="grace@hafen.example")
    own = an_application(
        company=a_company(name="Hafen-IT GmbH"), contact=a_contact(email="sales@mail.hafen.example"), domain="hafen.example"
    )

    assert await refused(tx, own) == {
        "/contact/email": "reseller_contact",
        "/domain": "reseller_domain",
        "/company/name": "reseller_company",
    }


async def test_other_licence_terms_than_those_in_force_are_refused(tx: Transaction) -> None:
    """CUS-26."""
    await a_partner(tx)

    assert await refused(tx, an_application(eula_version="2025-01"), EulaOutdated) == {"/eula/version": "eula_not_in_force"}


async def test_everything_that_is_wrong_is_said_at_once(tx: Transaction) -> None:
    await a_partner(tx)
    await a_customer(tx)
    wrong = an_application(
        eula_version="1",
        company=a_company(phone="no number", website="javascript://x"),
        contact=a_contact(phone="no"),
        domain="www.mueller.example",
        products=(a_product(offer="nonsense", kind="paid"),),
        data_region="moon",
    )

    assert await refused(tx, wrong) == {
        "/company/phone": "phone",
        "/company/website": "website",
        "/contact/phone": "phone",
        "/domain": "www_not_allowed",
        "/contact/email": "email_taken",
        "/company/name": "duplicate_company",
        "/products/0/offer": "unknown_offer",
        "/products/0/kind": "no_programme",
        "/data_region": "unknown_region",
        "/eula/version": "eula_not_in_force",
    }


async def test_each_of_several_problems_keeps_its_rule_and_remedy(tx: Transaction) -> None:
    """BEY-04: what to do about a taken address is said beside what to do about a domain (CUS-11)."""
    await a_partner(tx)
    await a_customer(tx)

    with pytest.raises(NotAcceptable) as refusal:
        await customers.create(tx, an_application(company=a_company(name="Berg Bau"), domain="www.mueller.example"))

    said = {error.pointer: (error.rule, error.remedy) for error in refusal.value.errors}
    assert said == {"/contact/email": ("CUS-11", EmailTaken.remedy), "/domain": ("CUS-21", None)}
