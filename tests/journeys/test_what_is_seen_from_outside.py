"""Whoever runs the suite sees what one request caused, in traces and in logs, and nothing that it was told in confidence."""

import asyncio
import json
import secrets
from typing import Any

from chassis_testing.waiting import eventually
from journeys.collector import Collector, Span
from journeys.world import LINK, PATIENCE, World
from onebox import people
from onebox.api import Api
from onebox.people import NORTHWIND
from onebox.postgres import SERVICES

TRIES = 40
"""Of these the gateway chooses a third to be recorded, by a number of its own."""


def confided(body: dict[str, Any]) -> list[str]:
    """What nobody but the suite is to know of a customer."""
    contact = body["contact"]
    return [body["company"]["name"], body["company"]["address_1"], contact["name"], contact["email"], body["domain"], NORTHWIND.email]


async def test_one_trace_leads_from_the_gateway_to_the_trial_and_the_mail(world: World, collector: Collector) -> None:
    partner = await world.partner()
    asked = {secrets.token_hex(16): world.company("Traced", seats=5) for _ in range(TRIES)}
    made = {}
    for trace, company in asked.items():
        parent = {"traceparent": f"00-{trace}-{secrets.token_hex(8)}-00"}
        made[trace] = (await world.http.post("/v1/customers", json=company, headers=partner.headers | parent)).json()

    async def recorded() -> str | None:
        return next((trace for trace in asked if collector.of(trace)), None)

    trace_id = str(await eventually(recorded, within=PATIENCE))
    body, customer = asked[trace_id], made[trace_id]
    await world.trial_of(partner, customer["id"])
    await world.mails_about(body["company"]["name"])

    spans = await eventually(lambda: whole_way(collector, trace_id), within=PATIENCE)

    (door,) = [span for span in spans if span.service == "gateway"]
    (created,) = [span for span in spans if span.service == "customers"]
    assert (door.name, created.name, created.parent_id) == ("POST /v1/customers", "POST /v1/customers", door.span_id)
    assert {span.name for span in spans if span.service == "licensing"} >= {"take customer.changed"}
    for span in collector.spans:
        assert not [one for one in (*confided(body), people.PASSWORD) if one in span.said], span.name


async def whole_way(collector: Collector, trace_id: str) -> list[Span]:
    """The trace, once it has reached its ends: licensing took the customer, notifications delivered by due work that links to it."""
    linking = {(span.service, span.name.split()[0]) for span in collector.spans if trace_id in span.linked}
    assert {("licensing", "licensing"), ("notifications", "due")} <= linking, linking
    spans = collector.of(trace_id)
    assert {span.service for span in spans} >= {"gateway", "customers", "licensing", "notifications"}
    return spans


async def test_the_logs_name_requests_and_partners_and_quote_nobody(world: World) -> None:
    """Passwords, tokens and what people said of themselves stand in no line, whatever went wrong on the way."""
    partner = await world.partner()
    body = world.company("Logged")
    body["contact"]["name"] = f"Zyxwella {secrets.token_hex(4)}"
    customer = await partner.post("/v1/customers", **body)
    (link,) = [found for mail in await world.mails_about(body["company"]["name"], at_least=2) if (found := LINK.search(mail.text))]
    chosen, wrong = secrets.token_hex(12), secrets.token_hex(12)
    await Api(world.http).post("/v1/credentials/set-password", token=link[1], password=chosen)
    signed_in = await world.http.post("/v1/sessions", json={"email": f"mia.maple@{body['domain']}", "password": chosen})
    for path, wanted in (
        ("/v1/sessions", {"email": body["contact"]["email"], "password": wrong}),
        ("/v1/customers", body),
        ("/v1/customers", body | {"domain": "-", "contact": body["contact"] | {"phone": "nobody's"}}),
        (f"/v1/customers/{body['contact']['email']}/review/clear", {}),
    ):
        assert (await world.http.post(path, json=wanted, headers=partner.headers)).is_client_error
    await world.http.get("/v1/customer-overview", params={"q": body["company"]["name"]}, headers=partner.headers)
    await world.until_quiet()

    logs = {name: await asyncio.to_thread(world.suite.home.log(name).read_text) for name in (*SERVICES, "gateway", "postgres", "billing")}
    tokens = [signed_in.json()["access_token"], signed_in.json()["refresh_token"], partner.headers["authorization"].split()[1], link[1]]
    mine = world.suite.home.secrets()
    keys = [json.loads(mine.signing_key)["d"], mine.link_key, mine.sealing_keys]
    kept = [*keys, *mine.login_passwords.values(), mine.operator_password, mine.superuser_password]
    for name, said in logs.items():
        quoted = [one for one in (*confided(body), people.PASSWORD, chosen, wrong, *tokens, *kept) if one in said]
        assert quoted == [], (name, [line for line in said.splitlines() if any(one in line for one in quoted)][:3])
    answered = [json.loads(line) for line in logs["customers"].splitlines() if customer["id"] in line and "request_answered" in line]
    assert all({"request_id", "trace_id", "partner_id", "user_id", "service"} <= line.keys() for line in answered)
