"""A customer goes in stages that are announced, can be stopped until they happen, and wait for what is to be done before (MKT-19)."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest

from chassis.database import WorkerDatabase
from chassis.due import DueWorker
from chassis.ids import new_id
from chassis_testing.clock import FixedClock
from contracts.customers.customers import CustomerChanged
from contracts.customers.offboarding import CustomerDeletionRequested, CustomerDisabled
from contracts.licensing.clearance import CustomerDeletionBlocked, InTheWay
from customers.due import kinds
from customers.offboarding import deletion
from customers.tables.known import KnownSubscription
from customers_testing.http import Web, a_body, as_owner
from customers_testing.told import delivered

DAY = timedelta(days=1)


@dataclass(slots=True)
class Going:
    web: Web
    partner: Web
    customer: dict[str, Any]
    worker: WorkerDatabase
    clock: FixedClock

    @property
    def path(self) -> str:
        return f"/v1/customers/{self.customer['id']}"

    async def planned(self, *stages: dict[str, Any]) -> list[dict[str, Any]]:
        answer = await self.confirmed("POST", f"{self.path}/stages", {"stages": list(stages)} if stages else {}, "*")
        assert answer.status_code == 201, answer.text
        return list(answer.json()["items"])

    async def stages(self) -> dict[str, str]:
        listed = (await self.partner.get(f"{self.path}/stages")).json()["items"]
        return {one["verb"]: one["status"] for one in listed}

    async def change(self, stage: dict[str, Any], **body: Any) -> httpx.Response:
        return await self.confirmed("PATCH", f"{self.path}/stages/{stage['id']}", body, f'"{stage["version"]}"')

    async def confirmed(self, method: str, path: str, body: dict[str, Any], if_match: str) -> httpx.Response:
        """Ask, and confirm what must be."""
        first = await self.partner.send(method, path, body, if_match=if_match)
        if first.json().get("code") != "confirmation_needed":
            return first
        return await self.partner.send(method, path, body | {"confirmation": first.json()["confirmation"]}, if_match=if_match)

    async def stop(self, stage: dict[str, Any], if_match: str = "*") -> httpx.Response:
        return await self.partner.post(f"{self.path}/stages/{stage['id']}/stop", if_match=if_match)

    async def later(self, days: float) -> None:
        self.clock.move(days * DAY)
        worker = DueWorker(kinds(), self.worker, self.clock)
        while await worker.work_one():
            pass
        self.partner = await self.web.sign_in("grace@hafen.example")

    async def status(self) -> str:
        return str((await self.partner.get(self.path)).json()["status"])

    async def told(self, topic: str) -> list[asyncpg.Record]:
        async with self.worker.direct() as connection:
            return await connection.fetch("select payload from outbox where topic = $1 order by id", topic)


@pytest.fixture
async def going(web: Web, worker_database: WorkerDatabase, clock: FixedClock) -> Going:
    partner = await web.a_partner()
    return Going(web, partner, (await partner.post("/v1/customers", a_body())).json(), worker_database, clock)


async def test_by_policy_it_is_disabled_after_ten_days_and_deleted_after_thirty(going: Going) -> None:
    planned = await going.planned()

    now = going.clock.now()
    assert {one["verb"]: datetime.fromisoformat(one["at"]) - now for one in planned} == {"disable": 10 * DAY, "delete": 30 * DAY}
    assert all(one["notices"] == ["P3D", "P1D"] and one["checklist"] for one in planned)
    (*_, last) = await going.told("customer.changed")
    told = CustomerChanged.read(last["payload"]).state.stages
    assert [(one.verb, one.at - now, one.notices) for one in told] == [
        ("disable", 10 * DAY, ["P3D", "P1D"]),
        ("delete", 30 * DAY, ["P3D", "P1D"]),
    ]


async def test_each_stage_comes_at_its_time(going: Going) -> None:
    await going.planned({"verb": "disable", "checklist": []}, {"verb": "delete", "checklist": []})

    await going.later(9.9)
    assert await going.status() == "active"
    await going.later(0.2)
    assert await going.status() == "disabled"
    await going.later(20)

    assert await going.status() == "deleting"
    assert await going.stages() == {"disable": "done", "delete": "done"}
    (disabled,) = await going.told("customer.disabled")
    (requested,) = await going.told("customer.deletion_requested")
    assert CustomerDisabled.read(disabled["payload"]).disabled_by is None
    assert CustomerDeletionRequested.read(requested["payload"]).requested_by is None
    (*_, last) = await going.told("customer.changed")
    assert CustomerChanged.read(last["payload"]).state.stages == []


async def test_a_stage_is_stopped_until_it_happens(going: Going) -> None:
    disable, delete = await going.planned({"verb": "disable", "checklist": []}, {"verb": "delete", "checklist": []})

    assert (await going.stop(delete, '"99"')).status_code == 412
    assert (await going.stop(delete)).json()["status"] == "stopped"
    await going.later(31)

    assert await going.stages() == {"disable": "done", "delete": "stopped"}
    assert await going.status() == "disabled"
    for over in (disable, delete):
        refused = await going.stop(over)
        assert (refused.status_code, refused.json()["code"]) == (409, "stage_over")
    assert (await going.stop({"id": str(new_id())})).json()["code"] == "stage_not_found"


async def test_a_stage_is_moved_and_comes_then(going: Going) -> None:
    (stage,) = await going.planned({"verb": "disable", "after": "P2D", "checklist": []})

    moved = await going.change(stage, at=(going.clock.now() + 5 * DAY).isoformat(), notices=["P4D"])

    assert (moved.status_code, moved.json()["notices"]) == (200, ["P4D"]), moved.text
    assert (await going.change(stage, notices=[])).status_code == 412
    await going.later(3)
    assert await going.status() == "active"
    await going.later(2)
    assert await going.status() == "disabled"


async def test_what_is_open_of_its_checklist_holds_it_until_it_is_done(going: Going) -> None:
    (stage,) = await going.planned({"verb": "disable", "after": "P1D", "checklist": ["Call Ada", "Send the keys"]})
    await going.later(2)
    assert await going.stages() == {"disable": "held"}
    assert await going.status() == "active"
    stage["version"] += 1

    first = (await going.change(stage, done=[1])).json()
    assert [one["done"] for one in first["checklist"]] == [True, False]
    await going.later(0)
    assert await going.status() == "active"
    assert (await going.change(first, done=[1, 2])).json()["status"] == "planned"
    await going.later(0)

    assert await going.status() == "disabled"


async def test_what_refuses_a_stage_stays_with_it(going: Going) -> None:
    await going.planned({"verb": "delete", "after": "P1D", "checklist": []})
    row = {"customer_id": UUID(going.customer["id"]), "product": "Endpoint Security", "status": "active", "partner_owned": True}
    async with going.worker.work() as work, work.item(UUID(going.customer["partner_id"])) as tx:
        tx.session.add(KnownSubscription(partner_id=tx.partner_id, id=new_id(), version=1, **row))

    await going.later(2)

    (stage,) = (await going.partner.get(f"{going.path}/stages")).json()["items"]
    assert (stage["status"], stage["refused_with"]) == ("refused", "products_in_the_way")
    assert await going.status() == "active"


@pytest.mark.parametrize("verb", ["disable", "delete"])
async def test_what_comes_before_anybody_is_told_of_it_is_confirmed_like_the_deed(going: Going, verb: str) -> None:
    """GW-14: whether it is planned so, moved so, or its notices are taken from it."""
    path = f"{going.path}/stages"
    deed = (await going.partner.post(f"{going.path}/{verb}/preview")).json()
    at_once = {"stages": [{"verb": verb, "after": "PT1S"}]}

    asked = await going.partner.post(path, at_once, if_match="*")
    other = await going.partner.post(path, at_once | {"confirmation": "0" * 32}, if_match="*")
    (stage,) = (await going.partner.post(path, {"stages": [{"verb": verb, "after": "P2D"}]}, if_match="*")).json()["items"]

    assert (asked.status_code, asked.json()["code"]) == (428, "confirmation_needed")
    assert {name: asked.json()[name] for name in ("verb", "confirmation", "consequences")} == {
        name: deed[name] for name in ("verb", "confirmation", "consequences")
    }
    assert (other.status_code, other.json()["code"]) == (412, "confirmation_outdated")
    for sudden in ({"at": going.clock.now().isoformat()}, {"notices": []}):
        moved = await going.partner.patch(f"{path}/{stage['id']}", sudden, if_match='"1"')
        assert (moved.status_code, moved.json()["code"], moved.json()["verb"]) == (428, "confirmation_needed", verb)
    assert (await going.partner.patch(f"{path}/{stage['id']}", {"done": [1]}, if_match='"1"')).status_code == 200


TAKEN = {
    "not_allowed": "update roles set permissions = array_remove(permissions, 'customers.remove')",
    "read_only_access": "update roles set all_customers = 'read'",
    "access_ended": "update users set status = 'disabled' where id = $1::text::uuid",
}


@pytest.mark.parametrize("code", TAKEN)
async def test_who_may_do_it_no_longer_does_not_do_it_by_what_was_planned(going: Going, code: str) -> None:
    """CUS-85, CUS-86: rights are read again when its time has come; to have signed in anew since takes nothing from them."""
    bob = await going.web.a_colleague(going.partner, "Partner Administrator")
    going.partner = bob
    await going.planned({"verb": "disable", "after": "P2D", "checklist": []}, {"verb": "delete", "after": "P9D", "checklist": []})
    me = (await bob.get("/v1/me")).json()["user"]["id"]
    await bob.post("/v1/me/sessions/end")
    await going.later(3)
    assert await going.status() == "disabled"

    await as_owner(going.web, TAKEN[code], *([me] if "$1" in TAKEN[code] else []))
    await going.later(7)

    assert await as_owner(going.web, "select status || ' ' || refused_with from stages where verb = 'delete'") == f"refused {code}"
    assert await as_owner(going.web, "select status from customers") == "disabled"


async def test_a_deletion_that_licensing_blocks_is_no_stage_that_is_done(going: Going) -> None:
    """CUS-62: a product was sold in the same moment; the customer goes on, and the stage says why."""
    await going.planned({"verb": "delete", "after": "P1D", "checklist": []})
    await going.later(2)
    assert await going.stages() == {"delete": "done"}
    sold = InTheWay(precondition="no_active_subscriptions", product="Endpoint Security", subscription_id=new_id(), status="trial")

    version = int(str(await as_owner(going.web, "select version from customers")))
    about = {"customer_id": UUID(going.customer["id"]), "partner_id": UUID(going.customer["partner_id"])}
    event = delivered(CustomerDeletionBlocked(in_the_way=[sold]), version=version, at=going.clock.now(), **about)
    async with going.worker.work() as work, work.item(event.envelope.partner_id, cause=event.envelope) as tx:
        await deletion.blocked(tx, event)

    (stage,) = (await going.partner.get(f"{going.path}/stages")).json()["items"]
    assert (stage["status"], stage["refused_with"]) == ("refused", "products_in_the_way")
    assert await going.status() == "active"
    assert len(await going.planned({"verb": "delete"})) == 1


async def test_one_stage_of_a_kind_is_planned_at_a_time(going: Going) -> None:
    await going.planned({"verb": "disable"})

    again = await going.partner.post(f"{going.path}/stages", {"stages": [{"verb": "disable"}]}, if_match="*")

    assert (again.status_code, again.json()["code"]) == (409, "stage_planned")


async def test_who_plans_must_say_what_it_has_seen_and_may_remove_customers(going: Going) -> None:
    path = f"{going.path}/stages"
    stranger = await going.web.a_partner("Berg IT", "berg.example")

    assert (await going.partner.post(path)).json()["code"] == "if_match_required"
    assert (await going.partner.post(path, if_match='"99"')).json()["code"] == "stale"
    assert (await stranger.post(path, if_match="*")).json()["code"] == "customer_not_found"
    assert (await stranger.get(path)).json()["code"] == "customer_not_found"
    assert (await going.partner.post(path, {"stages": [{"verb": "disable", "after": "P0D"}]}, if_match="*")).status_code == 422
    await as_owner(going.web, "update roles set permissions = array_remove(permissions, 'customers.remove')")
    assert (await going.partner.post(path, if_match="*")).json()["code"] == "not_allowed"
