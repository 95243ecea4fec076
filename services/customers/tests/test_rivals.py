"""Two who want the same at once: exactly one gets it, the other is told why (CUS-11, CUS-12)."""

import asyncio
from collections import Counter
from collections.abc import Awaitable
from uuid import uuid4

import httpx

from customers_testing.http import LINK_KEY, PASSWORD, Web, a_body, link_of

RIVALS = 50


async def outcomes(*answers: Awaitable[httpx.Response]) -> Counter[str]:
    done = await asyncio.gather(*answers)
    return Counter(answer.json().get("code", "created") for answer in done)


async def test_fifty_applications_for_one_company_make_one_customer(web: Web) -> None:
    """CUS-12."""
    partner = await web.a_partner()
    bodies = [a_body(contact=a_body()["contact"] | {"email": f"ada{number}@mueller.example"}) for number in range(RIVALS)]

    outcome = await outcomes(*(partner.post("/v1/customers", body) for body in bodies))

    assert outcome == {"created": 1, "duplicate_company": RIVALS - 1}
    assert len((await partner.get("/v1/customers")).json()["items"]) == 1


async def test_fifty_applications_for_one_address_make_one_customer(web: Web) -> None:
    """CUS-11: even where they are two partners'."""
    partners = [await web.a_partner(), await web.a_partner("Berg IT", "berg.example")]
    bodies = [a_body(name=f"Company number {number}") for number in range(RIVALS)]

    outcome = await outcomes(*(partners[number % 2].post("/v1/customers", body) for number, body in enumerate(bodies)))

    assert outcome == {"created": 1, "email_taken": RIVALS - 1}


async def test_one_company_is_renamed_to_once(web: Web) -> None:
    """CUS-12, CUS-39: whoever comes later is refused by the index, whatever it had read before."""
    partner = await web.a_partner()
    bodies = [a_body(f"Company number {number}", f"number{number}.example") for number in range(20)]
    created = [await partner.post("/v1/customers", body) for body in bodies]
    renamed = {"company": {"name": "Müller & Söhne GmbH"}}

    answers = await asyncio.gather(*(partner.patch(one.headers["location"], renamed, if_match='"1"') for one in created))

    assert Counter(answer.json().get("code", "renamed") for answer in answers) == {"renamed": 1, "duplicate_company": 19}


async def test_the_same_request_many_times_at_once_is_one_change(web: Web) -> None:
    partner = await web.a_partner()
    key = str(uuid4())

    outcome = await outcomes(*(partner.post("/v1/customers", a_body(), idempotency_key=key) for _ in range(8)))

    assert set(outcome) <= {"created", "in_flight"}
    assert len((await partner.get("/v1/customers")).json()["items"]) == 1


async def test_a_link_used_twice_at_once_sets_one_password(web: Web) -> None:
    """NOT-12."""
    partner = await web.a_partner()
    await partner.post("/v1/customers", a_body())
    token = await link_of(web, "ada@mueller.example", LINK_KEY)

    answers = await asyncio.gather(
        *(web.post("/v1/credentials/set-password", {"token": token, "password": f"{PASSWORD} {number}"}) for number in range(4))
    )

    assert sorted(answer.status_code for answer in answers) == [204, 422, 422, 422]
