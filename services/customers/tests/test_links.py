"""Who lost the mail or came too late is sent a new link, and the earlier ones stop working (NOT-12, CUS-25)."""

from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import select

from chassis.database import Transaction
from chassis_testing.database import as_stranger
from contracts.customers.credentials import CredentialLinkRequested
from contracts.customers.customers import CustomerChanged
from customers import links
from customers.errors import CustomerNotServed, PasswordSet, UserDisabled, UserNotFound
from customers.links import RequestLink
from customers.rules.linking import LIFETIMES
from customers.tables.links import Link
from customers.tables.roles import Role
from customers.tables.users import User
from customers.users import AddUser, add
from customers_testing.builders import DENIED, a_company, a_customer, a_partner
from customers_testing.http import LINK_KEY, OPERATOR, PASSWORD, Web, a_body, as_owner, link_of


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json().get("code", "")


async def invited(tx: Transaction) -> User:
    """A user of the partner who has not set a password yet."""
    role = (await tx.session.scalars(select(Role).where(Role.partner_id == tx.partner_id, Role.name == "Administrator"))).one()
    user = await add(tx, AddUser(name="Bob", email="bob@hafen.example", role_ids=(role.id,)))
    tx.told.clear()
    return user


async def links_of(tx: Transaction, user_id: UUID) -> list[Link]:
    """Those that are still good."""
    good = select(Link).where(Link.partner_id == tx.partner_id, Link.user_id == user_id, Link.used_at.is_(None))
    return list(await tx.session.scalars(good))


def link_told(tx: Transaction) -> CredentialLinkRequested:
    return next(one.record for one in tx.told if isinstance(one.record, CredentialLinkRequested))


async def test_an_invitation_is_told_anew_and_takes_the_place_of_the_first(tx: Transaction) -> None:
    """NOT-12."""
    await a_partner(tx)
    user = await invited(tx)
    [first] = await links_of(tx, user.id)

    sent = await links.request(tx, RequestLink(user_id=user.id, customer_id=None))

    assert tx.facts_told == [CredentialLinkRequested]
    assert (link_told(tx).purpose, link_told(tx).expires_at) == ("invitation", tx.now + LIFETIMES["invitation"])
    assert [link.id for link in await links_of(tx, user.id)] == [link_told(tx).link_id] != [first.id]
    assert (sent.user_id, sent.purpose, sent.expires_at) == (user.id, "invitation", link_told(tx).expires_at)


@pytest.mark.parametrize("send_welcome", [True, False])
async def test_a_first_admin_is_welcomed_anew_by_its_customers_state(tx: Transaction, *, send_welcome: bool) -> None:
    """NOT-12, CUS-25: also where no welcome was wanted at first."""
    await a_partner(tx)
    customer = await a_customer(tx, send_welcome=send_welcome)
    user_id = UUID(customer.first_admin["user_id"])

    await links.request(tx, RequestLink(user_id=user_id, customer_id=customer.id))

    state = next(one.record for one in tx.told if isinstance(one.record, CustomerChanged)).state
    assert tx.facts_told == [CredentialLinkRequested]
    assert state.welcome_link_id == link_told(tx).link_id
    assert link_told(tx).purpose == "welcome"
    assert [link.id for link in await links_of(tx, user_id)] == [state.welcome_link_id]


async def test_a_first_admin_who_lost_its_password_is_welcomed_anew(tx: Transaction) -> None:
    """NOT-12."""
    await a_partner(tx)
    customer = await a_customer(tx)
    user = (await tx.session.scalars(select(User).where(User.customer_id == customer.id))).one()
    user.status = "active"

    await links.request(tx, RequestLink(user_id=user.id, customer_id=customer.id))

    assert link_told(tx).user_id == user.id


async def test_nobody_is_mailed_who_needs_no_link_or_may_not_sign_in(tx: Transaction) -> None:
    """NOT-12, CUS-25."""
    await a_partner(tx)
    user = await invited(tx)
    for status, refusal in (("active", PasswordSet), ("disabled", UserDisabled)):
        user.status = status
        with pytest.raises(refusal):
            await links.request(tx, RequestLink(user_id=user.id, customer_id=None))
    customer = await a_customer(tx)
    customer.status = "deleting"
    with pytest.raises(CustomerNotServed):
        await links.request(tx, RequestLink(user_id=UUID(customer.first_admin["user_id"]), customer_id=customer.id))
    assert tx.told == []


async def test_a_stranger_asks_for_nobodys_link(tx: Transaction) -> None:
    await a_partner(tx)
    user_id, customer_id = (await invited(tx)).id, (await a_customer(tx)).id

    async with as_stranger(tx) as stranger:
        for whose in (None, customer_id):
            with pytest.raises(UserNotFound):
                await links.request(stranger, RequestLink(user_id=user_id, customer_id=whose))
    with pytest.raises(UserNotFound):
        await links.request(tx, RequestLink(user_id=user_id, customer_id=customer_id))


async def test_only_the_newest_link_sets_a_password(web: Web) -> None:
    """NOT-12: a partner asks for its customer's, which then signs in."""
    partner = await web.a_partner()
    customer = (await partner.post("/v1/customers", a_body())).json()
    first = await link_of(web, "ada@mueller.example", LINK_KEY)

    sent = await partner.post(f"/v1/users/{customer['first_admin']['user_id']}/link")

    assert (sent.status_code, sent.json()["purpose"]) == (202, "welcome")
    assert set(sent.json()) == {"user_id", "purpose", "expires_at"}
    refused = await web.post("/v1/credentials/set-password", {"token": first, "password": PASSWORD})
    assert code(refused) == (422, "link_invalid")
    assert (await (await web.invited("ada@mueller.example")).get("/v1/me")).status_code == 200


async def test_who_may_ask_for_whose_link(web: Web) -> None:
    """CUS-80, CUS-85: users of the partner for who manages users, customers' for who may change that customer."""
    partner, operator, stranger = await web.a_partner(), await web.sign_in(OPERATOR), await web.a_partner("Berg IT", "berg.example")
    roles = {role["name"]: role["id"] for role in (await partner.get("/v1/roles")).json()["items"]}
    bodies = [{"name": name, "email": f"{name}@hafen.example", "role_ids": [roles["Administrator"]]} for name in ("bob", "eve")]
    users = [(await partner.post("/v1/users", body)).json()["id"] for body in bodies]
    customer = (await partner.post("/v1/customers", a_body())).json()
    theirs, bob, eve = customer["first_admin"]["user_id"], await web.invited("bob@hafen.example"), users[1]

    assert code(await bob.post(f"/v1/users/{eve}/link")) == (403, "not_allowed")
    assert [(await one.post(f"/v1/users/{eve}/link")).status_code for one in (partner, operator)] == [202, 202]
    assert [(await one.post(f"/v1/users/{theirs}/link")).status_code for one in (partner, operator, bob)] == [202, 202, 202]
    assert code(await partner.post(f"/v1/users/{users[0]}/link")) == (409, "password_set")
    for user in (eve, theirs, str(uuid4())):
        assert code(await stranger.post(f"/v1/users/{user}/link")) == (404, "user_not_found")
    for level, refused in (("read", (403, "read_only_access")), ("none", (404, "user_not_found"))):
        await as_owner(web, "update roles set all_customers = $1 where id = $2", level, UUID(roles["Administrator"]))
        assert code(await bob.post(f"/v1/users/{theirs}/link")) == refused


async def test_the_same_request_for_a_link_is_one_link(web: Web) -> None:
    partner = await web.a_partner()
    user_id = (await partner.post("/v1/customers", a_body(company=a_body()["company"] | {"name": DENIED}))).json()["first_admin"]["user_id"]

    answers = [await partner.post(f"/v1/users/{user_id}/link", idempotency_key="once") for _ in range(2)]

    assert answers[0].content == answers[1].content
    told = "select count(*) from outbox where topic like '%credential.link_requested' and entity = $1"
    assert await as_owner(web, told, UUID(user_id)) == 2


async def test_a_link_asked_for_in_review_is_mailed_when_it_is_over(tx: Transaction) -> None:
    """CUS-13, CUS-25."""
    await a_partner(tx)
    customer = await a_customer(tx, company=a_company(name=DENIED), send_welcome=False)

    await links.request(tx, RequestLink(user_id=UUID(customer.first_admin["user_id"]), customer_id=customer.id))

    assert (customer.status, customer.welcome_link_id) == ("pending_review", link_told(tx).link_id)


async def test_the_audit_says_what_kind_of_user_set_its_password_by_a_link(web: Web) -> None:
    """GW-11: though it changes a row of its partner, a customer's user is none of the partner's."""
    await web.a_customer_user()

    kind = "select string_agg(distinct user_kind, ',') from audit where operation like '%set_password'"
    assert await as_owner(web, kind) == "customer"
