"""A disabled customer rests: nobody of it signs in, until it is enabled again, at any time (C-2; CUS-70 for customers)."""

import asyncio
from collections import Counter
from uuid import UUID

import pytest
from sqlalchemy import select

from chassis.database import Transaction
from chassis.database.outbox import Lane
from chassis.http.etags import Seen, Stale
from chassis_testing.database import as_stranger
from contracts.customers.customers import CustomerChanged
from contracts.customers.offboarding import CustomerDisabled, CustomerEnabled
from contracts.customers.users import UserChanged
from customers.errors import CustomerNotFound, CustomerNotServed
from customers.errors.offboarding import NotDisabled
from customers.offboarding import disabling
from customers.offboarding.disabling import DisableCustomer, EnableCustomer
from customers.rules import consequences
from customers.tables.customers import Customer
from customers.tables.users import User
from customers_testing.builders import DENIED, a_customer, a_partner
from customers_testing.http import OPERATOR, PASSWORD, Web, a_body, as_owner

ANY = Seen(None)


def disable(customer: Customer, seen: Seen = ANY) -> DisableCustomer:
    confirmation = consequences.of_disabling(customer).confirmation
    return DisableCustomer(customer_id=customer.id, seen=seen, confirmation=confirmation)


def enable(customer_id: UUID) -> EnableCustomer:
    return EnableCustomer(customer_id=customer_id, seen=ANY)


async def test_it_is_told_at_once_with_the_end_of_its_users_tokens(tx: Transaction) -> None:
    await a_partner(tx)
    customer = await a_customer(tx)
    before = (await tx.session.scalars(select(User).where(User.partner_id == tx.partner_id, User.customer_id == customer.id))).one()
    gen = before.gen

    await disabling.disable(tx, disable(customer))

    fact, state, user = tx.told
    assert fact.record == CustomerDisabled(disabled_by=tx.principal.user_id if tx.principal else None)
    assert isinstance(state.record, CustomerChanged)
    assert (state.record.state.status, state.about.version, state.lane) == ("disabled", customer.version, Lane.URGENT)
    assert isinstance(user.record, UserChanged)
    assert user.record.state.gen == gen + 1


async def test_what_a_review_rejected_only_an_operator_enables(web: Web) -> None:
    """CUS-13: renamed to a denied name, held, rejected. Its partner reads why, and undoes it neither alone nor in bulk."""
    partner, operator = await web.a_partner(), await web.sign_in(OPERATOR)
    customer = (await partner.post("/v1/customers", a_body())).json()
    path = f"/v1/customers/{customer['id']}"
    await partner.patch(path, {"company": {"name": DENIED}}, if_match='"1"')
    held = (await partner.get(path)).headers["etag"]
    said = await operator.post(f"{path}/review/reject", {"reason": "It is who we think it is."}, if_match=held)
    assert said.is_success, said.text
    seen = await partner.get(path)

    refused = await partner.post(f"{path}/enable", if_match=seen.headers["etag"])

    assert (seen.json()["status"], seen.json()["rejected_for"]) == ("disabled", "It is who we think it is.")
    assert (refused.status_code, refused.json()["code"], refused.json()["rule"]) == (409, "rejected_in_review", "CUS-13")
    offered = {one["action"]: one["code"] for one in (await partner.get(f"{path}/actions")).json()["items"]}
    assert offered["enable"] == "rejected_in_review"
    lifted = await operator.post(f"{path}/enable", if_match=seen.headers["etag"], partnerdeck_acting_as=customer["partner_id"])
    assert (lifted.json()["status"], lifted.json()["rejected_for"]) == ("active", None)


async def test_it_is_enabled_at_any_time_and_nothing_is_done_twice(tx: Transaction) -> None:
    await a_partner(tx)
    customer = await a_customer(tx)
    with pytest.raises(NotDisabled):
        await disabling.enable(tx, enable(customer.id))
    await disabling.disable(tx, disable(customer))
    with pytest.raises(CustomerNotServed):
        await disabling.disable(tx, disable(customer))

    await disabling.enable(tx, enable(customer.id))

    assert customer.status == "active"
    assert tx.facts_told == [CustomerDisabled, CustomerEnabled]


async def test_it_is_not_done_over_a_newer_version_nor_by_another_partner(tx: Transaction) -> None:
    await a_partner(tx)
    customer = await a_customer(tx)

    asked = disable(customer)

    with pytest.raises(Stale):
        await disabling.disable(tx, disable(customer, Seen(frozenset({customer.version + 1}))))
    async with as_stranger(tx) as stranger:
        with pytest.raises(CustomerNotFound):
            await disabling.disable(stranger, asked)


async def test_its_users_are_signed_out_and_stay_so_until_it_is_enabled(web: Web) -> None:
    partner = await web.a_partner()
    customer = (await partner.post("/v1/customers", a_body())).json()
    ada = await web.invited("ada@mueller.example")

    disabled = await partner.confirmed(f"/v1/customers/{customer['id']}/disable", if_match=f'"{customer["version"]}"')

    assert (disabled.status_code, disabled.json()["status"]) == (200, "disabled")
    assert (await ada.get("/v1/me")).json()["code"] == "access_ended"
    refused = await web.post("/v1/sessions", {"email": "ada@mueller.example", "password": PASSWORD})
    assert (refused.status_code, refused.json()["code"]) == (403, "sign_in_refused")
    await partner.post(f"/v1/customers/{customer['id']}/enable", if_match="*")
    assert (await (await web.sign_in("ada@mueller.example")).get("/v1/me")).is_success


async def test_of_twenty_who_disable_it_at_once_one_does(web: Web) -> None:
    partner = await web.a_partner()
    customer = (await partner.post("/v1/customers", a_body())).json()

    answers = await asyncio.gather(*(partner.confirmed(f"/v1/customers/{customer['id']}/disable", if_match="*") for _ in range(20)))

    assert Counter(answer.json().get("code", "disabled") for answer in answers) == {"disabled": 1, "customer_not_active": 19}
    told = await as_owner(web, "select count(*) from outbox where topic = 'customer.disabled'")
    assert told == 1


async def test_who_asks_must_say_what_it_has_seen_and_may_remove_customers(web: Web) -> None:
    partner = await web.a_partner()
    customer = (await partner.post("/v1/customers", a_body())).json()
    path = f"/v1/customers/{customer['id']}/disable"
    stranger = await web.a_partner("Berg IT", "berg.example")
    ada = await web.invited("ada@mueller.example")

    assert (await partner.post(path)).status_code == 428
    assert (await partner.post(path, if_match='"99"')).status_code == 412
    assert (await stranger.post(path, if_match="*")).json()["code"] == "customer_not_found"
    assert (await ada.post(path, if_match="*")).json()["code"] == "wrong_principal"
    await as_owner(web, "update roles set permissions = array_remove(permissions, 'customers.remove')")
    assert (await partner.post(path, if_match="*")).json()["code"] == "not_allowed"
    await as_owner(web, "update roles set permissions = '{customers.remove}', default_level = 'read', all_customers = null")
    assert (await partner.post(path, if_match="*")).json()["code"] == "read_only_access"
    await as_owner(web, "update roles set default_level = 'none'")
    assert (await partner.post(path, if_match="*")).json()["code"] == "customer_not_found"


async def test_the_audit_says_who_and_what_it_was_before(web: Web) -> None:
    partner = await web.a_partner()
    customer = (await partner.post("/v1/customers", a_body())).json()
    await partner.confirmed(f"/v1/customers/{customer['id']}/disable", if_match="*")

    values = await as_owner(
        web,
        "select v.before ->> 'status' || ' ' || (v.after ->> 'status') from audit a"
        " join audit_values v on v.partner_id = a.partner_id and v.audit_id = a.id"
        " where a.operation = 'off-boarding_disable' and a.subject_type = 'customer'",
    )

    assert values == "active disabled"
