"""Who has lost its password is mailed a link to set another, and whoever asks learns nothing (GW-01, NOT-12)."""

import json
from datetime import timedelta
from typing import Any

import pytest

from chassis.database import WorkerDatabase
from chassis.due import DueWorker
from chassis_testing.clock import FixedClock
from customers import due
from customers_testing.http import LINK_KEY, OPERATOR, PASSWORD, Web, a_body, as_owner, link_of

ANOTHER = "quiet lamps drift north"


async def asked(web: Web, email: str, **headers: str) -> int:
    answer = await web.post("/v1/password-resets", {"email": email}, **headers)
    assert (answer.status_code, answer.content) in {(202, b""), (429, answer.content)}
    return answer.status_code


async def links(web: Web) -> list[list[str]]:
    """Whom a link was told of, and for what."""
    told = (
        "select coalesce(json_agg(json_build_array(u.email, convert_from(payload, 'utf8')::json ->> 'purpose') order by o.id), '[]')"
        " from outbox o join users u on u.id = o.entity where topic = 'credential.link_requested'"
    )
    found: list[list[str]] = json.loads(str(await as_owner(web, told)))
    return found


@pytest.fixture
async def worker(web: Web, worker_database: WorkerDatabase, clock: FixedClock) -> Any:
    """Works off all that is due."""
    await worker_database.ping()
    due_work = DueWorker(due.kinds(), worker_database, clock)

    async def work() -> None:
        while await due_work.work_one():
            pass
        assert await as_owner(web, "select max(last_error) from due") is None

    return work


async def test_a_lost_password_is_replaced_by_a_link_that_is_good_once(web: Web, worker: Any) -> None:
    before = (await web.post("/v1/sessions", {"email": OPERATOR, "password": PASSWORD})).json()

    assert await asked(web, OPERATOR.upper()) == 202
    await worker()
    token = await link_of(web, OPERATOR, LINK_KEY)

    assert await links(web) == [[OPERATOR, "password_reset"]]
    assert (await web.post("/v1/credentials/set-password", {"token": token, "password": ANOTHER})).status_code == 204
    assert (await web.post("/v1/credentials/set-password", {"token": token, "password": PASSWORD})).json()["code"] == "link_invalid"
    assert (await web.post("/v1/sessions/refresh", {"refresh_token": before["refresh_token"]})).status_code == 401
    assert (await web.sign_in(OPERATOR, ANOTHER)).token


async def test_the_link_is_good_for_an_hour(web: Web, worker: Any, clock: FixedClock) -> None:
    await asked(web, OPERATOR)
    await worker()
    clock.move(timedelta(hours=1))

    answer = await web.post("/v1/credentials/set-password", {"token": await link_of(web, OPERATOR, LINK_KEY), "password": ANOTHER})

    assert answer.json()["code"] == "link_invalid"


async def test_an_unknown_address_is_answered_alike_and_costs_the_same_row(web: Web, worker: Any) -> None:
    for email in (OPERATOR, "nobody@vendor.example"):
        assert await asked(web, email) == 202
    assert await as_owner(web, "select count(*) from due where kind = 'credentials.reset'") == 2
    assert not await as_owner(web, "select exists (select from due where due::text like '%nobody%')")

    await worker()
    assert await links(web) == [[OPERATOR, "password_reset"]]


async def test_nobody_is_flooded_with_links_and_only_the_last_one_is_good(web: Web, worker: Any, clock: FixedClock) -> None:
    written = []
    for _ in range(8):
        await asked(web, OPERATOR)
        await worker()
        written.append(len(await links(web)))
        clock.move(timedelta(minutes=1))
    assert written == [1, 1, 2, 2, 2, 2, 3, 3]

    good = "select count(*) from links where purpose = 'password_reset' and used_at is null"
    assert await as_owner(web, good) == 1


async def test_who_has_no_password_yet_is_not_flooded_either(web: Web, worker: Any, clock: FixedClock) -> None:
    """A customer's first admin: each welcome makes the one before worth nothing, and its partner is copied."""
    await (await web.a_partner()).post("/v1/customers", a_body())
    clock.move(timedelta(days=2))
    before, written = len(await links(web)), []
    for _ in range(8):
        await asked(web, "ada@mueller.example")
        await worker()
        written.append(len(await links(web)) - before)
        clock.move(timedelta(minutes=1))

    assert written == [1, 1, 2, 2, 2, 2, 3, 3]


async def test_who_asks_and_asks_in_somebodys_name_never_leaves_it_without_a_link(web: Web, worker: Any, clock: FixedClock) -> None:
    """GW-01: at any time the last link is good, or asking brings another."""
    good = "select exists (select from links where purpose = 'password_reset' and used_at is null and expires_at > $1)"
    for _ in range(40):
        await asked(web, OPERATOR)
        await worker()
        assert await as_owner(web, good, clock.now())
        clock.move(timedelta(minutes=31))


async def test_an_address_that_asks_and_asks_waits(web: Web) -> None:
    answers = [await asked(web, f"somebody{number}@vendor.example", x_forwarded_for="203.0.113.9") for number in range(22)]

    assert answers == [202] * 20 + [429] * 2


async def test_who_has_no_password_yet_is_invited_again(web: Web, worker: Any, clock: FixedClock) -> None:
    """CUS-76: a partner's user; a customer's first admin is welcomed again, by the link that its customer names."""
    grace = await web.a_partner()
    role = (await grace.get("/v1/roles")).json()["items"][0]["id"]
    await grace.post("/v1/users", {"name": "Bob", "email": "bob@hafen.example", "role_ids": [role]})
    await grace.post("/v1/customers", a_body())
    clock.move(timedelta(hours=1))

    for email in ("bob@hafen.example", "ada@mueller.example"):
        await asked(web, email)
    await worker()

    assert sorted((await links(web))[2:]) == [["ada@mueller.example", "welcome"], ["bob@hafen.example", "invitation"]]
    newest = "select l.id = c.welcome_link_id from links l join users u on u.id = l.user_id join customers c on c.id = u.customer_id"
    newest += " where l.used_at is null"
    assert await as_owner(web, newest)


async def test_nobody_is_sent_a_link_who_may_not_sign_in(web: Web, worker: Any) -> None:
    """CUS-52: whose partner manages its account; and who is disabled."""
    await web.a_customer_user()
    await as_owner(web, "update customers set management_type = 'partner_managed'")
    await as_owner(web, "update users set status = 'disabled' where email = 'grace@hafen.example'")
    before = len(await links(web))

    for email in ("ada@mueller.example", "grace@hafen.example"):
        await asked(web, email)
    await worker()

    assert len(await links(web)) == before
