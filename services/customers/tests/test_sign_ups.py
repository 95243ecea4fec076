"""Anybody becomes a partner by itself, once it has worked for it, accepted the terms and read its mail (CUS-71, CUS-72, CUS-81, GW-12)."""

import asyncio
import json
from datetime import timedelta
from typing import Any

import pytest
from altcha import Challenge, Payload, solve_challenge

from chassis.database import WorkerDatabase
from chassis.due import DueWorker
from chassis_testing.clock import FixedClock
from customers import due
from customers.rules.proof_of_work import LIFETIME
from customers_testing.builders import DENIED
from customers_testing.http import OPERATOR, PASSWORD, Web, as_owner

TERMS = "2026-01"


async def a_proof(web: Web) -> str:
    """What a browser makes of a challenge; here each try costs next to nothing."""
    await as_owner(web, "update policies set document = document || '{\"effort\": 1}' where kind = 'sign_up'")
    asked = await web.get("/v1/sign-ups/challenge")
    assert asked.status_code == 200, asked.text
    assert asked.json()["terms_version"] == TERMS
    challenge = Challenge.from_dict(asked.json()["challenge"])
    solution = await asyncio.to_thread(solve_challenge, challenge)
    assert solution is not None
    return Payload(challenge, solution).to_base64()


def a_body(proof: str, **changes: Any) -> dict[str, Any]:
    body: dict[str, Any] = {
        "company_name": "Tal Systeme",
        "country": "CH",
        "address": {"address_1": "Talweg 3", "city": "Zürich", "postal_code": "8001", "address_3": "4. Stock", "website": "tal.example"},
        "contact": {"name": "Rosa Tal", "email": "rosa@tal.example", "phone": "044 668 18 00"},
        "language": "de",
        "time_zone": "Europe/Zurich",
        "terms": {"version": TERMS, "accepted": True},
        "proof": proof,
    }
    return body | changes


async def signed_up(web: Web, **changes: Any) -> None:
    answer = await web.post("/v1/sign-ups", a_body(await a_proof(web), **changes))
    assert (answer.status_code, answer.content) == (202, b""), answer.text


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


async def test_who_signs_up_is_a_partner_and_its_administrator_once_it_has_read_its_mail(web: Web, worker: Any) -> None:
    """CUS-71, CUS-72: no certification is asked for; CUS-81; CUS-73: the address is viewable."""
    await signed_up(web)
    assert await as_owner(web, "select count(*) from partners") == 1
    await worker()
    assert (await web.post("/v1/sessions", {"email": "rosa@tal.example", "password": PASSWORD})).json()["code"] == "credentials_wrong"

    rosa = await web.invited("rosa@tal.example")

    me = (await rosa.get("/v1/me")).json()
    assert [one["name"] for one in me["roles"]] == ["Partner Administrator"]
    partner = (await rosa.get(f"/v1/partners/{me['partner']['id']}")).json()
    assert (partner["company_name"], partner["status"], partner["held_for"]) == ("Tal Systeme", "active", [])
    assert partner["address"] == {
        "address_1": "Talweg 3",
        "address_2": None,
        "address_3": "4. Stock",
        "city": "Zürich",
        "postal_code": "8001",
        "region": None,
        "phone": "+41446681800",
        "website": "https://tal.example",
    }
    accepted = "select terms_version from partners where terms_accepted_at is not null"
    assert await as_owner(web, accepted) == TERMS
    topics = "select json_agg(topic order by id) from outbox where topic in ('partner.registered', 'credential.link_requested')"
    assert json.loads(str(await as_owner(web, topics)))[-2:] == ["partner.registered", "credential.link_requested"]


async def test_an_address_that_is_taken_is_answered_alike_and_makes_no_partner(web: Web, worker: Any) -> None:
    await signed_up(web, contact={"name": "Eve", "email": OPERATOR.upper()})
    await signed_up(web)
    await signed_up(web)
    await worker()

    assert await as_owner(web, "select count(*) from partners") == 2
    assert await as_owner(web, "select count(*) from due") == 0


async def test_a_proof_is_good_once_and_for_a_while(web: Web, clock: FixedClock) -> None:
    """GW-12: of many who send the same one at once, one gets through."""
    proof, late = await a_proof(web), await a_proof(web)

    answers = await asyncio.gather(*(web.post("/v1/sign-ups", a_body(proof)) for _ in range(20)))
    clock.move(LIFETIME + timedelta(seconds=1))
    answers.append(await web.post("/v1/sign-ups", a_body(late)))

    assert sorted(answer.status_code for answer in answers) == [202, *[422] * 20]
    assert {answer.json()["code"] for answer in answers if answer.content} == {"proof_not_accepted"}


async def test_a_proof_that_nobody_worked_for_is_refused(web: Web) -> None:
    proof = await a_proof(web)
    forged = Payload.from_base64(proof)
    forged.solution.counter += 1
    for wrong in ("nonsense", "e30=", forged.to_base64(), proof[:-8]):
        answer = await web.post("/v1/sign-ups", a_body(wrong))
        assert (answer.status_code, answer.json()["code"]) == (422, "proof_not_accepted"), wrong


async def test_the_terms_in_force_are_accepted(web: Web) -> None:
    proof = await a_proof(web)
    old = await web.post("/v1/sign-ups", a_body(proof, terms={"version": "2020-01", "accepted": True}))
    declined = await web.post("/v1/sign-ups", a_body(proof, terms={"version": TERMS, "accepted": False}))
    phone = await web.post("/v1/sign-ups", a_body(proof, contact={"name": "Rosa", "email": "rosa@tal.example", "phone": "ask"}))

    assert (old.status_code, old.json()["code"], old.json()["errors"][0]["pointer"]) == (422, "terms_not_in_force", "/terms/version")
    assert old.json()["policy_version"].isdigit()
    assert declined.status_code == 422
    assert phone.json()["errors"][0]["pointer"] == "/contact/phone"
    website = await web.post("/v1/sign-ups", a_body(proof, address={"address_1": "Talweg 3", "city": "Zürich", "website": "javascript://"}))
    assert website.json()["errors"][0]["pointer"] == "/address/website"
    assert (await web.post("/v1/sign-ups", a_body(proof))).status_code == 202


async def test_who_is_like_a_denied_party_rests_until_an_operator_has_looked(web: Web, worker: Any) -> None:
    await signed_up(web, company_name=DENIED)
    await worker()
    operator = await web.sign_in(OPERATOR)

    held = next(one for one in (await operator.get("/v1/partners")).json()["items"] if one["company_name"] == DENIED)

    assert (held["status"], held["held_for"]) == ("disabled", ["UN RUe.1"])
    cleared = await operator.post(f"/v1/partners/{held['id']}/enable", if_match="*")
    assert (cleared.json()["status"], cleared.json()["held_for"]) == ("active", [])
    assert (await web.invited("rosa@tal.example")).token


async def test_an_address_that_signs_up_and_signs_up_waits(web: Web) -> None:
    proof = await a_proof(web)
    answers = [await web.post("/v1/sign-ups", a_body(proof), x_forwarded_for="203.0.113.9") for _ in range(7)]

    assert [answer.status_code for answer in answers] == [202, *[422] * 4, 429, 429]


async def test_where_the_policy_is_closed_nobody_signs_up(web: Web) -> None:
    proof = await a_proof(web)
    await as_owner(web, "update policies set document = document || '{\"open\": false}' where kind = 'sign_up'")

    answers = (await web.get("/v1/sign-ups/challenge"), await web.post("/v1/sign-ups", a_body(proof)))

    assert {(answer.status_code, answer.json()["code"]) for answer in answers} == {(403, "sign_up_closed")}
    assert all(answer.json()["policy_version"].isdigit() for answer in answers)
