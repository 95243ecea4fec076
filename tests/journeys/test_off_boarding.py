"""A deletion is blocked while there is a product, cleared when that is over, and at last nothing is left (C-2, CUS-62, CUS-63).

In a sandbox, whose clock goes on over the trial's end and the retention. Facts that may name people are not compacted:
they are kept for 35 days, and so are the mails that went out.
"""

import asyncio
from typing import Any, Final

import pytest

from chassis_testing.waiting import eventually
from contracts.customers.offboarding import ERASERS, CustomerPurged
from journeys import traces
from journeys.test_sandbox import Play, a_sandbox
from journeys.world import World
from onebox import people
from onebox.api import Refused

pytestmark = pytest.mark.timeout(600)

COMPANY: Final = "Quuxwell Xylophones"
PERSON: Final = "Xylophia Quuxwellova"
WORDS: Final = ("Quuxwell", "Xylophia", "5550174711")


async def a_customer(play: Play) -> dict[str, Any]:
    """Filled in step by step, with a trial, a welcome that was mailed, and some life."""
    body = people.customer(COMPANY, PERSON, seats=3)
    body["contact"]["phone"] = body["company"]["phone"] = "+49 30 5550174711"
    me = await play.me()
    draft = await me.post("/v1/customer-drafts", company=body["company"], contact=body["contact"])
    path = f"/v1/customer-drafts/{draft['id']}"
    filled = await me.http.patch(path, json=body, headers=me.headers | {"if-match": f'"{draft["version"]}"'})
    assert filled.is_success, filled.text
    customer: dict[str, Any] = await me.post(f"{path}/submit", if_match=filled.json()["version"])
    await play.until_trials(1)
    await play.world.mails_about(COMPANY, at_least=2)
    return customer


async def asked(play: Play, customer_id: str, verb: str) -> dict[str, Any]:
    """Have a verb's consequences shown, and confirm them."""
    path = f"/v1/customers/{customer_id}"
    me = await play.me()
    shown = await me.post(f"{path}/{verb}/preview")
    now = (await me.get(path))["version"]
    answer: dict[str, Any] = await me.post(f"{path}/{verb}", if_match=now, confirmation=shown["confirmation"])
    return answer


async def blocked_at_once(play: Play, customer_id: str) -> None:
    async def refused() -> bool:
        with pytest.raises(Refused, match="products_in_the_way"):
            await asked(play, customer_id, "delete")
        return True

    await eventually(refused, within=30)


async def test_a_deletion_is_blocked_then_cleared_and_the_purge_leaves_no_trace(world: World) -> None:
    play = await a_sandbox(world, "Farewell")
    customer = await a_customer(play)
    path = f"/v1/customers/{customer['id']}"
    assert await traces.in_tables(world.suite, WORDS) != []
    assert await traces.in_states(world.suite, WORDS) != []
    await blocked_at_once(play, customer["id"])

    await play.until_ended(await play.advance(by="P61D"))
    job = await play.until_ended((await asked(play, customer["id"], "delete"))["id"])
    assert (job["status"], job["succeeded"]) == ("done", 1)
    restored = await (await play.me()).post(f"{path}/restore", if_match=(await (await play.me()).get(path))["version"])
    assert restored["status"] == "active"
    await play.until_ended((await asked(play, customer["id"], "delete"))["id"])
    await play.until_ended(await play.advance(by="P31D"))

    await the_purge_is_over(play, path)
    with pytest.raises(Refused, match="customer_not_found"):
        await (await play.me()).get(path)
    assert len(await world.told(CustomerPurged.topic, customer["id"])) == 1
    await nothing_is_left(world)


async def the_purge_is_over(play: Play, path: str) -> None:
    async def look() -> dict[str, Any]:
        deletion: dict[str, Any] = await play.ask(lambda me: me.get(f"{path}/deletion"))
        assert deletion["status"] == "purged", deletion
        return deletion

    deletion = await eventually(look, within=90, every=1.0)
    assert {one["service"] for one in deletion["erased"]} == ERASERS


async def nothing_is_left(world: World) -> None:
    assert await traces.in_tables(world.suite, WORDS) == []
    assert await asyncio.to_thread(traces.in_logs, world.suite, WORDS) == []

    async def compacted() -> bool:
        left = await traces.in_states(world.suite, WORDS)
        assert left == []
        return True

    async with traces.compacting_at_once(world.suite):
        await eventually(compacted, within=180, every=3.0)
