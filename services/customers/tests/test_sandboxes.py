"""A sandbox is chosen at the partner's creation, for good; its clock only moves forward, tick by tick, as the services answer (BEY-11)."""

import asyncio
import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from chassis.consumers import Event
from chassis.consumers.events import Place
from chassis.database import WorkerDatabase
from chassis.ticks.following import FOLLOW
from chassis_testing.clock import FixedClock
from chassis_testing.told import an_envelope
from contracts.any.clocks import PartnerClockReached
from contracts.customers.clocks import FOLLOWERS, PartnerClockAdvanced
from contracts.envelope import decode
from customers import sandboxes
from customers.consumers import consumers
from customers_testing.http import OPERATOR, Web

DAY = timedelta(days=1)
HERE = Place(topic="partner.clock_reached", partition=0, offset=0)


@dataclass(frozen=True, slots=True)
class Play:
    """A sandbox partner's administrator, and the services that follow its clock."""

    web: Web
    partner_id: str
    database: WorkerDatabase
    clock: FixedClock

    async def look(self) -> dict[str, Any]:
        answer = await self.web.get(f"/v1/partners/{self.partner_id}/clock")
        assert answer.is_success, answer.text
        return dict(answer.json())

    async def advance(self, **how: Any) -> str:
        answer = await self.web.post(f"/v1/partners/{self.partner_id}/clock/advance", how)
        assert answer.status_code == 202, answer.text
        await self._follow()
        return str(answer.headers["location"])

    async def told(self) -> list[PartnerClockAdvanced]:
        async with self.database.direct() as connection:
            rows = await connection.fetch("select payload from outbox where topic = 'partner.clock_advanced' order by id")
        return [PartnerClockAdvanced.read(row["payload"]) for row in rows]

    async def answered(self, *services: str, told: int = 0, next_due: datetime | None = None, version: int | None = None) -> None:
        """Services answer the present asking; ``next_due`` is what the last one of them says."""
        now = await self.look()
        for number, service in enumerate(services, start=1):
            said = next_due if number == len(services) else None
            record = PartnerClockReached(tick=now["tick"], service=service, told=told, next_due=said)
            partner_id = UUID(self.partner_id)
            at = datetime.fromisoformat(now["now"])
            envelope = an_envelope(record, subject=partner_id, partner_id=partner_id, version=version or now["version"], at=at)
            async with self.database.work() as work, work.item(partner_id, cause=envelope, at=at) as tx:
                await sandboxes.hear(tx, Event(envelope=envelope, record=record, place=HERE))
        await self._follow()

    async def _follow(self) -> None:
        """Customers follows the clocks it tells of, as everybody does."""
        async with self.database.direct() as connection:
            rows = await connection.fetch("select headers, payload from outbox where topic = 'partner.clock_advanced' order by id")
        for row in rows:
            envelope = decode([(name, value.encode()) for name, value in json.loads(row["headers"])])
            event = Event(envelope=envelope, record=PartnerClockAdvanced.read(row["payload"]), place=HERE)
            async with self.database.work() as work, work.item(envelope.partner_id, cause=envelope) as tx:
                await FOLLOW.handle(tx, event)


@pytest.fixture
async def play(web: Web, worker_database: WorkerDatabase, clock: FixedClock) -> Play:
    partner = await web.a_partner(sandbox=True)
    me = (await partner.get("/v1/me")).json()
    return Play(partner, me["partner"]["id"], worker_database, clock)


async def test_a_sandbox_says_so_in_all_that_is_told_of_it_from_its_first_fact_on(web: Web, worker_database: WorkerDatabase) -> None:
    await web.a_partner(sandbox=True)

    async with worker_database.direct() as connection:
        told = await connection.fetch(
            'select topic, headers::text like \'%ce_sandbox",%"true"%\' as play from outbox'
            " where partition_key in (select partner_id from clocks)"
        )
    topics = {row["topic"] for row in told}
    assert {"partner.registered", "partner.changed", "user.created", "role.created"} <= topics
    assert all(row["play"] for row in told)


async def test_a_real_partner_never_becomes_a_sandbox_nor_a_sandbox_a_real_one(play: Play, web: Web) -> None:
    """Not even by whoever owns the table."""
    real = await web.a_partner("Echt IT", "echt.example")
    real_id = (await real.get("/v1/me")).json()["partner"]["id"]

    for partner_id, sandbox in ((play.partner_id, False), (real_id, True)):
        async with play.database.direct() as connection:
            with pytest.raises(asyncpg.CheckViolationError):
                await connection.execute("update partners set sandbox = $2 where id = $1", UUID(partner_id), sandbox)
    assert (await real.get(f"/v1/partners/{real_id}")).json()["sandbox"] is False
    assert (await play.web.get(f"/v1/partners/{play.partner_id}")).json()["sandbox"] is True


async def test_whoever_stands_below_a_sandbox_is_one(play: Play, web: Web) -> None:
    child = await web.a_partner("Kind IT", "kind.example", parent_id=play.partner_id)
    child_id = (await child.get("/v1/me")).json()["partner"]["id"]

    assert (await child.get(f"/v1/partners/{child_id}")).json()["sandbox"] is True
    assert (await child.get(f"/v1/partners/{child_id}/clock")).json()["ahead_seconds"] == 0


async def test_only_a_sandbox_has_a_clock_and_only_its_own_people_and_operators_move_it(play: Play, web: Web) -> None:
    real = await web.a_partner("Echt IT", "echt.example")
    real_id = (await real.get("/v1/me")).json()["partner"]["id"]
    operator = await web.sign_in(OPERATOR)

    for who in (real, operator):
        refused = await who.post(f"/v1/partners/{real_id}/clock/advance", {"by": "P1D"})
        assert (refused.status_code, refused.json()["code"]) == (409, "not_a_sandbox")
        assert (await who.get(f"/v1/partners/{real_id}/clock")).json()["code"] == "not_a_sandbox"
    stranger = await real.post(f"/v1/partners/{play.partner_id}/clock/advance", {"by": "P1D"})
    assert (stranger.status_code, stranger.json()["code"]) == (404, "partner_not_found")
    assert (await real.get(f"/v1/partners/{play.partner_id}/clock")).status_code == 404
    assert (await operator.post(f"/v1/partners/{play.partner_id}/clock/advance", {"by": "P1D"})).status_code == 202


@pytest.mark.parametrize(
    ("how", "status", "code"),
    [
        ({"until": "2026-01-05T08:59:59Z"}, 422, "clock_only_forward"),
        ({"until": "2026-01-05T09:00:00Z"}, 422, "clock_only_forward"),
        ({"by": "P3654D"}, 422, "clock_too_far"),
        ({"until": "2037-01-05T09:00:00Z"}, 422, "clock_too_far"),
        ({"by": "-P1D"}, 422, "invalid"),
        ({"until": "2026-02-05T09:00:00"}, 422, "invalid"),
        ({"until": "2026-02-05T09:00:00Z", "by": "P1D"}, 422, "invalid"),
        ({}, 422, "invalid"),
    ],
)
async def test_a_clock_goes_forward_and_not_too_far(play: Play, how: dict[str, str], status: int, code: str) -> None:
    refused = await play.web.post(f"/v1/partners/{play.partner_id}/clock/advance", how)

    assert (refused.status_code, refused.json()["code"]) == (status, code), refused.text
    assert await play.told() == []


async def test_of_eight_who_move_it_at_once_one_does(play: Play) -> None:
    path = f"/v1/partners/{play.partner_id}/clock/advance"
    answers = await asyncio.gather(*(play.web.post(path, {"by": "P1D"}) for _ in range(8)))

    assert sorted(one.status_code for one in answers) == [202, *[409] * 7]
    refused = next(one.json() for one in answers if one.status_code != 202)
    (job_id,) = {one.json()["id"] for one in answers if one.status_code == 202}
    assert (refused["code"], refused["job_id"]) == ("clock_in_motion", job_id)


async def test_a_tick_is_asked_again_until_a_whole_round_has_told_nothing(play: Play) -> None:
    await play.advance(by="P1D")
    start = play.clock.now()

    await play.answered(*sorted(FOLLOWERS)[:-1])
    assert len(await play.told()) == 1
    await play.answered(max(FOLLOWERS), told=3)
    assert [(one.tick, one.until) for one in await play.told()] == [(1, start), (1, start)]
    await play.answered(*FOLLOWERS, told=0)

    assert [(one.tick, one.until) for one in await play.told()][2:] == [(2, start + DAY)]


async def test_the_clock_goes_to_whatever_is_due_first_and_stops_where_it_was_sent(play: Play) -> None:
    location = await play.advance(by="P30D")
    start = play.clock.now()
    await play.answered("customers", "licensing", next_due=start + 7 * DAY)
    await play.answered("reporting", "notifications", next_due=start + 5 * DAY)
    await play.answered(*FOLLOWERS, next_due=start + 7 * DAY)
    await play.answered(*FOLLOWERS, next_due=start + 60 * DAY)
    play.clock.move(timedelta(minutes=2))
    await play.answered(*FOLLOWERS, next_due=start + 60 * DAY)

    told = await play.told()
    assert [(one.tick, one.until - start) for one in told] == [(1, 0 * DAY), (2, 5 * DAY), (3, 7 * DAY), (4, 30 * DAY), (4, 30 * DAY)]
    assert [one.standing for one in told] == [True, True, True, True, False]
    job = (await play.web.get(location)).json()
    assert (job["status"], job["done"], job["total"]) == ("done", 4, 4)
    now = await play.look()
    assert (now["standing"], now["waiting_for"], datetime.fromisoformat(now["now"])) == (False, [], start + 30 * DAY)


async def test_an_answer_to_an_earlier_asking_counts_for_nothing(play: Play) -> None:
    await play.advance(by="P1D")
    first = (await play.look())["version"]
    await play.answered(*FOLLOWERS, told=1)

    await play.answered(*FOLLOWERS, version=first)

    assert len(await play.told()) == 2
    assert (await play.look())["waiting_for"] == sorted(FOLLOWERS)


async def test_a_cancelled_advance_stops_where_it_is_and_another_may_begin(play: Play) -> None:
    location = await play.advance(by="P30D")
    await play.answered(*FOLLOWERS, next_due=play.clock.now() + 5 * DAY)
    assert (await play.web.post(f"{location}/cancel")).is_success
    await play.answered(*FOLLOWERS)

    assert (await play.web.get(location)).json()["status"] == "cancelled"
    now = await play.look()
    assert (now["standing"], now["ahead_seconds"]) == (False, 5 * DAY / timedelta(seconds=1))
    await play.advance(by="P1D")


def test_customers_follows_its_own_clocks() -> None:
    followed = {topic for consumer in consumers() for topic in consumer.topics()}

    assert {"partner.clock_advanced", "partner.clock_reached"} <= followed
