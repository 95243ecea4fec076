"""The stage: the whole suite on real servers, with a partner that has a hundred thousand customers."""

import asyncio
import base64
import json
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import asyncpg
import httpx
from pydantic import SecretStr

from benchmarks.load import Client
from benchmarks.processes import Process, free_url, running
from chassis.database.settings import DatabaseSettings
from onebox import environment, people, postgres
from onebox.api import Api
from onebox.people import NORTHWIND
from onebox.status import State, Status
from onebox.suite import Suite, running_suite

CUSTOMERS: Final = 100_000
_FRESH: Final = 180.0
"""Seconds for which a token of five minutes is used."""

_FILL: Final = """
insert into customers
select made.*
  from customers t, generate_series(1, $2::int) n,
       lateral (select (array['Alder','Birch','Cedar','Dogwood','Elm','Fir','Ginkgo','Hazel'])[1 + n % 8] || ' '
                    || (array['Bakery','Bicycles','Dental','Design','Freight'])[1 + n % 5] || ' ' || n as name) said,
       lateral jsonb_populate_record(t, jsonb_build_object(
           'id', gen_random_uuid(), 'name', said.name, 'name_key', lower(said.name), 'company_key', lower(said.name),
           'domain', 'c' || n || '.example', 'welcome_link_id', null,
           'company', jsonb_set(t.company, '{name}', to_jsonb(said.name)),
           'contact', jsonb_set(t.contact, '{email}', to_jsonb('office@c' || n || '.example')))) made
 where t.id = $1
"""

_SOME: Final = "select id from customers where partner_id = $1 and id <> $2 order by id limit 5000"
_UNCHECKED: Final = "set session_replication_role = replica"
"""Rows of the form of one that passed every check are not checked again, which takes most of the time."""


class Stage:
    """What rows stand on. Made by ``opened``."""

    def __init__(self, suite: Suite, http: httpx.AsyncClient, folder: Path) -> None:
        self.suite: Final = suite
        self.folder: Final = folder
        self._http = http
        self._signed_in: dict[str, tuple[float, dict[str, str]]] = {}
        self._customers: dict[str, list[UUID]] = {}

    async def partner(self) -> Api:
        """The partner, signed in."""
        return Api(self._http, await self.headers())

    async def headers(self, email: str = NORTHWIND.email) -> dict[str, str]:
        """The partner's, with a token that is good for some minutes more; or those of whoever signs in with another ``email``."""
        known = self._signed_in.get(email)
        if known is None or time.monotonic() - known[0] > _FRESH:
            signed_in = await Api(self._http).signed_in(email, people.PASSWORD)
            known = self._signed_in[email] = time.monotonic(), signed_in.headers
        return known[1]

    async def partner_id(self) -> UUID:
        said = (await self.headers())["authorization"].split(".")[1]
        return UUID(json.loads(base64.urlsafe_b64decode(said + "=="))["partner"])

    async def client(self, url: str | None = None) -> Client:
        """Somebody signed in who asks the gateway, or another ``url``."""
        return Client(url or self.suite.gateway, await self.headers())

    async def customers(self) -> list[UUID]:
        """The partner's customers; the first call makes a hundred thousand of them, of the form of one that was created."""
        return await self.customers_of(NORTHWIND.email, CUSTOMERS)

    async def partner_with(self, customers: int) -> str:
        """A partner with so many customers, made by the first call: the address by which it signs in."""
        admin = {"name": "Gale Growth", "email": f"gale@grown-{customers}.example", "password": people.PASSWORD}
        if admin["email"] not in self._customers:
            operator = await Api(self._http).signed_in(*self.suite.operator)
            await operator.post("/v1/partners", company_name=f"Grown to {customers}", country="DE", admin=admin)
            await self.customers_of(admin["email"], customers)
        return admin["email"]

    async def customers_of(self, email: str, number: int = 0) -> list[UUID]:
        """Some of a partner's customers; the first call makes ``number`` of them."""
        if email not in self._customers:
            api = Api(self._http, await self.headers(email))
            model = await api.post("/v1/customers", **people.customer(f"Model {number}", "Mia Maple"))
            async with self.database("customers") as connection:
                await connection.execute(_UNCHECKED)
                await connection.execute(_FILL, UUID(model["id"]), number)
                await connection.execute("vacuum analyze customers")
                found = await connection.fetch(_SOME, UUID(model["partner_id"]), UUID(model["id"]))
            self._customers[email] = [row["id"] for row in found]
        return self._customers[email]

    @asynccontextmanager
    async def database(self, service: str) -> "AsyncIterator[asyncpg.Connection[Any]]":
        """A superuser's connection to a service's database."""
        connection = await postgres.connect(self.suite.postgres, service)
        try:
            yield connection
        finally:
            await connection.close()

    def settings(self, service: str) -> DatabaseSettings:
        """Where a service's database is, with the passwords of its logins."""
        address, passwords = self.suite.postgres, self.suite.home.secrets().login_passwords
        known: dict[Any, SecretStr] = {login: SecretStr(passwords[f"{service}_{login}"]) for login in ("api", "worker", "owner")}
        return DatabaseSettings(service=service, host=address.host, port=address.port, name=service, passwords=known)

    @asynccontextmanager
    async def process(self, service: str, *command: str, ready: str = "/health/ready", **more: str) -> AsyncIterator[Process]:
        """One more process with a service's environment; ``more`` is added to that."""
        url = free_url()
        port = {f"{service.upper()}_HTTP_PORT": url.rpartition(":")[2], "PARTNERDECK_BENCH_URL": url}
        said = environment.serving(service, self.suite.home) | port | more
        async with running(command, said, url, ready=ready, log=self.folder / "process.log") as process:
            yield process

    @asynccontextmanager
    async def without(self, service: str) -> AsyncIterator[None]:
        """With one service's own process stopped: somebody else works on its database."""
        restarts = self.suite.restarts(service)
        self.suite.hold(service)
        self.suite.kill(service)
        try:
            await self._until_gone(service)
            yield
        finally:
            self.suite.release(service)
            await self.suite.until_restarted(service, restarts)

    async def _until_gone(self, service: str) -> None:
        async with asyncio.timeout(30):
            while (entry := Status.read(self.suite.home).named(service)) and entry.state is State.RUNNING:  # noqa: ASYNC110
                await asyncio.sleep(0.1)


@asynccontextmanager
async def opened(folder: Path) -> AsyncIterator[Stage]:
    """Everything started, a partner founded, its programme activated."""
    async with AsyncExitStack() as exits:
        suite = await exits.enter_async_context(running_suite(folder / "suite"))
        http = await exits.enter_async_context(httpx.AsyncClient(base_url=suite.gateway, timeout=30, trust_env=False))
        operator = await Api(http).signed_in(*suite.operator)
        await operator.post("/v1/partners", **NORTHWIND.body())
        stage = Stage(suite, http, folder)
        partner = await stage.partner()
        programme = await partner.post("/v1/programmes", serial_number=NORTHWIND.serial_number)
        await partner.post(f"/v1/programmes/{programme['id']}/activate", if_match=programme["version"])
        yield stage
