"""Who is signed in where, and how that ends: by itself, or by who manages users (GW-01, CUS-76)."""

import asyncio
import json
from datetime import timedelta
from typing import Any

import pytest

from chassis_testing.clock import FixedClock
from customers.identity import own_sessions
from customers_testing.http import OPERATOR, PASSWORD, Web, a_body, as_owner
from customers_testing.people import a_user_with, role_named

GRACE = "grace@hafen.example"
TEMPORARY = {"first_name": "Ada", "last_name": "Lovelace", "email": "ada@elsewhere.example", "temporary": True}


async def signed_in(web: Web, email: str = GRACE, **headers: str) -> tuple[Web, str]:
    """Somebody, and its refresh token."""
    answer = await web.post("/v1/sessions", {"email": email, "password": PASSWORD}, **headers)
    assert answer.status_code == 201, answer.text
    return Web(web.client, web.database, answer.json()["access_token"]), answer.json()["refresh_token"]


async def goes_on(web: Web, refresh_token: str) -> bool:
    return (await web.post("/v1/sessions/refresh", {"refresh_token": refresh_token})).status_code == 200


async def listed(who: Web, path: str = "/v1/me/sessions") -> list[dict[str, Any]]:
    answer = await who.get(path)
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


async def test_ones_sessions_are_listed_by_device_with_when_they_were_used(web: Web, clock: FixedClock) -> None:
    await web.a_partner()
    await as_owner(web, "delete from sessions")
    phone, _ = await signed_in(web, user_agent="Phone/1", x_forwarded_for="198.51.100.7")
    clock.move(timedelta(minutes=1))
    await signed_in(web, user_agent="Laptop/2\x7f" + "x" * 400)

    found = await listed(phone)

    assert [(one["agent"][:8], one["address"], one["current"]) for one in found] == [
        ("Laptop/2", None, False),
        ("Phone/1", "198.51.100.7", True),
    ]
    assert found[1]["started_at"] == found[1]["used_at"]
    assert len(found[0]["agent"]) == 300


async def test_signing_out_everywhere_ends_every_token_at_once(web: Web) -> None:
    await web.a_partner()
    here, refresh_token = await signed_in(web)
    there, another = await signed_in(web)

    assert (await here.post("/v1/me/sessions/end")).status_code == 204

    assert (await here.get("/v1/me")).json()["code"] == (await there.get("/v1/me")).json()["code"] == "access_ended"
    assert [await goes_on(web, token) for token in (refresh_token, another)] == [False, False]
    assert await as_owner(web, "select count(*) from outbox where topic = 'session.ended'") == 3


@pytest.mark.parametrize(("how", "why"), [("disable", "disabled"), ("first-admin", "address_changed"), ("remove", "disabled")])
async def test_whoever_is_signed_out_by_others_has_no_session_left_and_each_end_is_told(web: Web, how: str, why: str) -> None:
    """GW-01, GW-11: a customer at rest, its first admin at another address, a user that is removed."""
    grace = await web.a_partner()
    path = f"/v1/customers/{(await grace.post('/v1/customers', a_body(first_admin=TEMPORARY))).json()['id']}"
    await web.invited("ada@elsewhere.example")
    bob = await a_user_with(grace, "bob@hafen.example", await role_named(grace, "Administrator"))
    await bob.signed_in()

    match how:
        case "disable":
            done = await grace.confirmed(f"{path}/disable", if_match="*")
        case "first-admin":
            done = await grace.post(f"{path}/first-admin", {"email": "ada@mueller.example"}, if_match="*")
        case _:
            done = await grace.delete(f"/v1/users/{bob.id}", if_match="*")

    assert done.is_success, done.text
    told = "select json_agg(convert_from(payload, 'utf8')::json ->> 'reason') from outbox where topic = 'session.ended'"
    assert json.loads(str(await as_owner(web, told))) == [why]
    going = "select count(*) from sessions s join users u on u.id = s.user_id where u.email like $1 and s.ended_at is null"
    assert await as_owner(web, going, "bob%" if how == "remove" else "ada%") == 0


async def test_one_session_is_ended_and_the_others_go_on(web: Web) -> None:
    """Their access tokens are made anew: so the one that ended is over in every service."""
    await web.a_partner()
    await as_owner(web, "delete from sessions")
    here, mine = await signed_in(web)
    there, another = await signed_in(web)
    other = next(one["id"] for one in await listed(here) if not one["current"])

    assert (await here.post(f"/v1/me/sessions/{other}/end")).status_code == 204

    assert (await there.get("/v1/me")).json()["code"] == "access_ended"
    assert not await goes_on(web, another)
    assert await goes_on(web, mine)
    again, _ = await signed_in(web)
    gone = await again.post(f"/v1/me/sessions/{other}/end")
    assert (gone.status_code, gone.json()["code"]) == (404, "session_not_found")


async def test_what_ended_before_does_not_come_back_with_a_later_generation(web: Web) -> None:
    await web.a_partner()
    _, old = await signed_in(web)
    await as_owner(web, "update users set gen = gen + 1 where email = $1", GRACE)
    here, _ = await signed_in(web)
    third, kept = await signed_in(web)
    mine = next(one["id"] for one in await listed(here) if one["current"])

    assert (await third.post(f"/v1/me/sessions/{mine}/end")).status_code == 204

    assert await goes_on(web, kept)
    assert not await goes_on(web, old)


async def test_of_many_who_sign_out_at_once_all_are_signed_out(web: Web) -> None:
    await web.a_partner()
    signed = [await signed_in(web) for _ in range(8)]

    answers = await asyncio.gather(*(who.post("/v1/me/sessions/end") for who, _ in signed))

    assert {answer.status_code for answer in answers} <= {204, 401}
    assert not any([await goes_on(web, token) for _, token in signed])


async def test_a_customers_user_sees_and_ends_its_own_sessions_and_no_others(web: Web) -> None:
    ada = await web.a_customer_user()
    await signed_in(web)

    assert [one["current"] for one in await listed(ada)] == [True]
    assert (await ada.post("/v1/me/sessions/end")).status_code == 204


async def test_who_manages_users_ends_their_sessions(web: Web) -> None:
    grace = await web.a_partner()
    bob = await web.a_colleague(grace)
    bob_id = (await bob.get("/v1/me")).json()["user"]["id"]

    assert len(await listed(grace, f"/v1/users/{bob_id}/sessions")) == 1
    assert (await grace.post(f"/v1/users/{bob_id}/sessions/end")).status_code == 204

    assert (await bob.get("/v1/me")).json()["code"] == "access_ended"
    assert await listed(grace, f"/v1/users/{bob_id}/sessions") == []


async def test_an_administrator_who_does_not_manage_users_and_another_partner_do_not(web: Web) -> None:
    """CUS-80."""
    grace = await web.a_partner()
    bob = await web.a_colleague(grace)
    stranger = await web.a_partner("Berg IT", "berg.example")
    path = f"/v1/users/{(await grace.get('/v1/me')).json()['user']['id']}/sessions"

    assert [(await who.get(path)).status_code for who in (bob, stranger)] == [403, 404]
    assert [(await who.post(f"{path}/end")).status_code for who in (bob, stranger)] == [403, 404]
    assert (await grace.get("/v1/me")).status_code == 200


async def test_sessions_that_ended_a_week_ago_are_forgotten(web: Web, clock: FixedClock, worker_database: Any) -> None:
    _, token = await signed_in(web, OPERATOR)
    await signed_in(web, OPERATOR)
    await web.post("/v1/sessions/end", {"refresh_token": token})
    clock.move(own_sessions.KEPT + timedelta(minutes=1))

    async with worker_database.work() as work:
        assert await own_sessions.forget(work.session, clock.now()) == 1
    clock.move(timedelta(days=30))
    async with worker_database.work() as work:
        assert await own_sessions.forget(work.session, clock.now()) == 1
