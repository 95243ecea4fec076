"""What products report of computers reaches the partner's list and profile, and leaves them when it is mended.

CUS-30, CUS-33, CUS-34, CUS-38, REP-13 from a connector through the gateway.
"""

from typing import Any, Final
from uuid import UUID

from chassis_testing.waiting import eventually
from journeys.world import PATIENCE, World
from onebox.api import Api
from simulator import connector

ALL: Final = {"critical": 2, "warning": 1}
"""What the sample computers give reason for, once each was counted."""


async def until_listed(
    world: World, partner: Api, company: str, *, listed: bool = True, counted: object = None, **filters: str
) -> dict[str, Any]:
    """The customer's row once the filters find it with these alerts; or once they no longer do."""

    async def look() -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = (await partner.get("/v1/customer-overview", q=company, **filters))["items"]
        assert bool(items) is listed, items
        assert counted is None or items[0]["alerts"] == counted, items
        return items or [{}]

    return (await eventually(lambda: world.patiently(look), within=PATIENCE))[0]


async def test_a_computer_that_needs_an_update_is_found_updated_and_gone(world: World) -> None:
    partner = await world.partner()
    body = world.company("Computers")
    customer = await partner.post("/v1/customers", **body)
    trial = await world.trial_of(partner, customer["id"])
    company = body["company"]["name"]
    assert (await world.overview_of(partner, company))["require_update"] == 0
    reported = connector.computers(UUID(customer["id"]), trial["product"])

    async with connector.connected(world.suite.kafka) as telling:
        await telling.tell(UUID(customer["partner_id"]), *reported)
        found = {"require_update": "true", "alerts": "critical", "management_type": "co_managed"}
        row = await until_listed(world, partner, company, counted=ALL, **found)
        profile = await partner.get(f"/v1/customers/{customer['id']}/profile")
        await telling.tell(UUID(customer["partner_id"]), *map(connector.updated, reported))
    await until_listed(world, partner, company, listed=False, require_update="true")
    calm = await until_listed(world, partner, company, attention="false")

    assert (row["require_update"], row["alerts"], row["needs_attention"]) == (1, ALL, True)
    assert {one["concern"] for one in row["attention"]} == {"threat", "system"}
    summary = profile["endpoints"]
    assert (summary["endpoints"], summary["protected"], summary["disabled"], summary["agent_update_required"]) == (4, 3, 1, 1)
    assert (profile["deployment"]["window"], profile["deployment"]["deployed_in_window"]) == ("24_hours", 4)
    assert profile["missing"] == []
    assert (calm["require_update"], calm["attention"]) == (0, [])
