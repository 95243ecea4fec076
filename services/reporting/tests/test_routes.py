"""The overview over HTTP: bytes that fit the published document, problems for what it cannot read."""

from collections.abc import AsyncIterator
from typing import Any, get_args
from uuid import UUID

import httpx
import pytest
from joserfc.jwk import OKPKey
from sqlalchemy import Table, insert
from told_to_reporting import NOW, a_customer, a_subscription, an_audit_entry, an_endpoint, event_of, reported, take

from chassis.access import tables
from chassis.database import ApiDatabase, DatabaseSettings, Work, WorkerDatabase
from chassis.health import Health
from chassis.http.app import build
from chassis.http.calls import Rails
from chassis.http.lists import Listing
from chassis.http.views import View
from chassis.ids import new_id
from chassis.keys import KeySet
from chassis.principal import Principal
from chassis.tokens import Issuer, Verifier
from chassis_testing.clock import FixedClock
from chassis_testing.views import fitted
from contracts.root import ROOT_PARTNER_ID
from reporting import audit_trail
from reporting.app import service
from reporting.audit_trail import AuditView
from reporting.customer_overview import OverviewPageView, OverviewView
from reporting.customer_totals import CustomerTotalsView
from reporting.deployment_chart import DeploymentChartView
from reporting.endpoints import EndpointSummaryView
from reporting.rules.customer_orders import SortBy
from reporting.settings import Settings

KEY = OKPKey.generate_key("Ed25519", {"kid": "tests"}, private=True)
PARTNER = new_id()
USER = Principal(kind="partner", user_id=new_id(), partner_id=PARTNER, gen=1)
FIRST = a_customer(PARTNER, name="Erste GmbH", status="pending_review")
SECOND = a_customer(PARTNER, name="Zweite GmbH", management_type="co_managed")
OTHER = new_id()
ELSEWHERE = a_customer(OTHER, name="Dritte GmbH")
OPERATOR = Principal(kind="operator", user_id=new_id(), partner_id=ROOT_PARTNER_ID, gen=1)


@pytest.fixture
async def client(
    fresh_database: DatabaseSettings, api_database: ApiDatabase, worker_database: WorkerDatabase, clock: FixedClock
) -> AsyncIterator[httpx.AsyncClient]:
    """A signed-in user of a partner with two customers."""
    async with worker_database.work() as work:
        states = (FIRST, SECOND, ELSEWHERE, a_subscription(SECOND), a_subscription(SECOND, kind="paid"), a_subscription(ELSEWHERE))
        computer = an_endpoint(SECOND, agent_update_required=True, deployed_at=NOW)
        await take(work, [*map(event_of, states), reported(computer, PARTNER)])
        for one in (FIRST, SECOND, ELSEWHERE):
            known = {"id": one.id, "status": one.status, "management_type": one.management_type, "tags": []}
            await put(work, tables.customers, one.partner_id, **known)
        role = {"id": new_id(), "permissions": [], "default_level": "read", "customers": {}, "tags": {}}
        await put(work, tables.roles, PARTNER, **role)
        for user, roles in ((USER, [role["id"]]), (OPERATOR, [])):
            await put(work, tables.users, user.partner_id, id=user.user_id, kind=user.kind, status="active", gen=1, role_ids=roles)
        for partner, ancestors in ((ROOT_PARTNER_ID, []), (PARTNER, [ROOT_PARTNER_ID]), (OTHER, [ROOT_PARTNER_ID])):
            await put(work, tables.partners, partner, id=partner, ancestors=ancestors, status="active", shut_out=False)
    rails = Rails(database=api_database, verifier=Verifier(KeySet([KEY])), clock=clock)
    app = build(title="reporting", routers=service(settings_for(fresh_database)).routers, health=Health(), state=rails)
    token, _ = Issuer(KEY).issue(USER, clock.now())
    headers = {"authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://reporting", headers=headers) as opened:
        yield opened


async def put(work: Work, table: Table, partner_id: UUID, **row: Any) -> None:
    await work.session.execute(insert(table).values(partner_id=partner_id, version=1, **row))


def settings_for(database: DatabaseSettings) -> Settings:
    said: dict[str, Any] = {name: f"{name}-of-nobody" for name in ("worker_password", "api_password")}
    return Settings(database_name=database.name, kafka="127.0.0.1:9092", http_port=8000, customers_url="http://127.0.0.1:1", **said)


async def page(client: httpx.AsyncClient, **params: Any) -> dict[str, Any]:
    answer = await client.get("/v1/customer-overview", params=params)
    assert answer.status_code == 200, answer.text
    listed: dict[str, Any] = answer.json()
    return listed


def names(listed: dict[str, Any]) -> list[str]:
    return [item["name"] for item in listed["items"]]


@pytest.mark.parametrize(
    ("path", "view"),
    [
        ("/v1/customer-overview", OverviewPageView),
        (f"/v1/customer-overview/{SECOND.id}", OverviewView),
        ("/v1/customer-overview/totals", CustomerTotalsView),
        (f"/v1/customers/{SECOND.id}/endpoint-summary", EndpointSummaryView),
        (f"/v1/customers/{SECOND.id}/deployment-chart", DeploymentChartView),
    ],
    ids=["list", "one", "totals", "endpoints", "deployment"],
)
async def test_the_bytes_fit_the_document(client: httpx.AsyncClient, path: str, view: type[View]) -> None:
    """BEY-09: and each answer says as of when it is."""
    answer = await client.get(path)

    assert answer.status_code == 200
    fitted(view, answer.content)
    said = answer.json()
    assert {"as_of", "lag_seconds"} <= said.get("freshness", said).keys()


async def test_filters_combine_and_pages_follow_each_other(client: httpx.AsyncClient) -> None:
    """CUS-31, CUS-32, CUS-33."""
    first = await page(client, q="gmbh", sort="-name", limit=1)
    second = await page(client, q="gmbh", sort="-name", cursor=first["next"])
    assert [*names(first), *names(second)] == ["Zweite GmbH", "Erste GmbH"]

    types = {"management_type": ["co_managed", "customer_managed"], "product_type": ["endpoint_protection", "backup"]}
    assert names(await page(client, **types, kind="paid")) == ["Zweite GmbH"]
    assert names(await page(client, attention="true", kind="trial", sort="-require_update")) == ["Zweite GmbH"]
    assert names(await page(client, require_update="true", alerts="warning")) == ["Zweite GmbH"]
    assert names(await page(client, **types, alerts="critical")) == []


async def test_one_customer_carries_its_version_and_an_unknown_one_does_not_exist(client: httpx.AsyncClient) -> None:
    known = await client.get(f"/v1/customer-overview/{FIRST.id}")
    unknown = await client.get(f"/v1/customer-overview/{new_id()}")

    assert (known.headers["etag"], known.json()["attention"][0]["reason"]) == ('"1"', "pending_review")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "customer_not_found")


@pytest.mark.parametrize(
    "params",
    [
        {"sort": "colour"},
        {"status": "gone"},
        {"limit": "0"},
        {"limit": "201"},
        {"kind": "free"},
        {"alerts": "informational"},
        {"q": ""},
        {"q": "a\x00b"},
        {"colour": "red"},
    ],
)
async def test_what_cannot_be_read_is_a_problem(client: httpx.AsyncClient, params: dict[str, str]) -> None:
    answer = await client.get("/v1/customer-overview", params=params)

    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.status_code in {400, 422}


async def test_endpoints_are_summed_up_and_their_deployment_charted(client: httpx.AsyncClient) -> None:
    """REP-07: the last 24 hours, where nothing else is asked for; a stranger's customer does not exist."""
    summed = await client.get(f"/v1/customers/{SECOND.id}/endpoint-summary")
    charted = await client.get(f"/v1/customers/{SECOND.id}/deployment-chart")

    assert (summed.json()["endpoints"], summed.json()["agent_update_required"]) == (1, 1)
    assert (charted.json()["window"], charted.json()["deployed"]) == ("24_hours", 1)
    for path in ("endpoint-summary", "deployment-chart"):
        assert (await client.get(f"/v1/customers/{ELSEWHERE.id}/{path}")).status_code == 404
    assert (await client.get(f"/v1/customers/{SECOND.id}/deployment-chart", params={"window": "1_year"})).status_code == 422


async def test_a_cursor_of_another_order_is_refused(client: httpx.AsyncClient) -> None:
    by_name = await page(client, limit=1)

    answer = await client.get("/v1/customer-overview", params={"sort": "-created_at", "cursor": by_name["next"]})

    assert (answer.status_code, answer.json()["code"]) == (400, "bad_cursor")


async def test_nobody_is_shown_anything_without_a_token(client: httpx.AsyncClient) -> None:
    for path in ("", "/totals", f"/{FIRST.id}"):
        assert (await client.get(f"/v1/customer-overview{path}", headers={"authorization": ""})).status_code == 401


@pytest.fixture
def operator(client: httpx.AsyncClient, clock: FixedClock) -> httpx.AsyncClient:
    """The same door, for an operator."""
    token, _ = Issuer(KEY).issue(OPERATOR, clock.now())
    client.headers["authorization"] = f"Bearer {token}"
    return client


async def test_an_operator_reads_the_customers_of_every_partner(operator: httpx.AsyncClient) -> None:
    """CUS-29, CUS-31 to CUS-33 for whoever runs the installation: each row says whose it is, and every filter and order works."""
    everybody = [("Dritte GmbH", str(OTHER)), ("Erste GmbH", str(PARTNER)), ("Zweite GmbH", str(PARTNER))]

    assert [(item["name"], item["partner_id"]) for item in (await page(operator))["items"]] == everybody
    for sort in get_args(SortBy.__value__):
        first = await page(operator, sort=sort, limit=2)
        second = await page(operator, sort=sort, limit=2, cursor=first["next"])
        assert sorted([*names(first), *names(second)]) == [name for name, _ in everybody]
    narrow = {"management_type": ["partner_managed"], "product_type": ["endpoint_protection"], "status": ["active"]}
    assert names(await page(operator, q="gmbh", kind="trial", attention="false", **narrow)) == ["Dritte GmbH"]
    totals = (await operator.get("/v1/customer-overview/totals")).json()
    assert (totals["customers"], totals["subscriptions"]) == (3, {"trial": 2, "paid": 1})
    assert (await operator.get(f"/v1/customer-overview/{ELSEWHERE.id}")).json()["name"] == "Dritte GmbH"


async def test_an_operator_who_acts_as_a_partner_reads_as_that_partner(operator: httpx.AsyncClient) -> None:
    operator.headers["partnerdeck-acting-as"] = str(OTHER)

    assert names(await page(operator)) == ["Dritte GmbH"]
    assert (await operator.get("/v1/customer-overview/totals")).json()["customers"] == 1
    assert (await operator.get(f"/v1/customer-overview/{FIRST.id}")).status_code == 404
    assert (await operator.get("/v1/customer-overview", headers={"partnerdeck-acting-as": str(new_id())})).status_code == 404


async def test_the_audit_is_for_who_may_look_and_hidden_customers_stay_hidden(
    client: httpx.AsyncClient, worker_database: WorkerDatabase, clock: FixedClock
) -> None:
    """GW-11, CUS-85, CUS-86."""
    hidden, shown = new_id(), new_id()
    async with worker_database.work() as work:
        for partner, customer in ((PARTNER, hidden), (PARTNER, shown), (PARTNER, None), (OTHER, None)):
            async with work.item(partner) as tx:
                await audit_trail.keep(tx, an_audit_entry(partner, customer_id=customer))
    assert (await client.get("/v1/audit")).json()["code"] == "not_allowed"
    async with worker_database.work() as work:
        role = {"id": new_id(), "permissions": ["audit.read"], "default_level": "read", "customers": {str(hidden): "none"}, "tags": {}}
        await put(work, tables.roles, PARTNER, **role)
        await work.session.execute(tables.users.update().where(tables.users.c.id == USER.user_id).values(role_ids=[role["id"]]))

    created = await client.get("/v1/audit", params={"operation": "customers_create", "outcome": "done"})

    fitted(Listing[AuditView], created.content)
    assert {one["customer_id"] for one in created.json()["items"]} == {str(shown), None}
    assert (await client.get("/v1/audit", params={"since": "yesterday"})).status_code == 422
    token, _ = Issuer(KEY).issue(OPERATOR, clock.now())
    everybodys = await client.get("/v1/audit", headers={"authorization": f"Bearer {token}"})
    assert len(everybodys.json()["items"]) == 4
