"""Who signs in by another address shows its password, and both addresses have a say (CUS-77, CUS-76, GW-01)."""

import asyncio
import json
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from chassis.database import WorkerDatabase
from chassis.due import DueWorker
from chassis.links import link_token
from chassis_testing.clock import FixedClock
from contracts.root import ROOT_PARTNER_ID
from customers import due
from customers.identity.email_changes import CONFIRMABLE, UNDOABLE
from customers.rules.rehoming import rehome
from customers.tables.customers import Customer
from customers_testing.http import LINK_KEY, PASSWORD, Web, as_owner

GRACE, NEW = "grace@hafen.example", "grace.new@hafen.example"


async def asked(who: Web, email: str = NEW, password: str = PASSWORD) -> tuple[str, str]:
    """The tokens that both mails would carry, to confirm and to take back."""
    answer = await who.post("/v1/me/email-change", {"email": email, "password": password})
    assert answer.status_code == 202, answer.text
    newest = "select json_build_array(id, undo_id) from email_changes order by id desc limit 1"
    ids: list[str] = json.loads(str(await as_owner(who, newest)))
    confirm, undo = (link_token(LINK_KEY.encode(), UUID(one)) for one in ids)
    return confirm, undo


async def sent(web: Web, deed: str, token: str) -> tuple[int, str]:
    answer = await web.post(f"/v1/email-changes/{deed}", {"token": token})
    return answer.status_code, answer.json()["code"] if answer.content else ""


async def lets_in(web: Web, email: str) -> bool:
    return (await web.post("/v1/sessions", {"email": email, "password": PASSWORD})).status_code == 201


async def test_the_new_address_confirms_and_from_then_on_signs_in(web: Web) -> None:
    grace = await web.a_partner()

    confirm, _ = await asked(grace)
    assert [await lets_in(web, one) for one in (GRACE, NEW)] == [True, False]
    assert await sent(web, "confirm", confirm) == (204, "")

    assert [await lets_in(web, one) for one in (GRACE, NEW)] == [False, True]
    assert (await grace.get("/v1/me")).json()["code"] == "access_ended"
    assert await sent(web, "confirm", confirm) == (422, "link_invalid")


async def test_both_sides_are_told_of_it_by_the_users_state(web: Web) -> None:
    """What notifications writes by: the links' ids, never their tokens."""
    grace = await web.a_partner()
    confirm, _ = await asked(grace)
    await sent(web, "confirm", confirm)

    told = (
        "select json_agg(convert_from(payload, 'utf8')::json -> 'state' -> 'email_change' order by id) from outbox"
        " where topic = 'user.changed' and convert_from(payload, 'utf8')::jsonb -> 'state' -> 'email_change' <> 'null'"
    )
    asking, done = json.loads(str(await as_owner(web, told)))
    assert [(one["old"], one["new"], one["confirmed"]) for one in (asking, done)] == [(GRACE, NEW, False), (GRACE, NEW, True)]
    facts = "select array_agg(convert_from(payload, 'utf8')::json ->> 'fields' order by id) from outbox where topic = 'user.updated'"
    assert await as_owner(web, facts) == ['["email_change"]', '["email"]']
    assert confirm not in str(await as_owner(web, "select string_agg(convert_from(payload, 'utf8'), '') from outbox"))


async def test_the_old_address_takes_back_whatever_came_after(web: Web) -> None:
    """Also a second change, by which somebody else would have kept it."""
    grace = await web.a_partner()
    first, undo = await asked(grace)
    await sent(web, "confirm", first)
    second, _ = await asked(await web.sign_in(NEW), "mallory@elsewhere.example")
    await sent(web, "confirm", second)

    assert await sent(web, "undo", undo) == (204, "")

    assert [await lets_in(web, one) for one in (GRACE, NEW, "mallory@elsewhere.example")] == [True, False, False]
    assert await sent(web, "undo", undo) == (422, "link_invalid")


async def test_the_old_address_is_nobody_elses_for_a_week(web: Web, worker_database: WorkerDatabase, clock: FixedClock) -> None:
    grace = await web.a_partner()
    confirm, undo = await asked(grace)
    await sent(web, "confirm", confirm)
    grace = await web.sign_in(NEW)
    role = (await grace.get("/v1/roles")).json()["items"][0]["id"]
    bob = {"name": "Bob", "email": GRACE, "role_ids": [role]}

    assert (await grace.post("/v1/users", bob)).json()["code"] == "email_taken"
    clock.move(UNDOABLE)
    work = DueWorker(due.kinds(), worker_database, clock)
    while await work.work_one():
        pass

    assert await sent(web, "undo", undo) == (422, "link_invalid")
    assert (await (await web.sign_in(NEW)).post("/v1/users", bob)).status_code == 201
    assert await as_owner(web, "select count(*) from email_changes") == 0
    assert await as_owner(web, "select email_change from users where email = $1", NEW) is None


async def test_it_is_free_again_wherever_the_users_customer_is_by_then(
    web: Web, worker_database: WorkerDatabase, clock: FixedClock
) -> None:
    """The old address, which is kept under its user."""
    confirm, _ = await asked(await web.a_customer_user(), "ada.new@mueller.example")
    await sent(web, "confirm", confirm)
    partner = UUID(str(await as_owner(web, "select partner_id from customers")))
    async with worker_database.work() as work, work.item(partner) as tx:
        customer = (await tx.session.scalars(select(Customer).where(Customer.partner_id == partner))).one()
        await rehome(tx, customer, ROOT_PARTNER_ID)

    clock.move(UNDOABLE)
    over = DueWorker(due.kinds(), worker_database, clock)
    while await over.work_one():
        pass

    assert await as_owner(web, "select count(*) from email_changes") == 0
    assert await as_owner(web, "select email_change from users where email = 'ada.new@mueller.example'") is None


async def test_only_the_last_change_that_was_asked_for_is_confirmed_and_not_too_late(web: Web, clock: FixedClock) -> None:
    grace = await web.a_partner()
    first, _ = await asked(grace)
    second, _ = await asked(grace, "grace.newer@hafen.example")

    assert await sent(web, "confirm", first) == (422, "link_invalid")
    clock.move(CONFIRMABLE)
    assert await sent(web, "confirm", second) == (422, "link_invalid")


async def test_of_two_who_confirm_one_address_at_once_one_has_it(web: Web) -> None:
    """CUS-76: and who only asks learns of nobody."""
    grace, eve = await web.a_partner(), await web.a_partner("Berg IT", "berg.example")
    tokens = [(await asked(who, "shared@elsewhere.example"))[0] for who in (grace, eve)]

    answers = await asyncio.gather(*(sent(web, "confirm", token) for token in tokens))

    assert sorted(answers) == [(204, ""), (409, "email_taken")]


async def test_one_link_that_is_followed_by_many_at_once_is_used_once(web: Web) -> None:
    confirm, _ = await asked(await web.a_partner())

    answers = await asyncio.gather(*(sent(web, "confirm", confirm) for _ in range(20)))

    assert sorted(answers) == [(204, "")] + [(422, "link_invalid")] * 19


async def test_a_customers_first_admin_stays_on_its_domain_and_its_customer_says_its_address(web: Web) -> None:
    """CUS-23."""
    ada = await web.a_customer_user()
    refused = await ada.post("/v1/me/email-change", {"email": "ada@elsewhere.example", "password": PASSWORD})
    assert [(error["pointer"], error["code"]) for error in refused.json()["errors"]] == [("/email", "foreign_domain")]

    confirm, undo = await asked(ada, "ada.l@mueller.example")
    assert await sent(web, "confirm", confirm) == (204, "")

    address = "select first_admin ->> 'email' from customers"
    assert await as_owner(web, address) == "ada.l@mueller.example"
    assert await sent(web, "undo", undo) == (204, "")
    assert await as_owner(web, address) == "ada@mueller.example"


async def test_without_the_password_nothing_is_asked(web: Web) -> None:
    grace = await web.a_partner()

    refused = await grace.post("/v1/me/email-change", {"email": NEW, "password": "something else"})

    assert (refused.status_code, refused.json()["code"]) == (422, "password_wrong")
    assert await as_owner(web, "select count(*) from email_changes") == 0


@pytest.mark.parametrize("deed", ["confirm", "undo"])
async def test_a_forged_token_and_one_of_another_kind_of_link_are_worth_nothing(web: Web, deed: str) -> None:
    grace = await web.a_partner()
    confirm, undo = await asked(grace)

    assert await sent(web, deed, link_token(b"another key", UUID(hex=confirm[:32]))) == (422, "link_invalid")
    assert await sent(web, deed, undo if deed == "confirm" else confirm) == (422, "link_invalid")
    set_password: Any = await web.post("/v1/credentials/set-password", {"token": confirm, "password": PASSWORD})
    assert set_password.json()["code"] == "link_invalid"


async def test_every_step_is_in_the_audit_with_what_was_before(web: Web) -> None:
    """GW-11."""
    confirm, undo = await asked(await web.a_partner())
    await sent(web, "confirm", confirm)
    await sent(web, "undo", undo)

    found = (
        "select json_agg(json_build_array(a.operation, v.before ->> 'email', v.after ->> 'email') order by a.id)"
        " from audit a join audit_values v on v.audit_id = a.id where a.subject_type = 'user' and a.operation like 'email-changes%'"
    )
    assert json.loads(str(await as_owner(web, found))) == [
        ["email-changes_ask", None, None],
        ["email-changes_confirm", GRACE, NEW],
        ["email-changes_undo", NEW, GRACE],
    ]


async def test_the_old_address_is_asked_no_more_when_the_week_is_over(web: Web, clock: FixedClock) -> None:
    confirm, undo = await asked(await web.a_partner())
    await sent(web, "confirm", confirm)
    clock.move(UNDOABLE + timedelta(seconds=1))

    assert await sent(web, "undo", undo) == (422, "link_invalid")


async def test_an_address_that_may_be_taken_back_is_taken(web: Web) -> None:
    """CUS-11: what says so early is what refuses it in the end."""
    confirm, _ = await asked(await web.a_partner())
    await sent(web, "confirm", confirm)

    said = await (await web.sign_in(NEW)).post("/v1/customer-checks", {"contact": {"email": GRACE}})

    assert "email_taken" in {one["code"] for one in said.json()["problems"] if one["pointer"] == "/contact/email"}
