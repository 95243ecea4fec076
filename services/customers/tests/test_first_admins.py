"""A temporary first address is replaced once, by one on the customer's domain, and the login goes with it (CUS-24)."""

from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import select

from chassis.database import Transaction
from chassis.errors import Refusal
from chassis.http.etags import Seen, Stale
from chassis_testing.database import as_stranger
from contracts.customers.credentials import CredentialLinkRequested
from contracts.customers.customers import CustomerChanged
from contracts.customers.users import UserUpdated
from customers import first_admins, reviews
from customers.errors import CustomerNotFound, EmailTaken, NotAcceptable, NotTemporary
from customers.first_admins import ReplaceAddress
from customers.reviews import ClearReview
from customers.rules.application import FirstAdminWanted
from customers.tables.customers import Customer
from customers.tables.links import Link
from customers.tables.users import User
from customers_testing.builders import DENIED, a_company, a_contact, a_customer, a_partner, a_user, as_published, for_company
from customers_testing.http import LINK_KEY, PASSWORD, Web, a_body, link_of

ANY = Seen(None)
TEMPORARY = {"first_name": "Grace", "last_name": "Hopper", "email": "grace@elsewhere.example", "temporary": True}


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json().get("code", "")


async def a_temporary_one(tx: Transaction, **changes: Any) -> Customer:
    await a_partner(tx)
    return await a_customer(tx, first_admin=FirstAdminWanted(**TEMPORARY), **changes)


async def admin_of(tx: Transaction, customer: Customer) -> User:
    return (await tx.session.scalars(select(User).where(User.id == UUID(customer.first_admin["user_id"])))).one()


async def links_of(tx: Transaction, user: User) -> list[UUID]:
    return list(await tx.session.scalars(select(Link.id).where(Link.user_id == user.id, Link.used_at.is_(None))))


async def replaced(tx: Transaction, customer: Customer, email: str) -> Customer:
    return await first_admins.replace_address(tx, ReplaceAddress(customer_id=customer.id, seen=ANY, email=email))


async def test_the_lasting_address_takes_the_place_of_the_temporary_one(tx: Transaction) -> None:
    """CUS-24: told of the user and in the customer's state; the link of the first mail is worth nothing now."""
    customer = await a_temporary_one(tx)

    await replaced(tx, customer, "grace@it.mueller.example")

    assert tx.facts_told == [UserUpdated]
    state = next(one.record for one in tx.told if isinstance(one.record, CustomerChanged)).state
    assert (state.first_admin.email, state.first_admin.temporary) == ("grace@it.mueller.example", False)
    user = await admin_of(tx, customer)
    assert (user.email, user.status, user.gen) == ("grace@it.mueller.example", "invited", 2)
    assert state.welcome_link_id is None
    assert await links_of(tx, user) == []


async def test_in_review_the_welcome_waits_for_the_lasting_address(tx: Transaction) -> None:
    """CUS-13, CUS-24: nothing was mailed yet."""
    customer = await a_temporary_one(tx, company=a_company(name=DENIED))
    link_id = customer.welcome_link_id

    await replaced(tx, customer, "grace@mueller.example")
    await reviews.clear(tx, ClearReview(customer_id=customer.id, seen=ANY))

    told = next(one.record for one in tx.told if isinstance(one.record, CredentialLinkRequested))
    assert (customer.status, customer.welcome_link_id, told.link_id) == ("active", link_id, link_id)
    assert await links_of(tx, await admin_of(tx, customer)) == [link_id]


async def test_it_is_replaced_once(tx: Transaction) -> None:
    """CUS-24."""
    customer = await a_temporary_one(tx)
    await replaced(tx, customer, "grace@mueller.example")

    with pytest.raises(NotTemporary):
        await replaced(tx, customer, "hopper@mueller.example")


@pytest.mark.parametrize(
    ("email", "kind", "said"),
    [
        ("grace@other.example", NotAcceptable, "foreign_domain"),
        ("eva@mueller.example", EmailTaken, "email_taken"),
    ],
)
async def test_the_lasting_address_is_on_the_domain_and_nobody_elses(tx: Transaction, email: str, kind: type[Refusal], said: str) -> None:
    """CUS-23, CUS-11."""
    customer = await a_temporary_one(tx)
    application = for_company("Berg Bau", "berg.example")
    await a_customer(
        tx,
        company=application.company,
        contact=a_contact(email="eva@mueller.example"),
        first_admin=FirstAdminWanted(first_name="Eva", last_name="Berg"),
        domain="berg.example",
    )

    with pytest.raises(kind) as refusal:
        await replaced(tx, customer, email)

    assert [(error.pointer, error.code) for error in refusal.value.errors] == [("/email", said)]
    assert tx.told == []


async def test_the_contact_may_become_the_first_admin(tx: Transaction) -> None:
    """CUS-10, CUS-24: the address was kept for the customer itself."""
    customer = await a_temporary_one(tx)

    await replaced(tx, customer, "ada@mueller.example")

    assert (await admin_of(tx, customer)).email == "ada@mueller.example"


async def test_the_contacts_address_stays_taken_when_the_first_admin_leaves_it(tx: Transaction) -> None:
    """CUS-11, CUS-24."""
    customer = await a_temporary_one(tx, contact=a_contact(email="grace@elsewhere.example"))
    await replaced(tx, customer, "grace@mueller.example")

    with pytest.raises(EmailTaken):
        await a_customer(
            tx,
            company=for_company("Berg Bau", "berg.example").company,
            contact=a_contact(email="Grace@elsewhere.example"),
            first_admin=FirstAdminWanted(first_name="Eva", last_name="Berg"),
            domain="berg.example",
        )


async def test_who_has_seen_another_version_or_is_a_stranger_replaces_nothing(tx: Transaction) -> None:
    customer = await a_temporary_one(tx)

    command = ReplaceAddress(customer_id=customer.id, seen=Seen(frozenset({7})), email="grace@mueller.example")
    with pytest.raises(Stale):
        await first_admins.replace_address(tx, command)
    async with as_stranger(tx) as stranger:
        with pytest.raises(CustomerNotFound):
            await replaced(stranger, customer, "grace@mueller.example")


async def test_the_first_admin_signs_in_by_the_lasting_address_alone(web: Web) -> None:
    """CUS-24, CUS-49: whoever had the temporary one is signed in no more, and its password opens nothing."""
    partner = await web.a_partner()
    customer = (await partner.post("/v1/customers", a_body(first_admin=TEMPORARY))).json()
    path = f"/v1/customers/{customer['id']}/first-admin"
    before = await web.invited("grace@elsewhere.example")

    assert code(await partner.post(path, {"email": "grace@mueller.example"})) == (428, "if_match_required")
    done = await partner.post(path, {"email": "grace@mueller.example"}, if_match='"1"')

    assert (done.status_code, done.headers["etag"]) == (200, '"2"')
    assert done.json()["first_admin"] | {"user_id": ""} == TEMPORARY | {
        "user_id": "",
        "email": "grace@mueller.example",
        "temporary": False,
    }
    assert code(await before.get("/v1/me")) == (401, "access_ended")
    gone = await web.post("/v1/sessions", {"email": "grace@elsewhere.example", "password": PASSWORD})
    assert code(gone) == (401, "credentials_wrong")
    old = await web.post("/v1/sessions", {"email": "grace@mueller.example", "password": PASSWORD})
    assert code(old) == (403, "sign_in_refused")
    assert (await partner.post(f"/v1/users/{customer['first_admin']['user_id']}/link")).status_code == 202
    await web.invited("grace@mueller.example")


async def test_the_lasting_address_is_not_the_partners(tx: Transaction) -> None:
    """CUS-09, CUS-49: where the policy lets it be on any domain."""
    customer = await a_temporary_one(tx)
    await a_user(tx, email="bob@hafen.example")
    await as_published(tx, "identity", {"first_admin": "any", "temporary_allowed": True})

    with pytest.raises(NotAcceptable) as refusal:
        await replaced(tx, customer, "shadow@mail.hafen.example")

    assert [(error.pointer, error.code) for error in refusal.value.errors] == [("/email", "reseller_contact")]


async def test_a_link_mailed_to_the_temporary_address_sets_no_password(web: Web) -> None:
    """CUS-24, NOT-12."""
    partner = await web.a_partner()
    customer = (await partner.post("/v1/customers", a_body(first_admin=TEMPORARY))).json()
    mailed = await link_of(web, "grace@elsewhere.example", LINK_KEY)
    await partner.post(f"/v1/customers/{customer['id']}/first-admin", {"email": "grace@mueller.example"}, if_match='"1"')

    refused = await web.post("/v1/credentials/set-password", {"token": mailed, "password": PASSWORD})

    assert code(refused) == (422, "link_invalid")
    assert (await partner.post(f"/v1/users/{customer['first_admin']['user_id']}/link")).status_code == 202
    await web.invited("grace@mueller.example")
