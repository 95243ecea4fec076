"""One request of one principal: rights are read in its transaction, a change is made once, and its answer is sent after the commit."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

import httpx
import pytest
from fastapi import APIRouter, Response
from house import houses
from house.houses import House
from joserfc.jwk import OKPKey
from sqlalchemy import Table, bindparam, insert, select, update
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chassis.access import Permission, tables
from chassis.database import ApiDatabase, Reading, WorkerDatabase
from chassis.errors import Kind, Refusal
from chassis.health import Health
from chassis.http.app import build
from chassis.http.bodies import Body
from chassis.http.calls import Call, Rails, allow
from chassis.ids import new_id
from chassis.keys import KeySet
from chassis.principal import Principal
from chassis.tokens import Issuer, Verifier
from chassis_testing.clock import FixedClock
from contracts.root import ROOT_PARTNER_ID

KEY = OKPKey.generate_key("Ed25519", {"kid": "tests"}, private=True)
ALL = Reading(House, lambda r, _shape: select(r.c.name).order_by(r.c.name), customer="customer_id")
OF_CUSTOMER = Reading(
    House, lambda r, _shape: select(r.c.name).where(r.c.customer_id == bindparam("customer_id", type_=r.c.customer_id.type))
)
ONE = Reading(House, lambda r, _shape: select(r.c.name, r.c.version).order_by(r.c.id))
router = APIRouter(prefix="/v1/houses", tags=["houses"])


class NewHouse(Body):
    name: str
    customer_id: UUID


class NoHaunting(Refusal):
    """Haunted houses are not built."""

    kind = Kind.CONFLICT
    code = "no_haunting"
    remedy = "Call an exorcist."


@router.post("", status_code=201)
async def create(body: NewHouse, call: Annotated[Call, allow(Permission.CUSTOMERS_ADD)]) -> Response:
    async with call.change(customer=body.customer_id) as tx:
        house = await houses.build(tx, body.name, body.customer_id)
        if body.name == "haunted" or (body.name == "twin" and not call.tools):
            call.tools.add("refused once")
            raise NoHaunting
        return call.created(b'{"id":"%s"}' % str(house.id).encode(), location=f"/v1/houses/{house.id}", version=house.version)


@router.patch("/{house_id}")
async def rename(house_id: UUID, body: NewHouse, call: Annotated[Call, allow()]) -> Response:
    async with call.change() as tx:
        house = await tx.session.get_one(House, (tx.partner_id, house_id))
        call.seen.admit(house.version)
        house = await houses.rename(tx, house_id, body.name)
        return call.answer(b"{}", version=house.version)


@router.get("")
async def names(call: Annotated[Call, allow()]) -> Response:
    async with call.read() as read:
        return call.answer(b",".join(row["name"].encode() for row in await read.rows(ALL)))


@router.get("/of/{customer_id}")
async def names_of(customer_id: UUID, call: Annotated[Call, allow(kinds=frozenset({"partner", "operator"}))]) -> Response:
    async with call.read(customer=customer_id) as read:
        return call.answer(b",".join(row["name"].encode() for row in await read.rows(OF_CUSTOMER, customer_id=customer_id)))


@dataclass
class World:
    """A partner with one user, its customers, and a client of the service."""

    client: httpx.AsyncClient
    database: WorkerDatabase
    clock: FixedClock
    principal: Principal
    customers: list[UUID]
    unlucky: set[str]
    app: ASGIApp

    async def put(self, table: Table, **row: object) -> None:
        async with self.database.work() as work:
            await work.session.execute(insert(table).values(version=1, **row))

    async def change(self, table: Table, entity_id: UUID, **columns: object) -> None:
        async with self.database.work() as work:
            await work.session.execute(update(table).where(table.c.id == entity_id).values(**columns))

    def headers(self, principal: Principal | None = None, **more: str) -> dict[str, str]:
        token, _ = Issuer(KEY).issue(principal or self.principal, self.clock.now())
        return {"authorization": f"Bearer {token}", **{name.replace("_", "-"): value for name, value in more.items()}}

    async def post(self, name: str, *, customer: int = 0, **headers: str) -> httpx.Response:
        body = {"name": name, "customer_id": str(self.customers[customer])}
        return await self.client.post("/v1/houses", json=body, headers=self.headers(**headers))

    def losing_answers(self) -> httpx.AsyncClient:
        """A client whom no answer reaches: all ends when the first byte would leave."""

        async def breaking_off(scope: Scope, receive: Receive, send: Send) -> None:
            async def lose(_message: Message) -> None:
                raise asyncio.CancelledError

            del send
            await self.app(scope, receive, lose)

        return httpx.AsyncClient(transport=httpx.ASGITransport(breaking_off), base_url="http://houses")

    async def built(self) -> list[str]:
        async with self.database.direct() as connection:
            return sorted(row["name"] for row in await connection.fetch("select name from houses"))


@pytest.fixture
async def world(api_database: ApiDatabase, worker_database: WorkerDatabase, clock: FixedClock) -> AsyncIterator[World]:
    rails = Rails(
        database=api_database, verifier=Verifier(KeySet([KEY])), clock=clock, tools=(unlucky := set[str]()), follows={"house": ("houses",)}
    )
    app = build(title="houses", routers=[router], health=Health(), state=rails)
    principal = Principal(kind="partner", user_id=new_id(), partner_id=new_id(), gen=1)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://houses") as client:
        here = World(client, worker_database, clock, principal, [new_id(), new_id()], unlucky, app)
        await here.put(
            tables.partners, partner_id=principal.partner_id, id=principal.partner_id, ancestors=[], status="active", shut_out=False
        )
        await here.put(
            tables.roles,
            partner_id=principal.partner_id,
            id=(role := new_id()),
            permissions=["customers.add"],
            all_customers="read_write",
            default_level="read_write",
            customers={},
            tags={},
        )
        await here.put(
            tables.users,
            partner_id=principal.partner_id,
            id=principal.user_id,
            kind="partner",
            status="active",
            gen=1,
            role_ids=[role],
        )
        for customer in here.customers:
            await here.put(
                tables.customers, partner_id=principal.partner_id, id=customer, status="active", management_type="co_managed", tags=["vip"]
            )
        yield here


async def test_a_change_is_answered_with_where_it_is_and_its_version(world: World) -> None:
    answer = await world.post("Villa")

    assert answer.status_code == 201
    assert answer.headers["etag"] == '"1"'
    assert answer.headers["location"] == f"/v1/houses/{answer.json()['id']}"
    assert await world.built() == ["Villa"]


async def test_the_same_request_twice_is_made_once_and_answered_twice(world: World) -> None:
    first = await world.post("Villa", idempotency_key="one")
    second = await world.post("Villa", idempotency_key="one")

    assert second.status_code == 201
    assert (second.content, second.headers["etag"]) == (first.content, first.headers["etag"])
    assert await world.built() == ["Villa"]


async def test_fifty_at_once_with_one_key_make_one_change(world: World) -> None:
    answers = await asyncio.gather(*(world.post("Villa", idempotency_key="one") for _ in range(50)))

    assert {answer.status_code for answer in answers} <= {201, 409}
    assert {answer.json().get("code") for answer in answers if answer.status_code == 409} <= {"in_flight"}
    assert await world.built() == ["Villa"]


async def test_a_refusal_is_kept_under_its_key_and_changes_nothing(world: World) -> None:
    first = await world.post("haunted", idempotency_key="one")
    second = await world.post("haunted", idempotency_key="one")

    assert (first.status_code, first.json()["code"]) == (409, "no_haunting")
    assert second.json() == first.json()
    assert await world.built() == []


async def test_an_answer_that_was_lost_after_the_commit_is_given_to_the_next_try(world: World) -> None:
    """What a kill between commit and answer leaves behind: the change, and its answer under the key."""
    lost = world.losing_answers()
    body = {"name": "Villa", "customer_id": str(world.customers[0])}
    with pytest.raises(asyncio.CancelledError):
        await lost.post("/v1/houses", json=body, headers=world.headers(idempotency_key="one"))
    assert await world.built() == ["Villa"]

    again = await world.post("Villa", idempotency_key="one")

    assert again.status_code == 201
    assert again.headers["location"] == f"/v1/houses/{again.json()['id']}"
    assert await world.built() == ["Villa"]


async def test_a_key_that_stands_for_another_request_is_refused(world: World) -> None:
    await world.post("Villa", idempotency_key="one")

    assert (await world.post("Cottage", idempotency_key="one")).json()["code"] == "idempotency_key_reused"
    assert await world.built() == ["Villa"]


async def test_a_replay_is_authorised_again(world: World) -> None:
    await world.post("Villa", idempotency_key="one")
    await world.change(tables.users, world.principal.user_id, status="disabled")

    assert (await world.post("Villa", idempotency_key="one")).status_code == 401


async def test_a_stale_version_is_refused_and_a_missing_one_asked_for(world: World) -> None:
    house = (await world.post("Villa")).json()["id"]
    body = {"name": "Palace", "customer_id": str(world.customers[0])}

    asked = await world.client.patch(f"/v1/houses/{house}", json=body, headers=world.headers())
    first = await world.client.patch(f"/v1/houses/{house}", json=body, headers=world.headers(if_match='"1"'))
    stale = await world.client.patch(f"/v1/houses/{house}", json=body, headers=world.headers(if_match='"1"'))

    assert (asked.status_code, first.status_code, stale.status_code) == (428, 200, 412)


@pytest.mark.parametrize(
    ("column", "value", "status"),
    [("status", "disabled", 401), ("gen", 2, 401), ("gen", 0, 503)],
)
async def test_a_user_whose_sign_in_has_ended_is_refused(world: World, column: str, value: object, status: int) -> None:
    await world.change(tables.users, world.principal.user_id, **{column: value})

    assert (await world.post("Villa")).status_code == status


async def test_a_permission_that_no_role_gives_is_refused_with_what_to_do(world: World) -> None:
    await world.change(tables.roles, (await _role(world)), permissions=[])

    answer = await world.post("Villa")

    assert (answer.status_code, answer.json()["code"], answer.json()["permission"]) == (403, "not_allowed", "customers.add")
    assert answer.json()["remedy"]


@pytest.mark.parametrize(("by", "key"), [("customers", "customer"), ("tags", "vip")])
async def test_read_only_access_changes_nothing_and_no_access_is_absent(world: World, by: str, key: str) -> None:
    """CUS-85: an explicit customer, or a tag of it, decides before *All customers*."""
    await world.post("Villa", customer=0)
    await world.post("Cottage", customer=1)
    named = str(world.customers[0]) if key == "customer" else key

    await world.change(tables.roles, await _role(world), **{by: {named: "read"}})
    assert (await world.post("Palace")).json()["code"] == "read_only_access"

    await world.change(tables.roles, await _role(world), **{by: {named: "none"}})
    assert (await world.post("Palace")).json()["code"] == "customer_not_found"
    seen = (await world.client.get("/v1/houses", headers=world.headers())).text
    assert seen == ("Cottage" if key == "customer" else "")


async def test_acting_as_a_descendant_needs_it_below_and_open(world: World) -> None:
    below, beside, closed = new_id(), new_id(), new_id()
    for partner, ancestors, shut_out in (
        (below, [world.principal.partner_id], False),
        (beside, [], False),
        (closed, [world.principal.partner_id], True),
    ):
        await world.put(tables.partners, partner_id=partner, id=partner, ancestors=ancestors, status="active", shut_out=shut_out)

    async def status(partner: UUID) -> int:
        headers = world.headers(partnerdeck_acting_as=str(partner))
        return (await world.client.get("/v1/houses", headers=headers)).status_code

    assert [await status(partner) for partner in (below, beside, closed)] == [200, 404, 404]


async def test_a_write_says_what_it_wrote_and_a_read_that_says_so_waits_for_it(world: World) -> None:
    """BEY-09: read-your-writes, with a bounded wait."""
    wrote = (await world.post("Villa")).headers["partnerdeck-consistency"]
    kind, house, version = wrote.split("/")
    assert (kind, version) == ("house", "1")

    there = await world.client.get("/v1/houses", headers=world.headers(partnerdeck_consistency=wrote))
    assert (there.text, there.headers.get("partnerdeck-consistency")) == ("Villa", None)

    async def asked() -> httpx.Response:
        return await world.client.get("/v1/houses", headers=world.headers(partnerdeck_consistency=f"house/{house}/2"))

    async def renamed() -> None:
        body = {"name": "Palace", "customer_id": str(world.customers[0])}
        await world.client.patch(f"/v1/houses/{house}", json=body, headers=world.headers(if_match='"1"'))

    waited, _ = await asyncio.gather(asked(), renamed())
    assert waited.text == "Palace"

    too_far = await world.client.get("/v1/houses", headers=world.headers(partnerdeck_consistency=f"house/{house}/9,planet/{house}/1"))
    assert (too_far.text, too_far.headers["partnerdeck-consistency"]) == ("Palace", "behind")


@pytest.mark.parametrize(
    "token", ["nonsense", "house/1/1", "house/0190c0de-0000-7000-8000-000000000000/-1", "a b/0/0", ",".join(["x"] * 17)]
)
async def test_a_consistency_token_that_is_none_of_ours_is_refused(world: World, token: str) -> None:
    answer = await world.client.get("/v1/houses", headers=world.headers(partnerdeck_consistency=token))

    assert (answer.status_code, answer.json()["code"]) == (400, "bad_consistency_token")


async def test_whoever_waits_for_a_write_that_never_comes_keeps_nobody_from_being_served(world: World) -> None:
    async def wait_in_vain() -> httpx.Response:
        return await world.client.get("/v1/houses", headers=world.headers(partnerdeck_consistency=f"house/{new_id()}/1"))

    waiting = [asyncio.create_task(wait_in_vain()) for _ in range(40)]
    await asyncio.sleep(0)
    async with asyncio.timeout(1.5):
        assert (await world.client.get("/v1/houses", headers=world.headers())).status_code == 200

    assert {answer.headers["partnerdeck-consistency"] for answer in await asyncio.gather(*waiting)} == {"behind"}


async def test_a_refusal_that_is_late_never_undoes_its_twins_success(world: World) -> None:
    """The same key at once, refused for one and granted for the other: whatever stands first is answered to both, and none fails."""
    for turn in range(15):
        world.unlucky.clear()
        key, before = f"twins-{turn}", len(await world.built())
        answers = await asyncio.gather(*(world.post("twin", idempotency_key=key) for _ in range(2)))
        assert {answer.status_code for answer in answers} <= {201, 409}, [answer.text for answer in answers]
        again = await world.post("twin", idempotency_key=key)
        granted = [answer for answer in answers if answer.status_code == 201]
        assert again.text in {answer.text for answer in granted or answers}
        assert len(await world.built()) == before + bool(granted)


async def test_a_right_that_was_missing_is_not_remembered_under_the_key(world: World) -> None:
    role = await _role(world)
    await world.change(tables.roles, role, permissions=[])
    assert (await world.post("Villa", idempotency_key="one")).status_code == 403
    await world.change(tables.roles, role, permissions=["customers.add"])

    assert (await world.post("Villa", idempotency_key="one")).status_code == 201


async def test_an_operator_reads_any_partners_customer_and_in_a_partners_name_only_its_own(world: World) -> None:
    """An operator reads across partners; acting as one it sees what that partner has."""
    operator = Principal(kind="operator", user_id=new_id(), partner_id=ROOT_PARTNER_ID, gen=1)
    known = {"partner_id": ROOT_PARTNER_ID, "status": "active"}
    await world.put(tables.partners, id=ROOT_PARTNER_ID, ancestors=[], shut_out=False, **known)
    await world.put(tables.users, id=operator.user_id, kind="operator", gen=1, role_ids=[], **known)
    await world.post("Villa")

    async def asked(customer: UUID, **headers: str) -> tuple[int, str]:
        answer = await world.client.get(f"/v1/houses/of/{customer}", headers=world.headers(operator, **headers))
        return answer.status_code, answer.text if answer.status_code == 200 else answer.json()["code"]

    assert await asked(world.customers[0]) == (200, "Villa")
    assert await asked(world.customers[0], partnerdeck_acting_as=str(ROOT_PARTNER_ID)) == (404, "customer_not_found")


async def test_whoever_works_across_partners_does_not_wait_for_rows_that_it_never_sees(world: World) -> None:
    """BEY-09: what it wrote of another's users and roles decides nothing of its own rights."""
    operator = Principal(kind="operator", user_id=new_id(), partner_id=ROOT_PARTNER_ID, gen=1)
    known = {"partner_id": ROOT_PARTNER_ID, "status": "active"}
    await world.put(tables.partners, id=ROOT_PARTNER_ID, ancestors=[], shut_out=False, **known)
    await world.put(tables.users, id=operator.user_id, kind="operator", gen=1, role_ids=[], **known)
    others = f"user/{world.principal.user_id}/1,role/{await _role(world)}/1,customer/{world.customers[0]}/1"
    at_customer = f"/v1/houses/of/{world.customers[0]}"

    async def said(token: str, **headers: str) -> str | None:
        headers |= {"partnerdeck_consistency": token}
        answer = await world.client.get(at_customer, headers=world.headers(operator, **headers))
        assert answer.is_success, answer.text
        return answer.headers.get("partnerdeck-consistency")

    acting = {"partnerdeck_acting_as": str(world.principal.partner_id)}
    await world.change(tables.partners, world.principal.partner_id, ancestors=[ROOT_PARTNER_ID])
    assert [await said(others), await said(others, **acting)] == [None, None]
    assert await said(f"customer/{world.customers[0]}/9", **acting) == "behind"


async def test_nobody_gets_in_without_a_token(world: World) -> None:
    answer = await world.client.get("/v1/houses")

    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")


async def _role(world: World) -> UUID:
    async with world.database.direct() as connection:
        role: UUID = await connection.fetchval("select role_ids[1] from access_users where id = $1", world.principal.user_id)
        return role
