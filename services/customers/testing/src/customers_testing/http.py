"""The service over HTTP, in the test's own process, on a database of its own."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import asyncpg
import httpx
from argon2 import PasswordHasher
from joserfc.jwk import OKPKey
from pydantic import AnyHttpUrl, SecretStr

from chassis.clock import Clock
from chassis.database import DatabaseSettings, WorkerDatabase
from chassis.links import link_token
from chassis.service import Process
from chassis_testing.audit import auditing
from contracts.root import ROOT_PARTNER_ID
from customers.app import service
from customers.bootstrap import Bootstrap, bootstrap
from customers.rules.passwords import Passwords
from customers.settings import Settings
from customers_testing.builders import EULA, the_known_world

PASSWORD: Final = "correct horse battery"
OPERATOR: Final = "operator@vendor.example"
LINK_KEY: Final = "only-for-tests-only-for-tests-only"
SEALING_KEY: Final = "b25seS1mb3ItdGVzdHMtb25seS1mb3ItdGVzdHMtMzI="
QUICK: Final = Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
"""Passwords that cost nothing: a test has dozens of them."""
CONSOLE_KEY: Final = "only-the-console-and-we-know-this"


@dataclass(frozen=True, slots=True)
class Web:
    """Somebody in front of the service; ``token`` is who."""

    client: httpx.AsyncClient
    database: DatabaseSettings
    token: str | None = None

    async def sign_in(self, email: str, password: str = PASSWORD) -> "Web":
        answer = await self.post("/v1/sessions", {"email": email, "password": password})
        assert answer.is_success, answer.text
        return Web(self.client, self.database, answer.json()["access_token"])

    async def get(self, path: str, **params: Any) -> httpx.Response:
        return await self.client.get(path, params=params, headers=self._headers())

    async def post(self, path: str, body: Any = None, **headers: str) -> httpx.Response:
        return await self.send("POST", path, body, **headers)

    async def put(self, path: str, body: Any = None, **headers: str) -> httpx.Response:
        return await self.send("PUT", path, body, **headers)

    async def patch(self, path: str, body: Any = None, **headers: str) -> httpx.Response:
        return await self.send("PATCH", path, body, **headers)

    async def delete(self, path: str, **headers: str) -> httpx.Response:
        return await self.send("DELETE", path, **headers)

    async def send(self, method: str, path: str, body: Any = None, **headers: str) -> httpx.Response:
        """``if_match`` is sent as the header ``if-match``."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.client.request(method, path, json=body, headers=self._headers() | named)

    async def confirmed(self, path: str, **headers: str) -> httpx.Response:
        """Ask for what must be confirmed, and confirm what it would do."""
        first = await self.post(path, **headers)
        if first.json().get("code") != "confirmation_needed":
            return first
        return await self.post(path, {"confirmation": first.json()["confirmation"]}, **headers)

    async def a_partner(self, name: str = "Hafen IT", domain: str = "hafen.example", **more: Any) -> "Web":
        """Register a partner as the operator and sign its administrator in."""
        operator = await self.sign_in(OPERATOR)
        admin = {"name": "Grace Hopper", "email": f"grace@{domain}", "password": PASSWORD}
        answer = await operator.post("/v1/partners", {"company_name": name, "country": "DE", "admin": admin} | more)
        assert answer.is_success, answer.text
        return await self.sign_in(admin["email"])

    async def a_customer_user(self, **body: Any) -> "Web":
        """Ada of a new customer of a new partner, who has set her password by the mailed link."""
        grace = await self.a_partner()
        answer = await grace.post("/v1/customers", a_body(**body))
        assert answer.is_success, answer.text
        return await self.invited("ada@mueller.example")

    async def a_colleague(self, of: "Web", role: str = "Administrator", email: str = "bob@hafen.example") -> "Web":
        """Another user of somebody's partner, with one of its roles, who has set his password by the mailed link."""
        roles = {one["name"]: one["id"] for one in (await of.get("/v1/roles")).json()["items"]}
        answer = await of.post("/v1/users", {"name": "Bob Kahn", "email": email, "role_ids": [roles[role]]})
        assert answer.is_success, answer.text
        return await self.invited(email)

    async def invited(self, email: str) -> "Web":
        """Set the password by the link of the mail, and sign in."""
        answer = await self.post("/v1/credentials/set-password", {"token": await link_of(self, email, LINK_KEY), "password": PASSWORD})
        assert answer.is_success, answer.text
        return await self.sign_in(email)

    def _headers(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.token}"} if self.token else {}


@asynccontextmanager
async def running(database: DatabaseSettings, clock: Clock, **changes: Any) -> AsyncIterator[Web]:
    """The service with a root party, an operator and the known world; ``changes`` are settings."""
    worker = WorkerDatabase(database, clock)
    async with worker.work() as work:
        await the_known_world(work)
        async with work.item(ROOT_PARTNER_ID) as tx:
            await bootstrap(tx, Bootstrap(email=OPERATOR, password_hash=QUICK.hash_now(PASSWORD)))
    await worker.close()
    app = Process(service(settings(database).model_copy(update=changes), QUICK), frozenset({"api"}), clock=clock).app()
    async with app.router.lifespan_context(app), auditing(database) as look:
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        hooks = {"response": [look]}
        async with httpx.AsyncClient(transport=transport, base_url="http://customers.test", event_hooks=hooks) as client:
            yield Web(client, database)


def settings(database: DatabaseSettings) -> Settings:
    return Settings(
        database_host=database.host,
        database_port=database.port,
        database_name=database.name,
        worker_password=database.passwords["worker"],
        api_password=database.passwords["api"],
        kafka="127.0.0.1:1",
        http_port=1,
        signing_key=SecretStr(json.dumps(OKPKey.generate_key("Ed25519").as_dict(private=True))),
        link_key=SecretStr(LINK_KEY),
        sealing_keys=SecretStr(SEALING_KEY),
        private_providers=True,
        console_url=AnyHttpUrl("http://console.example/"),
        console_key=SecretStr(CONSOLE_KEY),
    )


def a_body(name: str = "Müller & Söhne GmbH", domain: str = "mueller.example", **changes: Any) -> dict[str, Any]:
    """A sound body for POST /v1/customers."""
    body: dict[str, Any] = {
        "management_type": "co_managed",
        "company": {"name": name, "address_1": "Hafenstraße 1", "city": "Hamburg", "country": "DE"},
        "contact": {"name": "Ada Lovelace", "email": f"ada@{domain}", "language": "de", "time_zone": "Europe/Berlin"},
        "domain": domain,
        "products": [{"offer": "endpoint-cloud", "kind": "trial"}],
        "eula": {"version": EULA, "accepted": True},
    }
    return body | changes


async def link_of(web: Web, email: str, key: str) -> str:
    """The token that the mail to somebody would carry: notifications derives it from the link's id."""
    newest = "select l.id from links l join users u on u.id = l.user_id where u.email = $1 order by l.id desc limit 1"
    found = await as_owner(web, newest, email)
    return link_token(key.encode(), UUID(str(found)))


async def as_owner(web: Web, statement: str, *values: object) -> object:
    """Do in the database what no request does (yet); the first value that comes back."""
    owner = web.database
    connection = await asyncpg.connect(
        host=owner.host, port=owner.port, database=owner.name, user=owner.user("owner"), password=owner.password("owner")
    )
    try:
        return await connection.fetchval(statement, *values)
    finally:
        await connection.close()


def as_environment(made: Settings) -> dict[str, str]:
    """Settings as variables of a process."""
    values = made.model_dump(exclude_none=True, exclude={"topic_prefix", "log_format"})
    return {f"CUSTOMERS_{name}".upper(): one.get_secret_value() if isinstance(one, SecretStr) else str(one) for name, one in values.items()}
