"""A customer goes to another partner of its tree with all that it has, and its old partner is left with nothing of it (MKT-02).

Through the gateway, over all services, while licensing is killed and stays away for a time.
"""

from dataclasses import dataclass
from typing import Any, Final, Self

import pytest

from chassis_testing.waiting import eventually
from contracts.customers.offboarding import CustomerMoved
from journeys.world import PATIENCE, World
from onebox.api import Api, Refused

pytestmark = [pytest.mark.xdist_group("suite"), pytest.mark.timeout(600)]

PASSWORD: Final = "the-longest-way-round"


@dataclass(frozen=True, slots=True)
class Firm:
    """A partner, and how its administrator signs in."""

    world: World
    id: str
    email: str

    @classmethod
    async def found(cls, world: World, name: str, parent_id: str | None = None) -> Self:
        email = f"head@{name.lower().replace(' ', '-')}.com"
        admin = {"name": f"Head {name}", "email": email, "password": PASSWORD}
        more = {"parent_id": parent_id} if parent_id else {}
        made = await (await world.operator()).post("/v1/partners", company_name=name, country="DE", admin=admin, **more)
        return cls(world, made["id"], email)

    async def api(self, acting_as: str | None = None) -> Api:
        signed_in = await self.world.patiently(lambda: Api(self.world.http).signed_in(self.email, PASSWORD))
        return Api(self.world.http, signed_in.headers | ({"partnerdeck-acting-as": acting_as} if acting_as else {}))


async def asked(above: Api, customer_id: str, to: str) -> dict[str, Any]:
    """Have the consequences of the move shown, and confirm them."""
    path = f"/v1/customers/{customer_id}"
    shown = await above.post(f"{path}/move/preview", partner_id=to)
    now = (await above.get(path))["version"]
    job: dict[str, Any] = await above.post(f"{path}/move", if_match=now, partner_id=to, confirmation=shown["confirmation"])
    return job


async def waits_for(above: Api, customer_id: str, *services: str) -> None:
    async def look() -> bool:
        move = await above.get(f"/v1/customers/{customer_id}/move")
        assert (move["status"], move["waiting_for"]) == ("asked", [*services]), move
        return True

    await eventually(look, within=PATIENCE)


async def timeline_of(partner: Api, customer_id: str) -> list[str]:
    return [one["topic"] for one in (await partner.get(f"/v1/customers/{customer_id}/timeline"))["items"]]


async def audited(partner: Api, customer_id: str) -> bool:
    entries = await partner.everything("/v1/audit")
    return any(CustomerMoved.topic in one["facts"] and one["customer_id"] == customer_id for one in entries)


async def test_a_customer_moves_with_all_it_has_although_licensing_is_killed_meanwhile(world: World) -> None:
    top = await Firm.found(world, "Moving Distribution")
    old, new = await Firm.found(world, "Moving Out", top.id), await Firm.found(world, "Moving In", top.id)
    body = world.company("Caravan")
    customer = await (await old.api()).post("/v1/customers", **body)
    trial = await world.trial_of(await old.api(), customer["id"])
    path = f"/v1/customers/{customer['id']}"
    above = await top.api(acting_as=old.id)

    restarts = world.suite.restarts("licensing")
    world.suite.hold("licensing")
    try:
        world.suite.kill("licensing")
        await asked(above, customer["id"], new.id)
        await waits_for(above, customer["id"], "licensing")
        with pytest.raises(Refused, match="customer_moving"):
            await above.post(f"{path}/unlink/preview")
        assert (await (await old.api()).get(path))["partner_id"] == old.id
    finally:
        world.suite.release("licensing")
    await world.suite.until_restarted("licensing", restarts, within=3 * PATIENCE)
    await world.until_ready()

    await has_arrived(world, new, customer["id"], trial["id"])
    await has_left(world, old, customer["id"], trial["id"])
    for firm in (old, new):
        await eventually(lambda whose=firm: told_in_its_audit(whose, customer["id"]), within=PATIENCE)
    facts = await world.told(CustomerMoved.topic, customer["id"])
    assert {str(one.envelope.partner_id) for one in facts} == {old.id, new.id}
    assert len(facts) == 2


async def told_in_its_audit(firm: Firm, customer_id: str) -> bool:
    assert await audited(await firm.api(), customer_id)
    return True


async def has_arrived(world: World, firm: Firm, customer_id: str, trial_id: str) -> None:
    async def look() -> bool:
        partner = await firm.api()
        try:
            assert (await partner.get(f"/v1/customers/{customer_id}"))["partner_id"] == firm.id
            assert (await partner.get(f"/v1/subscriptions/{trial_id}"))["status"] == "trial"
            topics = await timeline_of(partner, customer_id)
        except Refused as not_yet:
            raise AssertionError(str(not_yet)) from not_yet
        assert [topics.count(one) for one in ("customer.created", "customer.moved", "trial.started")] == [1, 1, 1], topics
        return True

    await eventually(look, within=PATIENCE, every=1.0)


async def has_left(world: World, firm: Firm, customer_id: str, trial_id: str) -> None:
    partner = await firm.api()
    for gone in (f"/v1/customers/{customer_id}", f"/v1/customers/{customer_id}/timeline", f"/v1/subscriptions/{trial_id}"):
        assert (await world.http.get(gone, headers=partner.headers)).status_code == 404, gone
    for empty in ("/v1/customers", "/v1/customer-overview", "/v1/subscriptions"):
        assert (await partner.get(empty))["items"] == [], empty
    move = await partner.get(f"/v1/customers/{customer_id}/move")
    assert (move["status"], move["waiting_for"]) == ("moved", [])
