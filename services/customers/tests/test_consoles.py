"""A partner opens a customer's console signed in, is seen there, and leaves by whichever side says so (CUS-54, CUS-55, GW-04)."""

import asyncio
from collections import Counter
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from chassis.database import WorkerDatabase
from chassis.due import DueItem, DueWorker
from chassis.jobs.running import due_work
from chassis_testing.clock import FixedClock
from customers import due
from customers.consoles import launching
from customers.offboarding.unlinking import UNLINK
from customers_testing.http import CONSOLE_KEY, OPERATOR, Web, a_body, as_owner

type Launched = dict[str, Any]


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


async def a_customer(partner: Web, **changes: Any) -> dict[str, Any]:
    created = await partner.post("/v1/customers", a_body(**changes))
    assert created.status_code == 201, created.text
    customer: dict[str, Any] = created.json()
    return customer


async def launched(partner: Web, customer: dict[str, Any], **body: Any) -> Launched:
    answer = await partner.post(f"/v1/customers/{customer['id']}/console-sessions", body)
    assert answer.status_code == 201, answer.text
    said: Launched = answer.json()
    return said


async def exchanged(web: Web, code: str, key: str = CONSOLE_KEY) -> httpx.Response:
    return await web.post("/v1/console-sessions/exchange", {"code": code, "console_key": key})


async def opened(web: Web, partner: Web, customer: dict[str, Any]) -> dict[str, Any]:
    answer = await exchanged(web, (await launched(partner, customer))["code"])
    assert answer.status_code == 200, answer.text
    session: dict[str, Any] = answer.json()
    return session


async def active(web: Web, session: dict[str, Any]) -> bool:
    answer = await web.post("/v1/console-sessions/introspect", {"session_token": session["session_token"], "console_key": CONSOLE_KEY})
    assert answer.status_code == 200, answer.text
    return bool(answer.json()["active"])


async def told(web: Web, topic: str) -> list[Any]:
    return await rows(web, "select payload from outbox where topic like '%' || $1 order by id", topic)


async def rows(web: Web, statement: str, *values: object) -> list[Any]:
    found = await as_owner(web, f"select coalesce(json_agg(t), '[]')::text from ({statement}) t", *values)  # noqa: S608 (the tests' own)
    return list(httpx.Response(200, content=str(found)).json())


async def has(web: Web, customer: dict[str, Any], offer: str, status: str = "trial") -> None:
    """As licensing has told it."""
    what = "insert into subscriptions (partner_id, id, version, customer_id, product, offer, status, partner_owned)"
    values = f"{what} values ($1, gen_random_uuid(), 1, $2, 'endpoint', $3, $4, false)"
    await as_owner(web, values, UUID(customer["partner_id"]), UUID(customer["id"]), offer, status)


async def worked(database: WorkerDatabase, clock: FixedClock) -> None:
    """Work off everything that is due."""
    worker = DueWorker((*due.kinds(), *due_work([UNLINK])), database, clock)
    while await worker.work_one():
        pass


async def ended(web: Web, session: dict[str, Any]) -> str | None:
    return str(await as_owner(web, "select ended_by from console_sessions where id::text = $1", session["session_id"]))


async def test_the_partner_is_let_in_with_full_rights_and_both_sides_see_it(web: Web) -> None:
    """CUS-54: signed in already, as an administrator; the customer sees who, since when."""
    partner = await web.a_partner()
    customer = await a_customer(partner)
    await has(web, customer, "endpoint-cloud")
    own = await web.invited("ada@mueller.example")

    launch = await launched(partner, customer, offer="endpoint-cloud")
    session = (await exchanged(web, launch["code"])).json()

    assert launch["url"] == f"http://console.example/?code={launch['code']}"
    assert (session["rights"], session["customer_id"], session["user_name"]) == ("administrator", customer["id"], "Grace Hopper")
    assert await active(web, session)
    for reader in (partner, own):
        listed = (await reader.get(f"/v1/customers/{customer['id']}/console-sessions", live=True)).json()["items"]
        assert [(one["id"], one["offer"], one["user_name"], one["ended_at"]) for one in listed] == [
            (launch["session_id"], "endpoint-cloud", "Grace Hopper", None)
        ]
    assert len(await told(web, "console_session.started")) == 1


@pytest.mark.parametrize("who", ["customer", "partner", "operator"])
async def test_either_side_ends_it(web: Web, who: str) -> None:
    """CUS-55: and ending what has ended changes nothing."""
    partner = await web.a_partner()
    customer = await a_customer(partner)
    asking: dict[str, str] = {}
    ender = partner
    if who == "customer":
        ender = await web.invited("ada@mueller.example")
    elif who == "operator":
        ender, asking = await web.sign_in(OPERATOR), {"partnerdeck_acting_as": customer["partner_id"]}
    session = await opened(web, partner, customer)
    end = f"/v1/customers/{customer['id']}/console-sessions/{session['session_id']}/end"

    first, again = [await ender.post(end, **asking) for _ in range(2)]

    assert (first.status_code, first.json()["ended_by"]) == (200, who)
    assert again.json()["ended_at"] == first.json()["ended_at"]
    assert not await active(web, session)
    assert len(await told(web, "console_session.ended")) == 1
    assert (await partner.get(f"/v1/customers/{customer['id']}/console-sessions", live=True)).json()["items"] == []


async def test_who_signs_out_in_the_console_has_left(web: Web) -> None:
    """CUS-55: log out there, and the session is over here."""
    partner = await web.a_partner()
    session = await opened(web, partner, await a_customer(partner))
    leaving = {"session_token": session["session_token"], "console_key": CONSOLE_KEY}

    assert [(await web.post("/v1/console-sessions/leave", leaving)).status_code for _ in range(2)] == [204, 204]

    assert not await active(web, session)
    assert await ended(web, session) == "console"


async def test_a_code_opens_one_session_and_ends_it_when_it_comes_again(web: Web) -> None:
    partner = await web.a_partner()
    launch = await launched(partner, await a_customer(partner))

    session = (await exchanged(web, launch["code"])).json()
    assert code(await exchanged(web, launch["code"])) == (422, "console_code_invalid")

    assert not await active(web, session)
    assert await ended(web, session) == "reuse"


async def test_of_twenty_who_bring_a_code_at_once_one_gets_in_and_then_nobody_stays(web: Web) -> None:
    partner = await web.a_partner()
    launch = await launched(partner, await a_customer(partner))

    answers = await asyncio.gather(*(exchanged(web, launch["code"]) for _ in range(20)))

    assert Counter(one.status_code for one in answers) == {200: 1, 422: 19}
    session = next(one.json() for one in answers if one.status_code == 200)
    assert not await active(web, session)


async def test_a_code_is_good_for_a_minute_and_a_session_for_an_hour(web: Web, clock: FixedClock) -> None:
    partner = await web.a_partner()
    customer = await a_customer(partner)
    late, session = await launched(partner, customer), await opened(web, partner, customer)

    clock.move(timedelta(seconds=61))
    assert code(await exchanged(web, late["code"])) == (422, "console_code_invalid")
    assert await active(web, session)

    clock.move(timedelta(minutes=60))
    assert not await active(web, session)


async def test_what_is_over_is_ended_by_itself(web: Web, clock: FixedClock) -> None:
    partner = await web.a_partner()
    session = await opened(web, partner, await a_customer(partner))
    worker = WorkerDatabase(web.database, clock)
    planned = "select subject, due_at, slot, id, payload from due where kind = 'console_session.expire'"
    (item,) = await rows(web, planned)
    assert item["subject"] == session["session_id"]

    clock.move(timedelta(hours=1))
    async with worker.work() as work, work.item(UUID(session["partner_id"])) as tx:
        over = DueItem(id=uuid4(), subject=UUID(session["session_id"]), slot="end", due_at=tx.now, attempts=0, payload={})
        await launching.expire(tx, over)
    await worker.close()

    assert await ended(web, session) == "time"


@pytest.mark.parametrize(
    "taken_away",
    [
        "update customers set management_type = 'customer_managed'",
        "update customers set status = 'disabled'",
        "update roles set all_customers = 'read'",
        "update users set gen = gen + 1 where kind = 'partner'; update users set status = 'disabled' where kind = 'partner'",
    ],
)
async def test_what_let_it_in_is_taken_away_and_so_is_the_session(web: Web, taken_away: str) -> None:
    """CUS-51, CUS-55, CUS-85: the console hears of it the next time that it asks."""
    partner = await web.a_partner()
    session = await opened(web, partner, await a_customer(partner))

    for statement in taken_away.split(";"):
        await as_owner(web, statement)

    assert not await active(web, session)
    assert await ended(web, session) == "rights"


@pytest.mark.parametrize("how", ["disable", "delete", "consents/revoke", "unlink"])
async def test_what_is_done_to_the_customer_ends_its_sessions_at_once(
    web: Web, worker_database: WorkerDatabase, clock: FixedClock, how: str
) -> None:
    """CUS-55: nobody waits for a console to ask; what is planned for the session finds it over, wherever its customer is."""
    partner = await web.a_partner()
    customer = await a_customer(partner)
    session = await opened(web, partner, customer)
    path = f"/v1/customers/{customer['id']}/{how}"

    if how == "consents/revoke":
        done = await partner.post(path, {"kind": "console_launch"}, if_match="*")
    else:
        done = await partner.confirmed(path, if_match="*")
    assert done.is_success, done.text
    if how == "unlink":
        await as_owner(web, "delete from outbox")
        await worked(worker_database, clock)

    assert await ended(web, session) == "rights"
    assert len(await told(web, "console_session.ended")) == 1
    clock.move(timedelta(hours=1))
    await worked(worker_database, clock)
    assert await as_owner(web, "select count(*) from due where kind = 'console_session.expire'") == 0


async def test_a_customer_that_manages_itself_lets_nobody_in(web: Web) -> None:
    """CUS-51, CUS-54."""
    partner = await web.a_partner()
    customer = await a_customer(partner, management_type="customer_managed")

    refused = await partner.post(f"/v1/customers/{customer['id']}/console-sessions", {})

    assert (*code(refused), refused.json()["rule"]) == (409, "not_offered", "CUS-54")
    assert (await partner.get("/v1/console-targets")).json()["items"] == []


async def test_only_a_console_exchanges_and_asks(web: Web) -> None:
    partner = await web.a_partner()
    customer = await a_customer(partner)
    launch = await launched(partner, customer)

    assert code(await exchanged(web, launch["code"], "guessed")) == (401, "console_unknown")
    assert code(await exchanged(web, "guessed")) == (422, "console_code_invalid")
    asked = await web.post("/v1/console-sessions/introspect", {"session_token": launch["code"], "console_key": CONSOLE_KEY})
    assert asked.json() == {"active": False, "expires_at": None}
    assert (await exchanged(web, launch["code"])).status_code == 200


async def test_another_partners_sessions_do_not_exist(web: Web) -> None:
    partner, stranger = await web.a_partner(), await web.a_partner("Berg IT", "berg.example")
    customer = await a_customer(partner)
    session = await opened(web, partner, customer)
    theirs = f"/v1/customers/{customer['id']}/console-sessions"

    for answer in (
        await stranger.post(theirs, {}),
        await stranger.get(theirs),
        await stranger.post(f"{theirs}/{session['session_id']}/end"),
    ):
        assert code(answer) == (404, "customer_not_found")
    assert code(await partner.post(f"{theirs}/{uuid4()}/end")) == (404, "console_session_not_found")
    assert await active(web, session)


async def test_a_customer_and_its_product_are_picked(web: Web) -> None:
    """CUS-56: by a fragment of the name, by the offer of what it has now, whatever was asked for once."""
    partner = await web.a_partner()
    wanted = await a_customer(partner)
    await has(web, wanted, "endpoint-preview")
    await has(web, wanted, "endpoint-preview")
    await has(web, wanted, "endpoint-archive", "cancelling")
    await has(web, wanted, "endpoint-classic", "expired")
    await a_customer(partner, name="Berg AG", domain="berg.example", management_type="customer_managed")

    async def names(**query: Any) -> list[str]:
        return [one["name"] for one in (await partner.get("/v1/console-targets", **query)).json()["items"]]

    assert await names() == [wanted["company"]["name"]]
    assert await names(q="söhne", offer="endpoint-preview") == [wanted["company"]["name"]]
    (target,) = (await partner.get("/v1/console-targets")).json()["items"]
    assert target["products"] == [{"kind": "paid", "offer": "endpoint-archive"}, {"kind": "trial", "offer": "endpoint-preview"}]
    for absent in ("another", "endpoint-cloud", "endpoint-classic"):
        assert await names(offer=absent) == []
        refused = await partner.post(f"/v1/customers/{wanted['id']}/console-sessions", {"offer": absent})
        assert (*code(refused), refused.json()["errors"][0]["pointer"]) == (422, "offer_unknown", "/offer")
    await launched(partner, wanted, offer="endpoint-archive")


async def test_a_customer_without_anything_is_a_target_with_no_products(web: Web) -> None:
    """CUS-56: what was asked for is no product before licensing has told it."""
    partner = await web.a_partner()
    await a_customer(partner)

    (target,) = (await partner.get("/v1/console-targets")).json()["items"]

    assert target["products"] == []


async def test_what_a_customer_has_no_more_lets_nobody_stay(web: Web) -> None:
    """CUS-55, CUS-56: not the session that is open, nor the code that was not exchanged yet."""
    partner = await web.a_partner()
    customer = await a_customer(partner)
    await has(web, customer, "endpoint-cloud")
    session = (await exchanged(web, (await launched(partner, customer, offer="endpoint-cloud"))["code"])).json()
    whole, late = await opened(web, partner, customer), await launched(partner, customer, offer="endpoint-cloud")
    assert await active(web, session)

    await as_owner(web, "update subscriptions set status = 'terminated'")

    assert not await active(web, session)
    assert await ended(web, session) == "rights"
    assert code(await exchanged(web, late["code"])) == (422, "console_code_invalid")
    assert await active(web, whole)


async def test_no_code_and_no_token_is_kept_where_it_can_be_read(web: Web) -> None:
    partner = await web.a_partner()
    launch = await launched(partner, await a_customer(partner))
    session = (await exchanged(web, launch["code"])).json()

    for table in ("outbox", "idempotency_keys", "audit", "console_sessions", "console_keys"):
        kept = str(await as_owner(web, f"select coalesce(json_agg(t), '[]')::text from {table} t"))  # noqa: S608 (names of tables)
        assert launch["code"] not in kept
        assert session["session_token"] not in kept


async def test_what_the_console_does_in_a_users_name_stands_in_the_audit(web: Web) -> None:
    """GW-11: launched, exchanged, left, each by the user who is at work."""
    partner = await web.a_partner()
    session = await opened(web, partner, await a_customer(partner))
    await web.post("/v1/console-sessions/leave", {"session_token": session["session_token"], "console_key": CONSOLE_KEY})

    entries = await rows(web, "select operation, user_id, outcome from audit where operation like '%console%' order by at, id")

    assert [one["operation"] for one in entries] == ["consoles_launch", "consoles_exchange", "consoles_leave"]
    assert {(one["user_id"], one["outcome"]) for one in entries} == {(session["user_id"], "done")}
