"""A customer comes into being whole or not at all, and everything about it is told exactly once (CUS-01 to CUS-26, C-3, C-8)."""

from typing import Any

import pytest
from sqlalchemy import func, select, text

from chassis.database import Transaction
from chassis.errors import Refusal
from chassis_testing.database import as_stranger
from contracts.customers.credentials import CredentialLinkRequested
from contracts.customers.customers import CustomerChanged, CustomerCreated, EulaAccepted
from contracts.customers.users import UserChanged, UserCreated
from customers import customers
from customers.errors import DuplicateCompany, EmailTaken, EulaOutdated, NotAcceptable, ProgrammeRequired, SeatCapExceeded, SerialRequired
from customers.rules import provisioning
from customers.rules.application import CreateCustomer, FirstAdminWanted
from customers.rules.provisioning import ProvisioningPolicy
from customers.tables.customers import Customer, EulaAcceptance
from customers.tables.users import User
from customers_testing.builders import (
    EULA,
    TRIAL_SEATS,
    a_company,
    a_contact,
    a_customer,
    a_partner,
    a_product,
    an_active_programme,
    an_application,
    for_company,
)


async def refused(tx: Transaction, command: CreateCustomer, kind: type[Refusal] = NotAcceptable) -> dict[str, str]:
    """Create and be refused; answers the codes by pointer, and sees that nothing is left of it."""
    before = await tx.session.scalar(select(func.count()).select_from(Customer))
    with pytest.raises(kind) as refusal:
        await customers.create(tx, command)
    assert tx.told == []
    assert await tx.session.scalar(select(func.count()).select_from(Customer)) == before
    return {error.pointer: error.code for error in refusal.value.errors}


def state_of(tx: Transaction) -> Any:
    return next(one.record.state for one in tx.told if isinstance(one.record, CustomerChanged))


async def user_of(tx: Transaction, customer: Customer) -> User:
    return (await tx.session.scalars(select(User).where(User.partner_id == tx.partner_id, User.customer_id == customer.id))).one()


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


async def test_an_address_at_a_free_mailer_says_nothing_about_the_employer(tx: Transaction) -> None:
    """CUS-18."""
    await a_partner(tx, email="grace@gmail.com")
    admin = FirstAdminWanted(first_name="Ada", last_name="Lovelace")

    await customers.create(tx, an_application(contact=a_contact(email="ada.lovelace.mueller@gmail.com"), first_admin=admin))


async def test_at_least_one_product_is_needed(tx: Transaction) -> None:
    """CUS-15."""
    await a_partner(tx)

    assert await refused(tx, an_application(products=())) == {"/products": "too_few"}


async def test_a_paid_product_needs_an_active_programme(tx: Transaction) -> None:
    """CUS-17."""
    await a_partner(tx)
    paid = an_application(products=(a_product(kind="paid", quantity=60),))

    assert await refused(tx, paid, ProgrammeRequired) == {"/products/0/kind": "programme_required"}

    await an_active_programme(tx)
    await customers.create(tx, paid)


async def test_a_programme_that_does_not_grant_paid_products_does_not_help(tx: Transaction) -> None:
    """CUS-17, C-10."""
    await a_partner(tx)
    await an_active_programme(tx, capabilities=("set_up_trial",))
    paid = an_application(products=(a_product(kind="paid", quantity=60),))

    assert await refused(tx, paid, ProgrammeRequired) == {"/products/0/kind": "programme_required"}


@pytest.mark.parametrize(
    ("without_programme", "answers", "against"),
    [
        ("no", {"serial_number": "SN-1"}, ProgrammeRequired),
        ("yes", {}, None),
        ("product_serial", {"serial_number": "SN-1"}, None),
        ("product_serial", {"serial_number": " "}, SerialRequired),
        ("product_serial", {"serial_number": 1}, SerialRequired),
        ("product_serial", {}, SerialRequired),
    ],
)
def test_the_policy_says_what_is_sold_without_a_programme(without_programme: Any, answers: dict[str, Any], against: type[Refusal]) -> None:
    """CUS-17, LIC-10."""
    policy = ProvisioningPolicy(version="7", paid_without_programme=without_programme)

    assert provisioning.against(a_product(kind="paid", answers=answers), frozenset(), policy) is against
    assert provisioning.against(a_product(kind="trial"), frozenset(), policy) is None
    assert provisioning.against(a_product(kind="paid"), frozenset({"set_up_paid"}), policy) is None


async def test_a_trial_has_no_more_seats_than_its_offer_gives(tx: Transaction) -> None:
    """LIC-01: refused as licensing refuses it."""
    await a_partner(tx)

    too_many = an_application(products=(a_product(quantity=TRIAL_SEATS + 1),))
    assert await refused(tx, too_many, SeatCapExceeded) == {"/products/0/quantity": "seat_cap_exceeded"}


async def test_other_licence_terms_than_those_in_force_are_refused(tx: Transaction) -> None:
    """CUS-26."""
    await a_partner(tx)

    assert await refused(tx, an_application(eula_version="2025-01"), EulaOutdated) == {"/eula/version": "eula_not_in_force"}


async def test_what_the_catalogue_forbids_is_refused_at_once(tx: Transaction) -> None:
    """CUS-15: an offer that is unknown or withdrawn, seat 51 of a trial, the same offer twice."""
    await a_partner(tx)
    asked = (
        a_product(item=1, offer="nonsense"),
        a_product(item=2, offer="endpoint-classic"),
        a_product(item=3, quantity=TRIAL_SEATS + 1),
        a_product(item=4),
    )

    assert await refused(tx, an_application(products=asked)) == {
        "/products/0/offer": "unknown_offer",
        "/products/1/offer": "offer_withdrawn",
        "/products/2/quantity": "seat_cap_exceeded",
        "/products/3/offer": "offer_twice",
    }


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
        "/products/0/kind": "programme_required",
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


async def test_no_running_role_reads_logins_and_passwords(tx: Transaction) -> None:
    for table in ("logins", "sessions", "refresh_tokens"):
        allowed = await tx.session.scalar(text("select has_table_privilege(:table, 'select')"), {"table": table})
        assert allowed is False
