"""Everything that is told about a customer says in which region its data are kept, until nothing of it is left (MKT-03)."""

import json
from collections import Counter
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from chassis.consumers import Event
from chassis.database import WorkerDatabase
from chassis.due import DueWorker
from chassis_testing.clock import FixedClock
from contracts.licensing.clearance import CustomerDeletionCleared
from customers.due import kinds
from customers.offboarding import deletion
from customers_testing.http import CONSOLE_KEY, OPERATOR, Web, a_body, as_owner
from customers_testing.told import delivered

EU = {"regions": ["default", "eu"]}


@pytest.fixture
async def partner(web: Web) -> Web:
    """Of an installation that serves two regions."""
    grace, operator = await web.a_partner(), await web.sign_in(OPERATOR)
    assert (await operator.post("/v1/policies/customers/residency", EU, if_match='"1"')).status_code == 201
    return grace


async def a_customer_in(region: str, partner: Web) -> dict[str, Any]:
    created = await partner.post("/v1/customers", a_body(data_region=region))
    assert created.status_code == 201, created.text
    customer: dict[str, Any] = created.json()
    return customer


async def regions_told(web: Web, customer: dict[str, Any]) -> dict[str, set[str]]:
    """By topic. What the audit tells of a request that changed nothing names no region."""
    rows = str(
        await as_owner(
            web,
            "select json_agg(json_build_array(topic, headers, convert_from(payload, 'utf8')) order by id)::text from outbox"
            " where headers::jsonb @> jsonb_build_array(jsonb_build_array('ce_customerid', $1::text))",
            customer["id"],
        )
    )
    told: dict[str, set[str]] = {}
    for topic, headers, payload in json.loads(rows):
        if topic != "audit.recorded" or json.loads(payload)["facts"]:
            told.setdefault(topic, set()).add(dict(headers)["ce_dataregion"])
    return told


def elsewhere(told: dict[str, set[str]]) -> dict[str, set[str]]:
    return {topic: regions for topic, regions in told.items() if regions != {"eu"}}


async def been_at_work(web: Web, partner: Web, customer: dict[str, Any]) -> None:
    """Somebody of the partner was in the customer's console, and left it."""
    launched = await partner.post(f"/v1/customers/{customer['id']}/console-sessions", {})
    opened = await web.post("/v1/console-sessions/exchange", {"code": launched.json()["code"], "console_key": CONSOLE_KEY})
    leaving = {"session_token": opened.json()["session_token"], "console_key": CONSOLE_KEY}
    assert (await web.post("/v1/console-sessions/leave", leaving)).status_code == 204


async def test_what_is_told_of_a_customers_users_and_console_sessions_says_its_region(web: Web, partner: Web) -> None:
    customer = await a_customer_in("eu", partner)
    ada = await web.invited("ada@mueller.example")
    assert (await ada.patch("/v1/me", {"name": "Ada King"}, if_match="*")).is_success
    await been_at_work(web, partner, customer)
    assert (await partner.confirmed(f"/v1/customers/{customer['id']}/disable", if_match="*")).is_success

    told = await regions_told(web, customer)

    assert elsewhere(told) == {}
    assert {"user.created", "user.updated", "user.changed", "credential.link_requested", "session.ended"} <= set(told)
    assert {"console_session.started", "console_session.ended", "customer.disabled", "audit.recorded"} <= set(told)


async def test_a_purge_is_told_in_the_region_that_the_customer_was_in(
    web: Web, partner: Web, worker_database: WorkerDatabase, clock: FixedClock
) -> None:
    """And so it is when it is asked for again."""
    customer = await a_customer_in("eu", partner)
    assert (await partner.confirmed(f"/v1/customers/{customer['id']}/delete", if_match="*")).is_success
    version = int(str(await as_owner(web, "select version from customers")))
    about = {"customer_id": UUID(customer["id"]), "partner_id": UUID(customer["partner_id"])}
    event: Event[Any] = delivered(CustomerDeletionCleared(), version=version, at=clock.now(), **about)
    async with worker_database.work() as work, work.item(event.envelope.partner_id, cause=event.envelope) as tx:
        await deletion.cleared(tx, event)
    worker = DueWorker(kinds(), worker_database, clock)
    for days in (31, 2):
        clock.move(timedelta(days=days))
        while await worker.work_one():
            pass

    endings = str(await as_owner(web, "select json_agg(headers)::text from outbox where topic = 'customer.purged' or payload is null"))

    assert Counter(dict(headers)["ce_type"] for headers in json.loads(endings)) == {
        "customer.purged": 2,
        "customer.changed": 1,
        "user.changed": 1,
    }
    assert {dict(headers)["ce_dataregion"] for headers in json.loads(endings)} == {"eu"}
