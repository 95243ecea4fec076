"""A partner opens its customer's console, works there, and the customer sees it and ends it (CUS-54, CUS-55, GW-04)."""

import json
from http import HTTPStatus
from typing import Any

import httpx

from chassis_testing.waiting import eventually
from journeys.world import LINK, PATIENCE, World
from onebox import people
from onebox.api import Api


async def signed_in_customer(world: World, body: dict[str, Any]) -> Api:
    """The customer's first admin, by the link in its mail."""
    mails = await world.mails_about(body["company"]["name"], at_least=2)
    (link,) = [found for mail in mails if (found := LINK.search(mail.text))]
    await Api(world.http).post("/v1/credentials/set-password", token=link[1], password=people.PASSWORD)
    return await Api(world.http).signed_in(f"mia.maple@{body['domain']}", people.PASSWORD)


async def test_the_customer_sees_the_partner_in_its_console_and_shows_it_out(world: World) -> None:
    partner = await world.partner()
    body = world.company("Console")
    customer = await partner.post("/v1/customers", **body)
    own = await signed_in_customer(world, body)
    sessions = f"/v1/customers/{customer['id']}/console-sessions"

    launch = await partner.post(sessions)
    async with httpx.AsyncClient(follow_redirects=True, timeout=30) as browser:
        shown = await browser.get(launch["url"])
        assert shown.status_code == HTTPStatus.OK
        assert "works here as administrator" in shown.text
        assert "code=" not in str(shown.url)

        (live,) = (await own.get(sessions, live="true"))["items"]
        assert (live["id"], live["ended_at"]) == (launch["session_id"], None)
        await own.post(f"{sessions}/{live['id']}/end")

        async def shown_out() -> bool:
            return (await browser.get(shown.url)).status_code == HTTPStatus.UNAUTHORIZED

        await eventually(shown_out, within=PATIENCE)

    assert (await own.get(sessions, live="true"))["items"] == []
    await world.until_quiet()
    assert len(await world.told("console_session.started", customer["id"])) == 1
    (end,) = await world.told("console_session.ended", customer["id"])
    assert json.loads(end.payload or b"{}")["ended_by"] == "customer"


async def test_who_logs_out_in_the_console_has_left_and_a_code_lets_nobody_in_twice(world: World) -> None:
    partner = await world.partner()
    customer = await partner.post("/v1/customers", **world.company("Console again"))
    launch = await partner.post(f"/v1/customers/{customer['id']}/console-sessions")

    async with httpx.AsyncClient(follow_redirects=True, timeout=30) as browser:
        console = (await browser.get(launch["url"])).url
        left = await browser.post(console.join("/leave"))
        assert "You are signed out" in left.text
        again = await browser.get(launch["url"])

    assert again.status_code == HTTPStatus.FORBIDDEN
    (one,) = (await partner.get(f"/v1/customers/{customer['id']}/console-sessions"))["items"]
    assert one["ended_by"] == "console"
