"""A customer closes itself to its partner and those above, and opens itself again; the operator still disables it (MKT-05)."""

from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from customers_testing.http import CONSOLE_KEY, OPERATOR, PASSWORD, Web, a_body, as_owner


@dataclass(frozen=True)
class House:
    """A customer's own user, its partner, and the one above that."""

    web: Web
    own: Web
    partner: Web
    above: Web
    partner_id: str
    path: str

    async def asked(self, verb: str) -> httpx.Response:
        return await self.own.post(f"{self.path}/{verb}", {}, if_match="*")

    async def acting(self, path: str, body: dict[str, Any], **headers: str) -> httpx.Response:
        return await self.above.post(path, body, partnerdeck_acting_as=self.partner_id, **headers)


@pytest.fixture
async def house(web: Web) -> House:
    above = await web.a_partner()
    admin = {"name": "Max Berg", "email": "max@berg.example", "password": PASSWORD}
    made = await above.post("/v1/partners", {"company_name": "Berg IT", "country": "AT", "admin": admin})
    assert made.status_code == 201, made.text
    partner = await web.sign_in("max@berg.example")
    customer = await partner.post("/v1/customers", a_body())
    assert customer.status_code == 201, customer.text
    return House(web, await web.invited("ada@mueller.example"), partner, above, made.json()["id"], f"/v1/customers/{customer.json()['id']}")


async def test_nobody_above_gets_in_until_the_customer_opens_itself(house: House) -> None:
    """Its partner goes on seeing it as one that manages itself, and those above may not act upon it (CUS-51)."""
    launched = (await house.partner.post(f"{house.path}/console-sessions", {})).json()
    session = (await house.web.post("/v1/console-sessions/exchange", {"code": launched["code"], "console_key": CONSOLE_KEY})).json()

    closed = await house.asked("shut-out")

    assert closed.status_code == 200, closed.text
    assert closed.json()["shut_out_at"] is not None
    known = {"session_token": session["session_token"], "console_key": CONSOLE_KEY}
    assert not (await house.web.post("/v1/console-sessions/introspect", known)).json()["active"]
    refused = await house.partner.post(f"{house.path}/console-sessions", {})
    assert (refused.status_code, refused.json()["code"], refused.json()["rule"]) == (403, "customer_shut_out", "MKT-05")
    assert (await house.partner.post(f"{house.path}/consents/console-launch", {}, if_match="*")).json()["code"] == "customer_shut_out"
    assert "first_admin" not in (await house.partner.get(house.path)).json()
    offered = {one["action"]: one["code"] for one in (await house.partner.get(f"{house.path}/actions")).json()["items"]}
    assert (offered["launch_console"], offered["tag"]) == ("customer_shut_out", None)
    acted = await house.acting(f"{house.path}/disable/preview", {})
    assert (acted.status_code, acted.json()["code"]) == (403, "customer_shut_out")

    assert (await house.asked("let-in")).json()["shut_out_at"] is None
    assert (await house.partner.post(f"{house.path}/console-sessions", {})).status_code == 201
    assert (await house.acting(f"{house.path}/disable/preview", {})).status_code == 200
    assert "first_admin" in (await house.partner.get(house.path)).json()


async def test_the_operator_disables_it_all_the_same(house: House) -> None:
    await house.asked("shut-out")
    operator = await house.web.sign_in(OPERATOR)
    acting = {"partnerdeck_acting_as": house.partner_id}

    said = (await operator.post(f"{house.path}/disable/preview", {}, **acting)).json()
    done = await operator.post(f"{house.path}/disable", {"confirmation": said["confirmation"]}, if_match="*", **acting)

    assert (done.status_code, done.json()["status"]) == (200, "disabled")


async def test_nobody_but_its_own_users_closes_it_and_twice_is_once(house: House) -> None:
    stranger = await house.web.a_partner("Fremd IT", "fremd.example")
    for who, status in ((house.partner, 403), (stranger, 403), (await house.web.sign_in(OPERATOR), 403)):
        assert (await who.post(f"{house.path}/shut-out", {}, if_match="*")).status_code == status
    assert (await house.own.post(f"{house.path}/shut-out", {})).status_code == 428
    assert (await house.own.post(f"{house.path}/shut-out", {}, if_match='"99"')).status_code == 412
    first, second = await house.asked("shut-out"), await house.asked("shut-out")
    assert first.json()["version"] == second.json()["version"]
    told = "select count(*) from outbox where topic = 'customer.updated' and convert_from(payload, 'utf8') like '%shut_out%'"
    assert await as_owner(house.web, told) == 1
    audited = "select count(*) from audit where facts @> '{customer.updated}' and operation like '%shut_out' and outcome = 'done'"
    assert await as_owner(house.web, audited) == 1
