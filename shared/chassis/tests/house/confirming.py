"""Two services on rails of their own: one keeps rights as customers does, and is asked over HTTP; the other follows, and shows houses."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Annotated, Any, cast
from uuid import UUID

import httpx
import uvicorn
from fastapi import APIRouter, Response
from joserfc.jwk import OKPKey
from sqlalchemy import Table, insert, select, text, update
from starlette.responses import StreamingResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from chassis.access import Permission, tables
from chassis.access.asking import PATH, Asking
from chassis.access.confirming import Confirming
from chassis.access.freshness import Freshness
from chassis.access.rights import Rights
from chassis.database import ApiDatabase, DatabaseSettings, Reading, WorkerDatabase
from chassis.errors import Refusal
from chassis.health import Health
from chassis.http.app import build
from chassis.http.bodies import Body
from chassis.http.calls import Call, Rails, allow
from chassis.http.views import View
from chassis.ids import new_id
from chassis.keys import KeySet
from chassis.principal import Principal
from chassis.tokens import Issuer, Verifier
from chassis_testing.clock import FixedClock
from chassis_testing.waiting import eventually
from house import houses
from house.houses import House
from onebox.ports import free_ports

KEY = OKPKey.generate_key("Ed25519", {"kid": "tests"}, private=True)
ALL = Reading(House, lambda r, _shape: select(r.c.name).order_by(r.c.name), customer="customer_id")
ACCESS_TOPICS = ("partner.changed", "user.changed", "role.changed", "customer.changed")
STAFF = frozenset({"partner", "operator"})
BEATEN = text("insert into progress (consumer, topic, partition, beat_at) values ('licensing.access', 'user.changed', 0, :at)")
BEAT = text("update progress set beat_at = :at")

keeping = APIRouter()
following = APIRouter(prefix="/v1/houses", tags=["houses"])


class NewHouse(Body):
    name: str
    customer_id: UUID


class Told(View, frozen=True):
    grants: list[dict[str, Any]]


@keeping.get(PATH)
async def mine(call: Annotated[Call, allow(kinds=STAFF)]) -> Response:
    async with call.read() as read:
        grants = cast("Rights", read.rights).grants
        return call.answer(Told(grants=[{name: getattr(one, name) for name in one.__struct_fields__} for one in grants]))


@following.post("", status_code=201)
async def create(body: NewHouse, call: Annotated[Call, allow(Permission.CUSTOMERS_ADD)]) -> Response:
    async with call.change(customer=body.customer_id) as tx:
        house = await houses.build(tx, body.name, body.customer_id)
        return call.created(b"{}", location=f"/v1/houses/{house.id}", version=house.version)


@following.get("")
async def names(call: Annotated[Call, allow(kinds=STAFF)], *, exporting: bool = False) -> Response:
    async with call.read(strict=exporting) as read:
        return call.answer(b",".join(row["name"].encode() for row in await read.rows(ALL)))


@following.get("/watched")
async def watch(call: Annotated[Call, allow(kinds=STAFF)]) -> Response:
    """Goes on until the caller may not."""
    async with call.read(strict=True):
        seen: list[str] = call.tools

    async def pieces() -> AsyncIterator[str]:
        try:
            while True:
                await call.still_allowed()
                seen.append("piece")
                yield "."
                await asyncio.sleep(0.02)
        except Refusal as refusal:
            yield refusal.code

    return StreamingResponse(pieces())


@dataclass
class Site:
    """One of the two, with its database."""

    api: ApiDatabase
    worker: WorkerDatabase

    async def put(self, table: Table, **row: Any) -> None:
        async with self.worker.work() as work:
            await work.session.execute(insert(table).values(version=1, **row))

    async def change(self, table: Table, entity_id: UUID, **columns: Any) -> None:
        async with self.worker.work() as work:
            await work.session.execute(update(table).where(table.c.id == entity_id).values(**columns))


@dataclass
class Customers:
    """Where rights are kept, listening. It can be away, or deaf: it takes questions and answers none."""

    site: Site
    port: int
    asked: int = 0
    hearing: asyncio.Event = field(default_factory=asyncio.Event)
    _server: uvicorn.Server | None = None
    _serving: asyncio.Task[None] | None = None

    async def start(self, rails: Rails, routers: Sequence[APIRouter] = (keeping,)) -> None:
        self.hearing.set()
        app = self._heard(build(title="customers", routers=routers, health=Health(), state=rails))
        config = uvicorn.Config(app, port=self.port, log_config=None, lifespan="off", timeout_graceful_shutdown=1)
        server = self._server = uvicorn.Server(config)
        self._serving = asyncio.create_task(server.serve())

        async def started() -> bool:
            return server.started

        await eventually(started, every=0.01)

    async def leave(self) -> None:
        if self._server is not None and self._serving is not None:
            self._server.should_exit = True
            await self._serving
            self._server = None

    def _heard(self, app: ASGIApp) -> ASGIApp:
        async def counted(scope: Scope, receive: Receive, send: Send) -> None:
            self.asked += 1
            await self.hearing.wait()
            await app(scope, receive, send)

        return counted


@dataclass
class World:
    """A partner with one user who may do everything, at both sites, and a client of the one that follows."""

    here: Site
    customers: Customers
    client: httpx.AsyncClient
    clock: FixedClock
    freshness: Freshness
    asking: Asking
    user: Principal
    role_id: UUID
    customer_id: UUID
    streamed: list[str]

    @property
    def sites(self) -> tuple[Site, Site]:
        return self.here, self.customers.site

    async def beaten(self, ago: timedelta) -> None:
        """The oldest partition's last beat was told so long ago."""
        async with self.here.worker.work() as work:
            await work.session.execute(BEAT, {"at": self.clock.now() - ago})
        await self.freshness.look()

    def be_patient(self) -> None:
        """However slow this machine is: a question waits for its answer, and an answer is good for the test."""
        self.asking._client.timeout = self.asking._deadline = self.asking._good_for = 60.0

    async def edit_role(self, **columns: Any) -> None:
        """Where rights are kept, and nowhere else yet."""
        await self.customers.site.change(tables.roles, self.role_id, **columns)

    async def post(self, name: str = "Villa", principal: Principal | None = None) -> httpx.Response:
        body = {"name": name, "customer_id": str(self.customer_id)}
        return await self.client.post("/v1/houses", json=body, headers=self.headers(principal))

    async def get(self, principal: Principal | None = None, *, exporting: bool = False, **more: str) -> httpx.Response:
        headers = self.headers(principal) | {name.replace("_", "-"): value for name, value in more.items()}
        return await self.client.get("/v1/houses", params={"exporting": exporting}, headers=headers)

    def headers(self, principal: Principal | None = None) -> dict[str, str]:
        return {"authorization": f"Bearer {Issuer(KEY).issue(principal or self.user, self.clock.now())[0]}"}


@asynccontextmanager
async def a_site(database: DatabaseSettings, clock: FixedClock) -> AsyncIterator[Site]:
    site = Site(ApiDatabase(database, clock), WorkerDatabase(database, clock))
    await site.api.open()
    yield site
    await site.api.close()
    await site.worker.close()


@asynccontextmanager
async def a_world(here: DatabaseSettings, there: DatabaseSettings, clock: FixedClock) -> AsyncIterator[World]:
    async with AsyncExitStack() as opened:
        follower, keeper = [await opened.enter_async_context(a_site(one, clock)) for one in (here, there)]
        customers = Customers(keeper, free_ports(1)[0])
        await customers.start(Rails(database=keeper.api, verifier=Verifier(KeySet([KEY])), clock=clock))
        opened.push_async_callback(customers.leave)
        asking = Asking(f"http://127.0.0.1:{customers.port}")
        opened.push_async_callback(asking.close)
        freshness = Freshness(follower.api, clock)
        access = Confirming(freshness, asking)
        rails = Rails(database=follower.api, verifier=Verifier(KeySet([KEY])), clock=clock, access=access, tools=(streamed := list[str]()))
        app = build(title="houses", routers=[following], health=Health(), state=rails)
        client = await opened.enter_async_context(httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://houses"))
        user = Principal(kind="partner", user_id=new_id(), partner_id=new_id(), gen=1)
        world = World(follower, customers, client, clock, freshness, asking, user, new_id(), new_id(), streamed)
        await _settle(world)
        yield world


async def _settle(world: World) -> None:
    own = {"partner_id": world.user.partner_id}
    levels = {"all_customers": "read_write", "default_level": "none", "customers": {}, "tags": {}}
    for site in world.sites:
        await site.put(tables.partners, **own, id=world.user.partner_id, ancestors=[], status="active", shut_out=False)
        await site.put(tables.roles, **own, id=world.role_id, permissions=["customers.add"], **levels)
        await site.put(tables.users, **own, id=world.user.user_id, kind="partner", status="active", gen=1, role_ids=[world.role_id])
        await site.put(tables.customers, **own, id=world.customer_id, status="active", management_type="co_managed", tags=["vip"])
    async with world.here.worker.work() as work:
        await work.session.execute(BEATEN, {"at": world.clock.now()})
    await world.freshness.look()
