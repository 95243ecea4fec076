"""Who signs in first at a customer: an address that is free, on the customer's own domain (CUS-10, CUS-11, CUS-21 to CUS-24)."""

import pytest
from sqlalchemy import text

from chassis.database import Transaction
from chassis_testing.database import as_stranger
from customers import customers
from customers.errors import EmailTaken
from customers.rules.application import FirstAdminWanted
from customers_testing.builders import (
    a_contact,
    a_customer,
    a_partner,
    an_application,
)
from customers_testing.outcomes import refused, user_of


async def test_the_contacts_address_is_the_customers_login(tx: Transaction) -> None:
    """CUS-10."""
    await a_partner(tx)

    customer = await customers.create(tx, an_application())

    user = await user_of(tx, customer)
    assert (user.email, user.kind, user.status) == ("ada@mueller.example", "customer", "invited")


@pytest.mark.parametrize(
    ("first", "last", "email"),
    [
        ("Grace", "Hopper", "grace.hopper@mueller.example"),
        ("Jürgen", "Groß-Schmidt", "jurgen.gross-schmidt@mueller.example"),
        ("Мария", "Иванова", "mariya.ivanova@mueller.example"),
        ("Mary Ann", "O'Neill", "maryann.oneill@mueller.example"),
    ],
)
async def test_the_first_admins_address_is_made_of_names_and_domain(tx: Transaction, first: str, last: str, email: str) -> None:
    """CUS-22."""
    await a_partner(tx)

    customer = await customers.create(tx, an_application(first_admin=FirstAdminWanted(first_name=first, last_name=last)))

    assert (await user_of(tx, customer)).email == email
    assert customer.first_admin["email"] == email


@pytest.mark.parametrize("domain", ["acme.local", "acme.test", "acme.invalid", "xn--a.com"])
async def test_no_login_is_made_that_nobody_could_write_to(tx: Transaction, domain: str) -> None:
    """CUS-22, CUS-10: the same address would be refused if it were typed."""
    await a_partner(tx)
    admin = FirstAdminWanted(first_name="Grace", last_name="Hopper")

    said = await refused(tx, an_application(domain=domain, first_admin=admin))

    assert said == {"/first_admin/email": "email_needed"}


async def test_the_first_admins_address_can_be_edited(tx: Transaction) -> None:
    """CUS-22; a sub-domain is still the customer's."""
    await a_partner(tx)
    admin = FirstAdminWanted(first_name="Grace", last_name="Hopper", email="g.hopper@it.mueller.example")

    customer = await customers.create(tx, an_application(first_admin=admin))

    assert (await user_of(tx, customer)).email == "g.hopper@it.mueller.example"


async def test_the_contact_may_be_named_as_first_admin_too(tx: Transaction) -> None:
    """CUS-10, CUS-22: one person, one login."""
    await a_partner(tx)
    admin = FirstAdminWanted(first_name="Ada", last_name="Lovelace", email="ADA@mueller.example")

    customer = await customers.create(tx, an_application(first_admin=admin))

    assert (await user_of(tx, customer)).email == "ADA@mueller.example"


async def test_a_first_admin_of_another_domain_fails_the_whole_creation(tx: Transaction) -> None:
    """CUS-23, C-3: no partial customer, nothing told."""
    await a_partner(tx)
    admin = FirstAdminWanted(first_name="Grace", last_name="Hopper", email="grace@elsewhere.example")

    assert await refused(tx, an_application(first_admin=admin)) == {"/first_admin/email": "foreign_domain"}
    assert await refused(tx, an_application(domain="elsewhere.example")) == {"/contact/email": "foreign_domain"}


@pytest.mark.parametrize(
    ("domain", "email"),
    [
        ("berg.example", "ada@berg.example"),
        ("berg.example", "ada@mail.berg.example"),
        ("shop.berg.example", "ada@eu.shop.berg.example"),
    ],
)
async def test_the_first_address_may_be_on_the_customers_domain_or_below_it(tx: Transaction, domain: str, email: str) -> None:
    """CUS-23."""
    await a_partner(tx)
    admin = FirstAdminWanted(first_name="Grace", last_name="Hopper", email=email)

    customer = await customers.create(tx, an_application(domain=domain, first_admin=admin))

    assert (await user_of(tx, customer)).email == email


@pytest.mark.parametrize(
    ("domain", "email"),
    [
        ("shop.berg.example", "ada@other.berg.example"),
        ("shop.berg.example", "ada@berg.example"),
        ("berg.example", "ada@notberg.example"),
        ("berg.example", "ada@berg.example.org"),
    ],
)
async def test_the_first_address_is_neither_above_nor_beside_the_customers_domain(tx: Transaction, domain: str, email: str) -> None:
    """CUS-23: whoever registered the domain that both are below."""
    await a_partner(tx)
    admin = FirstAdminWanted(first_name="Grace", last_name="Hopper", email=email)

    assert await refused(tx, an_application(domain=domain, first_admin=admin)) == {"/first_admin/email": "foreign_domain"}


@pytest.mark.parametrize("temporary", [True, False])
async def test_the_first_login_is_nobody_of_the_partner(tx: Transaction, *, temporary: bool) -> None:
    """CUS-09, CUS-18, CUS-49: whoever signs in for the customer answers for it."""
    await a_partner(tx, email="grace@hafen.example")
    admin = FirstAdminWanted(first_name="Grace", last_name="Hopper", email="shadow@it.hafen.example", temporary=temporary)

    said = await refused(tx, an_application(first_admin=admin))

    assert said == {"/first_admin/email": "reseller_contact"}


async def test_a_temporary_first_address_may_be_elsewhere(tx: Transaction) -> None:
    """CUS-24."""
    await a_partner(tx)
    admin = FirstAdminWanted(first_name="Grace", last_name="Hopper", email="grace@elsewhere.example", temporary=True)

    customer = await customers.create(tx, an_application(first_admin=admin))

    assert customer.first_admin["temporary"] is True
    assert (await user_of(tx, customer)).email == "grace@elsewhere.example"


@pytest.mark.parametrize(
    ("domain", "code"),
    [
        ("www.mueller.example", "www_not_allowed"),
        ("https://mueller.example", "not_a_domain"),
        ("ada@mueller.example", "not_a_domain"),
        ("mueller", "not_a_domain"),
        ("co.uk", "public_suffix"),
    ],
)
async def test_only_a_bare_domain_is_accepted(tx: Transaction, domain: str, code: str) -> None:
    """CUS-21."""
    await a_partner(tx)

    assert (await refused(tx, an_application(domain=domain)))["/domain"] == code


async def test_an_address_that_exists_anywhere_is_refused(tx: Transaction) -> None:
    """CUS-11: whoever's it is, and whether as a login or as another customer's contact."""
    async with as_stranger(tx) as stranger:
        await a_partner(stranger)
        await a_customer(stranger, first_admin=FirstAdminWanted(first_name="Grace", last_name="Hopper"))
    await a_partner(tx)

    taken = an_application(contact=a_contact(email="Grace.Hopper@mueller.example"))
    assert await refused(tx, taken, EmailTaken) == {"/contact/email": "email_taken"}
    assert await refused(tx, an_application(), EmailTaken) == {"/contact/email": "email_taken"}
    assert "customer service" in EmailTaken("").remedy


async def test_an_address_at_a_free_mailer_says_nothing_about_the_employer(tx: Transaction) -> None:
    """CUS-18."""
    await a_partner(tx, email="grace@gmail.com")
    admin = FirstAdminWanted(first_name="Ada", last_name="Lovelace")

    await customers.create(tx, an_application(contact=a_contact(email="ada.lovelace.mueller@gmail.com"), first_admin=admin))


async def test_no_running_role_reads_logins_and_passwords(tx: Transaction) -> None:
    for table in ("logins", "sessions", "refresh_tokens"):
        allowed = await tx.session.scalar(text("select has_table_privilege(:table, 'select')"), {"table": table})
        assert allowed is False
