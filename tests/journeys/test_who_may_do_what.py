"""What somebody may do changes everywhere within five seconds, whatever floods or stands still; what nobody confirms is not changed.

A role is edited where roles are kept, and each service is asked again and again through the gateway.
"""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from typing import Any, Final
from uuid import UUID

import httpx
import msgspec
import pytest
from pydantic import SecretStr
from sqlalchemy import select, text

from chassis.clock import SystemClock
from chassis.database import DatabaseSettings, WorkerDatabase
from chassis_testing.topics import Stood, Topics
from chassis_testing.waiting import eventually
from contracts.envelope import encode
from customers.rules.telling import tell_role
from customers.tables.roles import Role
from journeys.world import LINK, PATIENCE, World
from onebox.api import Api
from onebox.status import Status
from onebox.suite import Suite

PROMISE: Final = 5.0
"""Seconds (design of access)."""
FLOOD: Final = 100_000
FLOODED: Final = text("""
insert into outbox (lane, entity, topic, key, partition_key, event_id, headers, payload)
select 2, told.subject, 'customer.changed', told.subject::text, told.subject, told.event_id, told.headers, told.payload
  from unnest(cast(:subjects as uuid[]), cast(:events as uuid[]), cast(:headers as json[]), cast(:payloads as bytea[]))
       as told(subject, event_id, headers, payload), generate_series(1, :times)
""")
PASSWORD: Final = "the-office-of-many-doors"


@dataclass(frozen=True, slots=True)
class Office:
    """A partner with a customer that every service shows it, and the roles of its administrator."""

    world: World
    partner_id: UUID
    api: Api
    customers: tuple[UUID, UUID]
    roles: WorkerDatabase

    @property
    def paths(self) -> dict[str, str]:
        """Where each service shows the customer, and where nothing is shown of one that is hidden."""
        return {
            "customers": "/v1/customers",
            "licensing": f"/v1/customers/{self.customers[0]}/provisioning",
            "reporting": "/v1/customer-overview",
            "notifications": "/v1/notifications",
        }

    async def colleague(self, name: str, email: str, role_id: str) -> "Office":
        """The same, seen by somebody who has this role and no other."""
        await self.api.post("/v1/users", name=name, email=email, role_ids=[role_id])
        (link,) = [found for mail in await self.world.mails_about(name) if (found := LINK.search(mail.text))]
        await Api(self.world.http).post("/v1/credentials/set-password", token=link[1], password=PASSWORD)
        return replace(self, api=await self.world.patiently(lambda: Api(self.world.http).signed_in(email, PASSWORD)))

    async def shown(self, service: str) -> bool:
        """Whether a service shows it; that it answers at all is taken for granted."""
        answer = await self.world.http.get(self.paths[service], headers=self.api.headers)
        assert answer.status_code in {200, 404}, (service, answer.text)
        return answer.is_success and bool(answer.json()["items"])

    async def unconfirmed(self) -> httpx.Response:
        """A change, refused because nobody confirms who asks for it; what customers last said is good for a second."""
        body = {"serial_number": "EXSP-2026-0001-ALFA"}
        answer = await self.world.http.post("/v1/programmes", json=body, headers=self.api.headers)
        assert (answer.status_code, answer.json()["code"]) == (503, "access_unconfirmed")
        return answer

    async def edit_role(self, level: str) -> float:
        """What the administrator's role lets it see from now on: the moment from which it is true."""
        async with self.roles.work() as work, work.item(self.partner_id) as tx:
            for role in await tx.session.scalars(select(Role).where(Role.partner_id == self.partner_id, Role.predefined)):
                role.all_customers = role.default_level = level
                await tx.session.flush()
                tell_role(tx, role)
        return time.monotonic()

    async def takes_effect(self, since: float, services: Iterable[str], *, shown: bool) -> None:
        """Every request that begins five seconds after an edit goes by it; so one that did not must have begun before."""

        async def everywhere(service: str) -> None:
            while True:
                began = time.monotonic()
                if await self.shown(service) is shown:
                    return
                assert began - since < PROMISE, f"{service} answered by rights that were {began - since:.1f} s old"
                await asyncio.sleep(0.1)

        await asyncio.gather(*map(everywhere, services))

    async def flood(self, about: Iterable[Stood]) -> None:
        """Bulk work: what was told of two customers, again and again."""
        told = list(about)
        headers = [msgspec.json.encode([(name, value.decode()) for name, value in encode(one.envelope)]).decode() for one in told]
        values = {
            "subjects": [one.envelope.subject for one in told],
            "events": [one.envelope.id for one in told],
            "headers": headers,
            "payloads": [one.payload for one in told],
            "times": FLOOD // len(told),
        }
        async with self.roles.work() as work:
            await work.session.execute(FLOODED, values)

    async def flooded(self) -> int:
        async with self.roles.direct() as connection:
            return int(await connection.fetchval("select count(*) from outbox where lane = 2"))


@pytest.fixture(scope="module")
async def office(world: World) -> AsyncIterator[Office]:
    admin = {"name": "Olga Office", "email": "olga@office-of-doors.com", "password": PASSWORD}
    partner = await (await world.operator()).post("/v1/partners", company_name="Office of Doors", country="DE", admin=admin)
    api = await world.patiently(lambda: Api(world.http).signed_in(admin["email"], PASSWORD))
    bodies = [world.company("First Door"), world.company("Second Door")]
    created = [await api.post("/v1/customers", **body) for body in bodies]
    first, second = (UUID(one["id"]) for one in created)
    async with a_database(world.suite) as roles:
        office = Office(world, UUID(partner["id"]), api, (first, second), roles)
        for service in office.paths:
            await eventually(lambda service=service: office.shown(service), within=PATIENCE)
        yield office


@asynccontextmanager
async def a_database(suite: Suite) -> AsyncIterator[WorkerDatabase]:
    address = suite.postgres
    passwords: dict[Any, SecretStr] = {"worker": SecretStr(suite.home.secrets().login_passwords["customers_worker"])}
    settings = DatabaseSettings(service="customers", host=address.host, port=address.port, name="customers", passwords=passwords)
    database = WorkerDatabase(settings, SystemClock())
    yield database
    await database.close()


@contextmanager
def standing_still(suite: Suite) -> Iterator[Callable[[str], None]]:
    """What is stopped (SIGSTOP) answers nobody, and goes on at the end."""
    stopped: list[int] = []

    def stop(name: str) -> None:
        entry = Status.read(suite.home).named(name)
        assert entry is not None
        assert entry.pid is not None
        os.kill(entry.pid, signal.SIGSTOP)
        stopped.append(entry.pid)

    try:
        yield stop
    finally:
        for pid in stopped:
            os.kill(pid, signal.SIGCONT)


async def test_a_role_edit_takes_effect_in_every_service_while_bulk_work_floods_the_outbox(office: Office) -> None:
    """CUS-85 to CUS-91 everywhere, within the promise: what says who may do what overtakes 100,000 records."""
    stood = await Topics(office.world.suite.kafka, "").everything("customer.changed")
    newest = {one.envelope.subject: one for one in stood if one.envelope.subject in office.customers}
    await office.flood(newest.values())

    for level in ("none", "read_write"):
        edited = await office.edit_role(level)
        if level == "none":
            assert await office.flooded() > 0
        await office.takes_effect(edited, office.paths, shown=level != "none")


async def test_a_revoked_api_key_is_worth_nothing_in_any_service_within_the_promise(office: Office) -> None:
    """MKT-17: a leaked key, and the token that somebody had for it a moment ago."""
    roles = (await office.api.get("/v1/roles"))["items"]
    key = await office.api.post("/v1/api-keys", name="Leaked", role_ids=[roles[0]["id"]], scopes=["customers.add"])
    token = (await office.world.http.post("/v1/tokens", json={"api_key": key["secret"]})).json()["access_token"]
    program = {"authorization": f"Bearer {token}"}

    async def served(service: str) -> bool:
        return (await office.world.http.get(office.paths[service], headers=program)).is_success

    for service in office.paths:
        await eventually(lambda service=service: served(service), within=PATIENCE)
    revoked = await office.world.http.delete(f"/v1/api-keys/{key['id']}", headers=office.api.headers | {"if-match": "*"})
    assert revoked.status_code == 204, revoked.text
    since = time.monotonic()

    async def ended(service: str) -> None:
        while True:
            began = time.monotonic()
            answer = await office.world.http.get(office.paths[service], headers=program)
            if answer.status_code == 401:
                return
            assert began - since < PROMISE, f"{service} let a revoked key in after {began - since:.1f} s: {answer.text}"
            await asyncio.sleep(0.1)

    await asyncio.gather(*map(ended, office.paths))
    assert (await office.world.http.post("/v1/tokens", json={"api_key": key["secret"]})).json()["code"] == "api_key_invalid"


async def test_a_custom_role_that_is_edited_takes_effect_in_every_service(office: Office) -> None:
    """CUS-86, GW-02: for whoever has it, by the API alone."""
    role = await office.api.post("/v1/roles", name="Night shift")
    night = await office.colleague("Nora Night", "nora@office-of-doors.com", role["id"])
    for service in night.paths:
        await eventually(lambda service=service: night.shown(service), within=PATIENCE)

    for level in ("none", "read", "none"):
        edit = {"json": {"all_customers": level}, "headers": office.api.headers | {"if-match": "*"}}
        edited = await office.world.http.patch(f"/v1/roles/{role['id']}", **edit)
        assert edited.is_success, edited.text
        await night.takes_effect(time.monotonic(), night.paths, shown=level != "none")


async def test_with_the_broker_stopped_it_still_takes_effect_and_with_customers_stopped_too_nothing_is_changed(office: Office) -> None:
    """Followers ask customers where beats are late; where it does not answer, reading goes on, by what was known, for a while."""
    with standing_still(office.world.suite) as stop:
        stop("kafka")
        for level in ("none", "read_write"):
            edited = await office.edit_role(level)
            await office.takes_effect(edited, office.paths, shown=level != "none")

        stop("customers")
        refused = await eventually(office.unconfirmed, within=PATIENCE)
        assert refused.headers["retry-after"]
        for service in office.paths.keys() - {"customers"}:
            await office.shown(service)
    await office.world.until_ready()
