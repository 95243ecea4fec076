"""Details are changed by the rules of a customer's creation, as far as they are opened to who asks (CUS-39, CUS-40, CUS-41, C-6)."""

from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from chassis.database import Transaction
from chassis.errors import Refusal
from chassis.http.etags import Seen, Stale
from chassis_testing.database import as_stranger
from contracts.customers.customers import (
    CustomerChanged,
    CustomerReviewCleared,
    CustomerReviewOpened,
    CustomerReviewRejected,
    CustomerUpdated,
)
from customers import details, reviews
from customers.details import ChangeDetails
from customers.errors import CustomerNotFound, DuplicateCompany, NotAcceptable, NotEditable, StatusForbids
from customers.reviews import ClearReview, RejectReview
from customers.rules.application import FirstAdminWanted
from customers.tables.customers import Customer, Review
from customers_testing.builders import DENIED, a_company, a_contact, a_customer, a_partner, as_published, for_company

ANY = Seen(None)
WHOLE: dict[str, Any] = {
    "name": "Müller & Töchter GmbH",
    "address_1": "Kai 2",
    "address_2": "Haus C",
    "address_3": "4. Stock",
    "city": "Bremen",
    "postal_code": "28195",
    "region": "HB",
    "country": "AT",
    "phone": "+43123456789",
    "website": "https://toechter.example",
}


async def changed(tx: Transaction, customer: Customer, *, seen: Seen = ANY, **asked: Any) -> Customer:
    command = ChangeDetails(customer_id=customer.id, seen=seen, **({"company": {}, "contact": {}} | asked))
    return await details.change(tx, command)


async def refused(tx: Transaction, customer: Customer, kind: type[Refusal] = NotAcceptable, **asked: Any) -> dict[str, str]:
    with pytest.raises(kind) as refusal:
        await changed(tx, customer, **asked)
    assert tx.told == []
    return {error.pointer: error.code for error in refusal.value.errors}


async def opened_to_the_partner(tx: Transaction, *fields: str, **where: list[str]) -> None:
    """The table as another installation may have published it: the contact is the partner's to change."""
    line = {"noun": "customer", "actor": "partner", "fields": [*fields]} | where
    await as_published(tx, "field_mutability", {"editable": [line]})


async def test_every_company_field_is_changed_and_told_by_name(tx: Transaction) -> None:
    """CUS-39, CUS-07: the fact names the fields, the state has what they say."""
    await a_partner(tx)
    customer = await a_customer(tx)

    await changed(tx, customer, company=WHOLE, unmanaged_macs_allowed=True)

    updated, state = (one.record for one in tx.told)
    assert updated == CustomerUpdated(fields=[*sorted(f"company.{name}" for name in WHOLE), "unmanaged_macs_allowed"])
    assert isinstance(state, CustomerChanged)
    assert state.state.company == a_company(**WHOLE)
    assert state.state.unmanaged_macs_allowed
    assert (customer.name, customer.country, customer.version, customer.status) == (WHOLE["name"], "AT", 2, "active")


async def test_what_is_left_out_stays_and_null_empties(tx: Transaction) -> None:
    """CUS-39."""
    await a_partner(tx)
    customer = await a_customer(tx)

    await changed(tx, customer, company={"phone": None, "city": "Bremen"})

    assert customer.company == a_company(phone=None, city="Bremen").model_dump(mode="json")


async def test_what_is_as_it_was_is_told_to_nobody(tx: Transaction) -> None:
    """Numbers and addresses are compared as they are kept."""
    await a_partner(tx)
    customer = await a_customer(tx)

    await changed(tx, customer, company={"city": "Hamburg", "phone": "040 123456", "website": "mueller.example"})

    assert tx.told == []
    assert customer.version == 1


async def test_the_contact_is_not_the_partners_to_change(tx: Transaction) -> None:
    """CUS-40: whoever could change the address of the contact could confirm its own requests."""
    await a_partner(tx)
    customer = await a_customer(tx)

    refusal = await refused(
        tx, customer, NotEditable, contact={"email": "eve@elsewhere.example", "phone": "+4940999"}, company={"city": "X"}
    )

    assert refusal == {"/contact/email": "not_editable", "/contact/phone": "not_editable"}


async def test_the_table_may_open_the_contact(tx: Transaction) -> None:
    """C-6, CUS-08: the other reading is another document; a refusal names its version."""
    await a_partner(tx)
    customer = await a_customer(tx)
    await opened_to_the_partner(tx, "/contact", "/company/city")

    await changed(tx, customer, contact={"name": "Ada King", "phone": "040 999999", "language": "en", "time_zone": "Europe/London"})
    with pytest.raises(NotEditable) as refusal:
        await changed(tx, customer, company={"name": "Other"})

    assert customer.contact["time_zone"] == "Europe/London"
    assert (refusal.value.policy_version, refusal.value.rule) == ("2", "C-6")


@pytest.mark.parametrize(("management_type", "open_to"), [("partner_managed", True), ("customer_managed", False)])
async def test_the_table_may_tell_kinds_of_customers_apart(tx: Transaction, management_type: str, *, open_to: bool) -> None:
    """C-6."""
    await a_partner(tx)
    customer = await a_customer(tx, management_type=management_type)
    await opened_to_the_partner(tx, "/company/city", management_types=["partner_managed", "co_managed"])

    if open_to:
        await changed(tx, customer, company={"city": "Bremen"})
    else:
        assert await refused(tx, customer, NotEditable, company={"city": "Bremen"}) == {"/company/city": "not_editable"}


async def test_everything_that_is_wrong_is_said_at_once(tx: Transaction) -> None:
    """CUS-39: by the rules of a creation (CUS-09, CUS-11, CUS-12, CUS-18)."""
    await a_partner(tx, name="Hafen IT", email="grace@hafen.example")
    await a_customer(tx)
    other = for_company("Berg Bau", "berg.example")
    customer = await a_customer(tx, company=other.company, contact=other.contact, domain=other.domain)
    await opened_to_the_partner(tx, "/contact", "/company/name", "/company/phone", "/company/website")

    wrong = await refused(
        tx,
        customer,
        company={"name": "Muller und Sohne GmbH", "phone": "nonsense", "website": "javascript:x", "city": "Bremen"},
        contact={"email": "ada@mueller.example"},
    )
    reseller = await refused(tx, customer, company={"name": "HAFEN-IT"}, contact={"email": "x@mail.hafen.example"})

    assert wrong == {
        "/company/phone": "phone",
        "/company/website": "website",
        "/company/city": "not_editable",
        "/contact/email": "email_taken",
    }
    assert reseller == {"/contact/email": "reseller_contact", "/company/name": "reseller_company"}


async def test_a_company_that_is_a_customer_already_is_refused(tx: Transaction) -> None:
    """CUS-12: by the same key as at creation; in another country it is another company."""
    await a_partner(tx)
    await a_customer(tx)
    other = for_company("Berg Bau", "berg.example")
    customer = await a_customer(tx, company=other.company, contact=other.contact, domain=other.domain)

    assert await refused(tx, customer, DuplicateCompany, company={"name": "MÜLLER, & söhne gmbh"}) == {"/company/name": "duplicate_company"}
    await changed(tx, customer, company={"name": "MÜLLER, & söhne gmbh", "country": "AT"})


async def test_the_customers_own_user_may_become_its_contact(tx: Transaction) -> None:
    """CUS-11: an address of its own is not somebody else's."""
    await a_partner(tx)
    customer = await a_customer(tx)
    await opened_to_the_partner(tx, "/contact")
    await changed(tx, customer, contact={"email": "bob@mueller.example"})

    await changed(tx, customer, contact={"email": "ada@mueller.example"})

    assert customer.contact["email"] == "ada@mueller.example"


async def test_a_new_name_that_is_like_a_denied_partys_holds_the_customer(tx: Transaction) -> None:
    """CUS-13: what it was, it is again when a person has cleared it."""
    await a_partner(tx)
    customer = await a_customer(tx)

    await changed(tx, customer, company={"name": DENIED})

    assert tx.facts_told == [CustomerUpdated, CustomerReviewOpened]
    assert (customer.status, customer.review_reasons) == ("pending_review", ["denied_party"])
    await reviews.clear(tx, ClearReview(customer_id=customer.id, seen=ANY))
    assert (customer.status, tx.facts_told[-1]) == ("active", CustomerReviewCleared)


async def test_another_country_is_screened_again(tx: Transaction) -> None:
    """CUS-13."""
    await a_partner(tx)
    customer = await a_customer(tx, company=a_company(name=DENIED))
    await reviews.clear(tx, ClearReview(customer_id=customer.id, seen=ANY))

    await changed(tx, customer, company={"country": "RU"})

    assert customer.status == "pending_review"


async def test_an_address_changed_is_no_reason_to_look(tx: Transaction) -> None:
    """CUS-14 is about applications; who serves a customer already is not stopped by a placeholder."""
    await a_partner(tx)
    customer = await a_customer(tx)

    await changed(tx, customer, company={"city": "???"})

    assert customer.status == "active"


async def test_who_corrects_itself_while_it_is_held_stays_held_and_what_was_found_stays(tx: Transaction) -> None:
    """CUS-13, CUS-14."""
    await a_partner(tx)
    customer = await a_customer(tx, company=a_company(name=DENIED))

    await changed(tx, customer, company={"name": "Harmlos GmbH", "city": "???"})

    review = (await tx.session.scalars(select(Review).where(Review.customer_id == customer.id))).one()
    assert customer.status == "pending_review"
    assert customer.review_reasons == ["denied_party", "placeholder_data", "special_characters"]
    assert [finding["code"] for finding in review.findings] == ["denied_party", "special_characters", "placeholder_data"]
    assert CustomerReviewOpened not in tx.facts_told


async def test_an_established_customer_that_is_rejected_is_disabled(tx: Transaction) -> None:
    """CUS-13: its first admin keeps the address, and what it has does not go away by that."""
    await a_partner(tx)
    customer = await a_customer(tx)
    await changed(tx, customer, company={"name": DENIED})

    await reviews.reject(tx, RejectReview(customer_id=customer.id, seen=ANY, reason="On the list."))

    assert customer.status == "disabled"
    assert CustomerReviewRejected in tx.facts_told


async def test_a_disabled_customer_is_disabled_again_when_it_is_cleared(tx: Transaction) -> None:
    """CUS-13."""
    await a_partner(tx)
    customer = await a_customer(tx)
    customer.status = "disabled"
    await changed(tx, customer, company={"name": DENIED})

    await reviews.clear(tx, ClearReview(customer_id=customer.id, seen=ANY))

    assert customer.status == "disabled"


@pytest.mark.parametrize("status", ["deleting", "deleted", "rejected"])
async def test_who_is_on_its_way_out_is_not_changed(tx: Transaction, status: str) -> None:
    """CUS-39, GW-10."""
    await a_partner(tx)
    customer = await a_customer(tx)
    customer.status = status

    await refused(tx, customer, StatusForbids, company={"city": "Bremen"})


async def test_a_change_of_a_version_that_passed_is_refused(tx: Transaction) -> None:
    await a_partner(tx)
    customer = await a_customer(tx)

    with pytest.raises(Stale):
        await changed(tx, customer, seen=Seen(frozenset({7})), company={"city": "Bremen"})


PORTALS = (
    ("update customers set status = 'active'", "may only have it held"),
    ("update customers set review_reasons = '{}'", "takes no reason away"),
    ("update reviews set findings = '[]'", "takes no finding away"),
    ("update reviews set status = 'cleared'", "permission denied"),
    ("delete from reviews", "permission denied"),
    ("update customers set tags = '{}'", "permission denied"),
)


@pytest.mark.parametrize(("statement", "refusal"), PORTALS)
async def test_a_customers_own_role_never_takes_it_out_of_review(tx: Transaction, statement: str, refusal: str) -> None:
    """CUS-14: whatever statement a portal's request is made to run, only a reviewer lets a customer go on."""
    await a_partner(tx)
    customer = await a_customer(tx, company=a_company(name=DENIED))
    await tx.session.execute(text("select set_config('app.customer', :id, true)"), {"id": str(customer.id)})
    await tx.session.execute(text("select set_config('role', 'customers_portal', true)"))

    with pytest.raises(DBAPIError, match=refusal):
        async with tx.session.begin_nested():
            await tx.session.execute(text(f"{statement} where true"))
    await tx.session.execute(text("select set_config('role', 'customers_partner', true)"))


async def test_another_partners_customer_does_not_exist(tx: Transaction) -> None:
    await a_partner(tx)
    customer = await a_customer(tx)

    async with as_stranger(tx) as stranger:
        with pytest.raises(CustomerNotFound):
            await changed(stranger, customer, company={"city": "Bremen"})


async def test_the_contacts_own_address_may_be_written_otherwise(tx: Transaction) -> None:
    """CUS-39, CUS-11: also where no user of the customer signs in by it."""
    await a_partner(tx)
    named = FirstAdminWanted(first_name="Eva", last_name="Berg")
    customer = await a_customer(tx, contact=a_contact(email="Ada@mueller.example"), first_admin=named)
    await opened_to_the_partner(tx, "/contact")

    await changed(tx, customer, contact={"email": "ada@mueller.example"})

    assert customer.contact["email"] == "ada@mueller.example"


@pytest.mark.parametrize("written", ["040 123456 ext 17", "+4940123456;ext=17"])
async def test_the_extension_of_a_number_is_kept(tx: Transaction, written: str) -> None:
    """CUS-07, CUS-08: as RFC 3966 writes it."""
    await a_partner(tx)
    customer = await a_customer(tx)

    await changed(tx, customer, company={"phone": written})

    assert customer.company["phone"] == "+4940123456;ext=17"
