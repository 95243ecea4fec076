"""From nobody to a partner with its first customer, by what anybody can reach."""

import asyncio
from uuid import uuid4

import httpx
import pytest
from altcha import Challenge, Payload, solve_challenge

from journeys.world import LINK, World
from onebox.api import Api, Refused
from onebox.people import NORTHWIND

PASSWORD = "a door that opens from outside"


async def test_whoever_signs_up_has_its_first_customer_on_a_trial_the_same_hour(world: World) -> None:
    """CUS-71, CUS-72, CUS-81, GW-12, then CUS-01: an address that is taken learns nothing and is given nothing."""
    name, email = f"Rosa Quay {uuid4().hex[:8]}", f"rosa@{uuid4().hex[:8]}-quay.com"
    taken = await sign_up(world, "Quay Copies", "Rosa Quay", NORTHWIND.email)
    assert taken.status_code == 202

    asked = await sign_up(world, "Quay Systems", name, email)

    assert (asked.status_code, asked.content) == (202, b"")
    with pytest.raises(Refused):
        await Api(world.http).signed_in(email, PASSWORD)
    (link,) = [found for mail in await world.mails_about(name) if (found := LINK.search(mail.text))]
    await Api(world.http).post("/v1/credentials/set-password", token=link[1], password=PASSWORD)
    rosa = await world.patiently(lambda: Api(world.http).signed_in(email, PASSWORD))
    assert [role["name"] for role in (await rosa.get("/v1/me"))["roles"]] == ["Partner Administrator"]

    body = world.company("First")
    customer = await rosa.post("/v1/customers", **body)

    assert (await world.trial_of(rosa, customer["id"]))["status"] == "trial"
    assert (await world.overview_of(rosa, body["company"]["name"]))["id"] == customer["id"]
    assert await world.mails_about(body["company"]["name"])
    assert [one["id"] for one in (await rosa.get("/v1/customers"))["items"]] == [customer["id"]]


async def sign_up(world: World, company: str, name: str, email: str) -> httpx.Response:
    """As the form does it: read the terms, work for it, send it."""
    shown = await Api(world.http).get("/v1/sign-ups/challenge")
    challenge = Challenge.from_dict(shown["challenge"])
    solution = await asyncio.to_thread(solve_challenge, challenge)
    assert solution is not None
    body = {
        "company_name": company,
        "country": "NL",
        "address": {"address_1": "Kade 1", "city": "Rotterdam"},
        "contact": {"name": name, "email": email},
        "terms": {"version": shown["terms_version"], "accepted": True},
        "proof": Payload(challenge, solution).to_base64(),
    }
    return await world.http.post("/v1/sign-ups", json=body)
