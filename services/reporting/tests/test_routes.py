"""The overview over HTTP: bytes that fit the published document, problems for what it cannot read."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from joserfc.jwk import OKPKey
from pydantic import BaseModel
from sqlalchemy import insert
from told_to_reporting import a_customer, a_subscription, event_of, take

from chassis.access import tables
from chassis.database import ApiDatabase, DatabaseSettings, WorkerDatabase
from chassis.health import Health
from chassis.http.app import build
from chassis.http.calls import Rails
from chassis.ids import new_id
from chassis.keys import KeySet
from chassis.principal import Principal
from chassis.tokens import Issuer, Verifier
from chassis_testing.clock import FixedClock
from reporting.app import service
from reporting.routes import views
from reporting.settings import Settings

KEY = OKPKey.generate_key("Ed25519", {"kid": "tests"}, private=True)
PARTNER = new_id()
USER = Principal(kind="partner", user_id=new_id(), partner_id=PARTNER, gen=1)
FIRST = a_customer(PARTNER, name="Erste GmbH", status="pending_review")
SECOND = a_customer(PARTNER, name="Zweite GmbH", management_type="co_managed")


@pytest.fixture
async def client(
    fresh_database: DatabaseSettings, api_database: ApiDatabase, worker_database: WorkerDatabase, clock: FixedClock
) -> AsyncIterator[httpx.AsyncClient]:
    """A signed-in user of a partner with two customers."""
    async with worker_database.work() as work:
        await take(work, [event_of(state) for state in (FIRST, SECOND, a_subscription(SECOND), a_subscription(SECOND, kind="paid"))])
        role = {"id": new_id(), "permissions": [], "default_level": "read", "customers": {}, "tags": {}}
        user = {"id": USER.user_id, "kind": "partner", "status": "active", "gen": 1, "role_ids": [role["id"]]}
        partner = {"id": PARTNER, "ancestors": [], "status": "active", "shut_out": False}
        for table, row in ((tables.roles, role), (tables.users, user), (tables.partners, partner)):
            await work.session.execute(insert(table).values(partner_id=PARTNER, version=1, **row))
    rails = Rails(database=api_database, verifier=Verifier(KeySet([KEY])), clock=clock)
    app = build(title="reporting", routers=service(settings_for(fresh_database)).routers, health=Health(), state=rails)
    token, _ = Issuer(KEY).issue(USER, clock.now())
    headers = {"authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://reporting", headers=headers) as opened:
        yield opened


def settings_for(database: DatabaseSettings) -> Settings:
    said: dict[str, Any] = {name: f"{name}-of-nobody" for name in ("worker_password", "api_password")}
    return Settings(database_name=database.name, kafka="127.0.0.1:9092", http_port=8000, **said)


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
        ("/v1/customer-overview", views.CustomerOverviewPage),
        (f"/v1/customer-overview/{SECOND.id}", views.CustomerOverview),
        ("/v1/customer-overview/totals", views.CustomerTotals),
    ],
    ids=["list", "one", "totals"],
)
async def test_the_bytes_fit_the_document(client: httpx.AsyncClient, path: str, view: type[BaseModel]) -> None:
    """BEY-09: and each answer says as of when it is."""
    answer = await client.get(path)

    assert answer.status_code == 200
    view.model_validate_json(answer.content)
    assert {"as_of", "lag_seconds"} <= answer.json().keys()


async def test_filters_combine_and_pages_follow_each_other(client: httpx.AsyncClient) -> None:
    """CUS-31, CUS-32, CUS-33."""
    first = await page(client, q="gmbh", sort="-name", limit=1)
    second = await page(client, q="gmbh", sort="-name", cursor=first["next"])
    assert [*names(first), *names(second)] == ["Zweite GmbH", "Erste GmbH"]

    types = {"management_type": ["co_managed", "customer_managed"], "product_type": ["endpoint_protection", "backup"]}
    assert names(await page(client, **types, kind="paid")) == ["Zweite GmbH"]
    assert names(await page(client, attention="true")) == ["Erste GmbH"]
    assert names(await page(client, **types, attention="true")) == []


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
        {"q": ""},
        {"q": "a\x00b"},
        {"colour": "red"},
    ],
)
async def test_what_cannot_be_read_is_a_problem(client: httpx.AsyncClient, params: dict[str, str]) -> None:
    answer = await client.get("/v1/customer-overview", params=params)

    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.status_code in {400, 422}


async def test_a_cursor_of_another_order_is_refused(client: httpx.AsyncClient) -> None:
    by_name = await page(client, limit=1)

    answer = await client.get("/v1/customer-overview", params={"sort": "-created_at", "cursor": by_name["next"]})

    assert (answer.status_code, answer.json()["code"]) == (400, "bad_cursor")


async def test_nobody_is_shown_anything_without_a_token(client: httpx.AsyncClient) -> None:
    for path in ("", "/totals", f"/{FIRST.id}"):
        assert (await client.get(f"/v1/customer-overview{path}", headers={"authorization": ""})).status_code == 401
