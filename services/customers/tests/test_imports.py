"""A partner asks for a customer by an address and learns nothing of whose it is; the customer alone decides (CUS-42 to CUS-47)."""

import asyncio
from collections import Counter
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest

from chassis.clock import Clock
from chassis.database import WorkerDatabase
from chassis.due import DueWorker
from chassis.links import link_token
from chassis_testing.clock import FixedClock
from customers import due
from customers.consents import verifying
from customers_testing.http import LINK_KEY, OPERATOR, PASSWORD, Web, a_body, as_owner
from customers_testing.people import a_key, exchanged

ADA = "ada@mueller.example"
NO_MACS = {"no_macs": True}


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json().get("code", "") if answer.content else ""


async def worked(web: Web, clock: Clock) -> None:
    worker = WorkerDatabase(web.database, clock)
    working = DueWorker(due.kinds(), worker, clock)
    while await working.work_one():
        pass
    await worker.close()


async def two_partners(web: Web, **customer: Any) -> tuple[Web, Web, dict[str, Any]]:
    """The one that has Müller, and the one that would like to; Müller as it is shown."""
    theirs, mine = await web.a_partner(), await web.a_partner("Berg IT", "berg.example")
    answer = await theirs.post("/v1/customers", a_body(**customer))
    assert answer.status_code == 201, answer.text
    return theirs, mine, answer.json()


async def requested(web: Web, email: str = ADA, **more: Any) -> dict[str, Any]:
    answer = await web.post("/v1/imports", {"email": email} | more)
    assert answer.status_code == 202, answer.text
    one: dict[str, Any] = answer.json()
    return one


async def answered(web: Web, verdict: str, one: dict[str, Any], **more: Any) -> httpx.Response:
    return await web.post(f"/v1/consents/{verdict}", {"token": link_token(LINK_KEY.encode(), UUID(one["id"]))} | more)


async def matrix(web: Web) -> list[tuple[str, str]]:
    return [(one["email"], one["status"]) for one in (await web.get("/v1/imports")).json()["items"]]


TOLD_TO = """
select string_agg(topic, ' ' order by id) from outbox
 where headers::text like '%' || $1 || '%' and topic ~ '^(customer|consent)[.]' and topic <> 'customer.changed'
"""


async def told_under(web: Web, partner: Web) -> str:
    """What was told of customers under a partner's name."""
    me = (await partner.get("/v1/me")).json()["partner"]["id"]
    return str(await as_owner(web, TOLD_TO, me))


async def test_the_address_alone_is_enough_and_nothing_happens_before_the_customer_says_yes(web: Web, clock: FixedClock) -> None:
    """CUS-42, CUS-43, CUS-45."""
    theirs, mine, customer = await two_partners(web)
    one = await requested(mine, "Ada@Mueller.example")
    await worked(web, clock)

    assert (await theirs.get(f"/v1/customers/{customer['id']}")).json()["partner_id"] == customer["partner_id"]
    assert code(await mine.get(f"/v1/customers/{customer['id']}")) == (404, "customer_not_found")
    assert (await answered(web, "confirm", one, **NO_MACS)).status_code == 204
    await worked(web, clock)

    shown = (await mine.get(f"/v1/customers/{customer['id']}")).json()
    assert (shown["company"]["name"], shown["imported_at"] is not None) == ("Müller & Söhne GmbH", True)
    assert code(await theirs.get(f"/v1/customers/{customer['id']}")) == (404, "customer_not_found")
    assert [one["id"] for one in (await mine.get("/v1/customers")).json()["items"]] == [customer["id"]]


async def test_who_owns_the_customer_does_not_change(web: Web, clock: FixedClock) -> None:
    """CUS-46, section 10, rule 6: nor does who it was sold to first."""
    theirs, mine, customer = await two_partners(web)
    one = await requested(mine)
    await worked(web, clock)
    await answered(web, "confirm", one, **NO_MACS)
    await worked(web, clock)

    shown = (await mine.get(f"/v1/customers/{customer['id']}")).json()

    me = (await theirs.get("/v1/me")).json()["partner"]["id"]
    assert (shown["owner_partner_id"], shown["partner_id"] != me) == (me, True)


@pytest.mark.parametrize("email", [ADA, "nobody@elsewhere.example"])
async def test_a_stranger_is_told_the_same_whether_the_address_is_anybodys(web: Web, clock: FixedClock, email: str) -> None:
    """CUS-11, CUS-43: in the answer, in the matrix, and in what is told to its partner."""
    _, mine, _ = await two_partners(web)

    one = await requested(mine, email)
    await worked(web, clock)

    assert one | {"id": "", "email": ""} == {
        "id": "",
        "version": 1,
        "email": "",
        "status": "requested",
        "reason": None,
        "management_type": None,
        "customer_id": None,
        "requested_at": one["requested_at"],
        "updated_at": one["requested_at"],
        "expires_at": one["expires_at"],
    }
    assert (await mine.get(f"/v1/imports/{one['id']}")).json() == one
    assert await told_under(web, mine) == "customer.import_requested"


async def test_the_partner_that_has_the_customer_is_told_nothing_before_it_goes(web: Web, clock: FixedClock) -> None:
    theirs, mine, customer = await two_partners(web)
    one = await requested(mine)
    await worked(web, clock)

    assert (await theirs.get(f"/v1/customers/{customer['id']}/consents")).json()["items"] == []
    assert code(await theirs.get(f"/v1/customers/{customer['id']}/consents/{one['id']}")) == (404, "consent_not_found")
    ada = await web.invited(ADA)
    assert [one["kind"] for one in (await ada.get(f"/v1/customers/{customer['id']}/consents")).json()["items"]] == ["import"]
    assert "consent.recorded" not in f"{await told_under(web, theirs)} {await told_under(web, mine)}"


async def test_nor_are_its_programs(web: Web, clock: FixedClock) -> None:
    """BEY-14, CUS-42: an API key is shown no more of who else asked for a customer than its partner's people."""
    theirs, mine, customer = await two_partners(web)
    program = await exchanged(web, (await a_key(theirs))["secret"])
    one = await requested(mine)
    await worked(web, clock)

    assert (await program.get(f"/v1/customers/{customer['id']}/consents")).json()["items"] == []
    assert code(await program.get(f"/v1/customers/{customer['id']}/consents/{one['id']}")) == (404, "consent_not_found")


async def test_the_matrix_says_what_came_of_each(web: Web, clock: FixedClock) -> None:
    """CUS-44: requested at, e-mail, status, updated at."""
    _, mine, _ = await two_partners(web)
    declined = await requested(mine)
    await requested(mine, "nobody@elsewhere.example")
    await worked(web, clock)
    clock.move(timedelta(minutes=5))
    await answered(web, "decline", declined)
    await worked(web, clock)

    assert sorted(await matrix(mine)) == [(ADA, "declined"), ("nobody@elsewhere.example", "requested")]
    shown = (await mine.get(f"/v1/imports/{declined['id']}")).json()
    assert (shown["reason"], shown["requested_at"] < shown["updated_at"]) == ("customer", True)
    assert [one["email"] for one in (await mine.get("/v1/imports", status="requested")).json()["items"]] == ["nobody@elsewhere.example"]
    assert await told_under(web, mine) == "customer.import_requested customer.import_requested customer.import_declined"


async def test_what_nobody_answers_expires_whether_it_was_anybodys_or_not(web: Web, clock: FixedClock) -> None:
    _, mine, customer = await two_partners(web)
    one = await requested(mine)
    await requested(mine, "nobody@elsewhere.example")
    await worked(web, clock)
    clock.move(timedelta(days=90))

    assert code(await answered(web, "confirm", one, **NO_MACS)) == (409, "consent_settled")
    await worked(web, clock)

    mine = await web.sign_in("grace@berg.example")
    assert sorted(await matrix(mine)) == [(ADA, "expired"), ("nobody@elsewhere.example", "expired")]
    assert await as_owner(web, "select state from consents where customer_id = $1", UUID(customer["id"])) == "expired"
    assert (await requested(mine))["status"] == "requested"


async def test_one_is_open_per_address(web: Web) -> None:
    """Twenty at once: one is asked for."""
    _, mine, _ = await two_partners(web)

    answers = await asyncio.gather(*(mine.post("/v1/imports", {"email": ADA}) for _ in range(20)))

    assert Counter(code(one) for one in answers) == {(202, ""): 1, (409, "import_open"): 19}


async def test_ones_own_customer_is_not_imported(web: Web) -> None:
    theirs, _, customer = await two_partners(web)

    refused = await theirs.post("/v1/imports", {"email": ADA})

    assert (code(refused), refused.json()["customer_id"]) == ((409, "customer_already_yours"), customer["id"])


async def test_an_account_that_may_have_macs_is_imported_once_the_customer_has_seen_to_them(web: Web, clock: FixedClock) -> None:
    """CUS-47: unmanaged Macs are allowed, or the customer says that there are none."""
    theirs, mine, customer = await two_partners(web)
    one = await requested(mine)
    await worked(web, clock)

    refused = await answered(web, "confirm", one)
    assert (code(refused), refused.json()["rule"]) == ((409, "macs_in_the_way"), "CUS-47")
    asks = await web.client.get("/v1/consents/asked", headers={"partnerdeck-link": link_token(LINK_KEY.encode(), UUID(one["id"]))})
    assert (asks.json()["asks_about_macs"], asks.json()["partner"]) == (True, "Berg IT")
    allowed = await theirs.patch(f"/v1/customers/{customer['id']}", {"unmanaged_macs_allowed": True}, if_match="*")
    assert allowed.status_code == 200, allowed.text
    assert (await answered(web, "confirm", one)).status_code == 204


async def test_a_customer_that_the_partner_has_under_another_address_does_not_come_twice(web: Web, clock: FixedClock) -> None:
    """CUS-12."""
    theirs, mine, customer = await two_partners(web)
    contact = a_body()["contact"] | {"email": "eve@mueller.example"}
    assert (await mine.post("/v1/customers", a_body(contact=contact))).status_code == 201
    one = await requested(mine)
    await worked(web, clock)
    await answered(web, "confirm", one, **NO_MACS)
    await worked(web, clock)

    assert (await mine.get(f"/v1/imports/{one['id']}")).json()["reason"] == "duplicate_company"
    assert (await theirs.get(f"/v1/customers/{customer['id']}")).status_code == 200


async def test_the_management_type_that_was_asked_for_comes_with_the_yes(web: Web, clock: FixedClock) -> None:
    """CUS-49, CUS-52."""
    _, mine, customer = await two_partners(web)
    ada = await web.invited(ADA)
    one = await requested(mine, management_type="partner_managed")
    await worked(web, clock)
    await answered(web, "confirm", one, **NO_MACS)
    await worked(web, clock)

    assert (await mine.get(f"/v1/customers/{customer['id']}")).json()["management_type"] == "partner_managed"
    assert (await ada.get("/v1/me")).status_code != 200
    assert code(await web.post("/v1/sessions", {"email": ADA, "password": PASSWORD})) == (403, "partner_managed")


async def test_what_the_partner_before_was_granted_ends_and_the_ledger_goes_along(web: Web, clock: FixedClock) -> None:
    """BEY-14: one chain, whole, wherever the customer is."""
    theirs, mine, customer = await two_partners(web)
    path = f"/v1/customers/{customer['id']}"
    pending = await theirs.post(f"{path}/management", {"management_type": "customer_managed"}, if_match="*")
    one = await requested(mine)
    await worked(web, clock)
    await answered(web, "confirm", one, **NO_MACS)
    await worked(web, clock)

    states = {one["kind"]: one["state"] for one in (await mine.get(f"{path}/consents")).json()["items"]}
    assert states == {"management_change": "superseded", "import": "granted"}
    assert code(await answered(web, "confirm", pending.json())) == (409, "consent_settled")
    assert (await mine.get(path)).json()["management_wanted"] is None
    worker = WorkerDatabase(web.database, clock)
    async with worker.work() as work:
        report = await verifying.verify(work.session)
    await worker.close()
    assert (report.entries, report.findings) == (4, [])


async def test_of_many_answers_at_once_one_counts(web: Web, clock: FixedClock) -> None:
    _, mine, _ = await two_partners(web)
    one = await requested(mine)
    await worked(web, clock)

    verdicts = ["confirm", "decline"] * 10
    answers = await asyncio.gather(*(answered(web, verdict, one, **(NO_MACS if verdict == "confirm" else {})) for verdict in verdicts))
    await asyncio.gather(worked(web, clock), worked(web, clock))

    assert Counter(one.status_code for one in answers) == {204: 1, 409: 19}
    won = verdicts[[one.status_code for one in answers].index(204)]
    assert await matrix(mine) == [(ADA, "imported" if won == "confirm" else "declined")]


async def test_a_sandbox_is_answered_as_everybody_and_finds_nobody(web: Web, clock: FixedClock) -> None:
    """BEY-11."""
    await two_partners(web)
    play = await web.a_partner("Play IT", "play.example", sandbox=True)
    one = await requested(play)
    await worked(web, clock)

    assert await as_owner(web, "select count(*) from consents") == 0
    assert code(await answered(web, "confirm", one, **NO_MACS)) == (422, "link_invalid")


async def test_who_may_import(web: Web) -> None:
    """CUS-86: who has the permission; and an import is its partner's alone."""
    theirs, mine, _ = await two_partners(web)
    one = await requested(mine)

    assert code(await theirs.get(f"/v1/imports/{one['id']}")) == (404, "import_not_found")
    assert await matrix(theirs) == []
    operator = await web.sign_in(OPERATOR)
    assert code(await operator.post("/v1/imports", {"email": ADA})) == (403, "wrong_principal")
    await as_owner(web, "update roles set permissions = array_remove(permissions, 'customers.import')")
    assert code(await mine.post("/v1/imports", {"email": ADA})) == (403, "not_allowed")
    assert code(await mine.get("/v1/imports")) == (403, "not_allowed")


async def test_the_same_request_under_one_key_asks_once(web: Web) -> None:
    _, mine, _ = await two_partners(web)

    answers = [await mine.post("/v1/imports", {"email": ADA}, idempotency_key="once") for _ in range(2)]

    assert (answers[0].status_code, answers[0].content) == (202, answers[1].content)


@pytest.mark.parametrize("token", ["nonsense", "0" * 32 + "." + "A" * 43])
async def test_a_token_that_was_not_made_here_opens_nothing(web: Web, token: str) -> None:
    assert code(await web.client.get("/v1/consents/asked", headers={"partnerdeck-link": token})) == (422, "link_invalid")
    assert code(await web.post("/v1/consents/confirm", {"token": token})) == (422, "link_invalid")
    assert code(await web.post("/v1/consents/decline", {"token": token})) == (422, "link_invalid")


async def test_what_is_left_to_do_for_an_import_that_was_forgotten_is_nothing(web: Web, clock: FixedClock) -> None:
    """It goes with the customer that it named, when that is purged (C-2)."""
    _, mine, _ = await two_partners(web)
    await requested(mine)
    await as_owner(web, "delete from imports")
    clock.move(timedelta(days=90))

    await worked(web, clock)

    assert await as_owner(web, "select count(*) from due where kind like 'import.%'") == 0


@pytest.mark.parametrize("status", ["deleting", "deleted", "rejected"])
async def test_a_customer_that_is_going_agrees_to_nothing(web: Web, clock: FixedClock, status: str) -> None:
    _, mine, _ = await two_partners(web)
    one = await requested(mine)
    await worked(web, clock)
    await as_owner(web, "update customers set status = $1", status)

    assert code(await answered(web, "confirm", one, **NO_MACS)) == (409, "customer_not_active")
    assert (await answered(web, "decline", one)).status_code == 204


async def test_ones_own_customer_that_is_hidden_is_as_nobodys(web: Web, clock: FixedClock) -> None:
    """CUS-85, CUS-43."""
    theirs, _, _ = await two_partners(web)
    assert code(await theirs.post("/v1/imports", {"email": ADA})) == (409, "customer_already_yours")
    await as_owner(web, "update roles set all_customers = 'none'")

    one = await requested(theirs)
    await worked(web, clock)

    assert (await theirs.get(f"/v1/imports/{one['id']}")).json() == one


@pytest.mark.parametrize("status", ["deleting", "pending_review"])
async def test_a_customer_that_goes_between_its_yes_and_the_worker_stays_where_it_is(web: Web, clock: FixedClock, status: str) -> None:
    """CUS-42, CUS-45, CUS-62: whoever decides about its going finds it; the import has ended, and says why."""
    _, mine, customer = await two_partners(web)
    one = await requested(mine)
    await worked(web, clock)
    assert (await answered(web, "confirm", one, **NO_MACS)).status_code == 204

    await as_owner(web, "update customers set status = $1", status)
    await worked(web, clock)

    ended = (await mine.get(f"/v1/imports/{one['id']}")).json()
    assert (ended["status"], ended["reason"], ended["customer_id"]) == ("expired", "not_served", None)
    assert await as_owner(web, "select partner_id::text from customers") == customer["partner_id"]
    assert await told_under(web, mine) == "customer.import_requested customer.import_expired"


async def test_the_question_goes_to_the_address_as_its_customer_writes_it(web: Web, clock: FixedClock) -> None:
    """CUS-43: not as a stranger does, who might write what another server reads otherwise."""
    _, mine, _ = await two_partners(web)
    await requested(mine, "ADA@mueller.example")

    await worked(web, clock)

    asked = "select convert_from(payload, 'UTF8')::jsonb -> 'ask' ->> 'email' from outbox where topic = 'consent.recorded'"
    assert await as_owner(web, asked) == ADA
