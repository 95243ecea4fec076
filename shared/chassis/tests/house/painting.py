"""Painting many houses at once: the jobs of the tests' own service, and the people who start them."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

import httpx
from fastapi import APIRouter, Response
from joserfc.jwk import OKPKey
from sqlalchemy import Table, func, insert, select, text, update

from chassis import jobs
from chassis.access import Permission, tables
from chassis.database import ApiDatabase, Transaction, WorkerDatabase
from chassis.due import DueWorker, Retry
from chassis.errors import Kind, Refusal
from chassis.health import Health
from chassis.http.app import build
from chassis.http.bodies import Body
from chassis.http.calls import Call, Rails, allow
from chassis.ids import new_id
from chassis.jobs import Item, JobKind, JobView
from chassis.jobs.routes import routers
from chassis.jobs.running import due_work
from chassis.keys import KeySet
from chassis.principal import Principal
from chassis.tokens import Issuer, Verifier
from chassis_testing.clock import FixedClock
from contracts.root import ROOT_PARTNER_ID
from house import houses
from house.houses import House

KEY = OKPKey.generate_key("Ed25519", {"kid": "tests"}, private=True)


class Listed(Refusal):
    """A listed house keeps its colour."""

    kind = Kind.CONFLICT
    code = "listed"
    remedy = "Ask the office for monuments."
    rule = "HOU-7"


async def paint(tx: Transaction, item: Item) -> None:
    house = await tx.session.get(House, (tx.partner_id, item.id))
    if house is None or house.name == "listed":
        raise Listed(f"House {item.number} is listed.")
    if house.name == "haunted":
        raise LookupError("nobody expected a ghost")
    if house.name == "wet":
        raise Retry("it rains")
    if house.name == "slow":
        await asyncio.sleep(0.005)
    await houses.rename(tx, item.id, f"{house.name}, {item.params['colour']}")


PAINT = JobKind(name="licensing.paint", perform=paint, permission=Permission.CUSTOMERS_ADD, chunk=50, most=2_000)


async def knock(tx: Transaction, item: Item) -> None:
    """Done at a customer's, whose id the item is."""
    await houses.build(tx, f"knocked at {item.number}", item.id)


KNOCK = JobKind(name="licensing.knock", perform=knock, permission=Permission.CUSTOMERS_ADD, customers=True)
KINDS = (PAINT, KNOCK)

HEARD = text("""
insert into progress (consumer, topic, partition, beat_at) values ('licensing.access', 'user.changed', 0, :at)
on conflict (consumer, topic, partition) do update set beat_at = excluded.beat_at
""")

router = APIRouter(prefix="/v1/houses", tags=["houses"])


class Painting(Body):
    houses: list[UUID]
    colour: str = "blue"
    dry_run: bool = False


@router.post("/paint", status_code=202, response_model=JobView)
async def paint_some(body: Painting, call: Annotated[Call, allow(Permission.CUSTOMERS_ADD)]) -> Response:
    async with call.change() as tx:
        return jobs.accepted(call, await jobs.start(tx, PAINT, body.houses, params={"colour": body.colour}, dry_run=body.dry_run))


@router.post("/paint-all", status_code=202, response_model=JobView)
async def paint_all(call: Annotated[Call, allow(Permission.CUSTOMERS_ADD)]) -> Response:
    everything = select(House.id).where(House.partner_id == call.principal.tenant).order_by(House.id)
    async with call.change() as tx:
        return jobs.accepted(call, await jobs.start(tx, PAINT, everything, params={"colour": "red"}))


@router.post("/knock", status_code=202, response_model=JobView)
async def knock_at(body: Painting, call: Annotated[Call, allow(Permission.CUSTOMERS_ADD)]) -> Response:
    async with call.change() as tx:
        return jobs.accepted(call, await jobs.start(tx, KNOCK, body.houses))


@dataclass
class Street:
    """A partner with a user, in front of the service; ``role`` is what the user may do."""

    client: httpx.AsyncClient
    database: WorkerDatabase
    clock: FixedClock
    principal: Principal
    role: UUID

    async def put(self, table: Table, **row: object) -> None:
        async with self.database.work() as work:
            await work.session.execute(insert(table).values(version=1, **row))

    async def change(self, table: Table, entity_id: UUID, **columns: object) -> None:
        async with self.database.work() as work:
            await work.session.execute(update(table).where(table.c.id == entity_id).values(**columns))

    async def a_user(self, *, permissions: Sequence[str] = ("customers.add",), customers: dict[str, str] | None = None) -> "Street":
        """Another user of the same partner."""
        role, user = new_id(), new_id()
        mine: dict[str, Any] = {"partner_id": self.principal.partner_id}
        given = {"customers": customers or {}, "tags": {}, "all_customers": "read_write", "default_level": "read_write"}
        await self.put(tables.roles, id=role, permissions=[*permissions], **mine, **given)
        await self.put(tables.users, id=user, kind="partner", status="active", gen=1, role_ids=[role], **mine)
        return replace(self, principal=Principal(kind="partner", user_id=user, gen=1, **mine), role=role)

    async def a_program(self, *, scopes: Sequence[str] = ("customers.add",)) -> "Street":
        """An API key of the same partner, with the role of whoever stands here."""
        mine: dict[str, Any] = {"partner_id": self.principal.partner_id}
        key = Principal(kind="service", user_id=new_id(), gen=1, **mine)
        await self.put(tables.users, id=key.user_id, kind="service", status="active", gen=1, role_ids=[self.role], scopes=[*scopes], **mine)
        return replace(self, principal=key)

    async def an_operator(self) -> "Street":
        """Who sees every partner's rows."""
        known = {"partner_id": ROOT_PARTNER_ID, "status": "active"}
        operator = Principal(kind="operator", user_id=new_id(), partner_id=ROOT_PARTNER_ID, gen=1)
        await self.put(tables.partners, id=ROOT_PARTNER_ID, ancestors=[], shut_out=False, **known)
        await self.put(tables.users, id=operator.user_id, kind="operator", gen=1, role_ids=[], **known)
        await self.change(tables.partners, self.principal.partner_id, ancestors=[ROOT_PARTNER_ID])
        return replace(self, principal=operator)

    async def another_partner(self) -> "Street":
        return await settle(replace(self, principal=replace(self.principal, partner_id=new_id())))

    def headers(self, **more: str) -> dict[str, str]:
        token, _ = Issuer(KEY).issue(self.principal, self.clock.now())
        return {"authorization": f"Bearer {token}", **{name.replace("_", "-"): value for name, value in more.items()}}

    async def get(self, path: str, **params: Any) -> httpx.Response:
        return await self.client.get(path, params=params, headers=self.headers())

    async def post(self, path: str, body: Any = None, **headers: str) -> httpx.Response:
        return await self.client.post(path, json=body, headers=self.headers(**headers))

    async def built(self, *names: str) -> list[str]:
        """Houses of these names; their ids, as JSON has them."""
        async with self.database.work() as work, work.item(self.principal.partner_id) as tx:
            return [str((await houses.build(tx, name)).id) for name in names]

    async def started(self, chosen: Sequence[str], **more: Any) -> str:
        """A painting job over these houses: where it is watched."""
        answer = await self.post("/v1/houses/paint", {"houses": [*chosen], **more})
        assert answer.status_code == 202, answer.text
        return str(answer.headers["location"])

    async def worked(self) -> None:
        """Work off everything that is due."""
        worker = DueWorker(due_work(KINDS), self.database, self.clock)
        while await worker.work_one():
            pass

    async def names(self) -> list[str]:
        async with self.database.work() as work:
            return sorted(await work.session.scalars(select(House.name)))

    async def versions(self) -> dict[int, int]:
        """How many houses have which version."""
        async with self.database.work() as work:
            found = await work.session.execute(select(House.version, func.count()).group_by(House.version))
            return dict(map(tuple, found))

    async def lanes(self, topic: str) -> list[int]:
        async with self.database.direct() as connection:
            return [row["lane"] for row in await connection.fetch("select lane from outbox where topic = $1 order by id", topic)]

    async def facts(self, topic: str) -> list[str]:
        async with self.database.direct() as connection:
            rows = await connection.fetch("select convert_from(payload, 'utf8') from outbox where topic = $1 order by id", topic)
        return [row[0] for row in rows]


async def settle(street: Street) -> Street:
    """Give a partner its row and its first user; what is known of rights is as of a time that does not come."""
    partner = street.principal.partner_id
    async with street.database.work() as work:
        await work.session.execute(HEARD, {"at": datetime(9999, 1, 1, tzinfo=UTC)})
    await street.put(tables.partners, partner_id=partner, id=partner, ancestors=[], status="active", shut_out=False)
    return await street.a_user()


@asynccontextmanager
async def street(api: ApiDatabase, database: WorkerDatabase, clock: FixedClock) -> AsyncIterator[Street]:
    rails = Rails(database=api, verifier=Verifier(KeySet([KEY])), clock=clock)
    app = build(title="houses", routers=[router, *routers("licensing", KINDS)], health=Health(), state=rails)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://houses") as client:
        nobody = Principal(kind="partner", user_id=new_id(), partner_id=new_id(), gen=1)
        yield await settle(Street(client, database, clock, nobody, new_id()))
