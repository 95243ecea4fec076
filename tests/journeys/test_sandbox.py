"""A sandbox partner's time is moved on until its last trial has ended, in every service and in order, and nobody else notices (BEY-11).

Its fifty customers begin on five days of its own calendar, with trials of three offers. While the
clock is moved over all their ends, licensing is killed.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import pytest

from chassis_testing.topics import Stood, Topics
from chassis_testing.waiting import eventually
from contracts.any.audit import AuditRecorded
from contracts.catalogue import RECORDS, facts
from contracts.customers.clocks import FOLLOWERS
from journeys.world import World
from onebox import billed, people, postgres
from onebox.api import Api, Refused

pytestmark = pytest.mark.timeout(600)

DAYS: Final = 5
A_DAY: Final = 10
OFFERS: Final = ("sep-cloud", "email-security-professional", "cloud-edge")
ENDS: Final = frozenset({"trial.expired", "trial.paused", "trial.converted"})
"""What a trial's end is told as: sep-cloud expires, email-security-professional converts, cloud-edge pauses."""


@dataclass(slots=True)
class Play:
    """A sandbox partner in front of the gateway."""

    world: World
    partner_id: str
    email: str
    _api: Api | None = None
    _until: float = 0.0

    async def me(self) -> Api:
        """The partner, signed in anew when its token is about to end."""
        if self._api is None or time.monotonic() > self._until:
            self._api = await self.world.patiently(lambda: Api(self.world.http).signed_in(self.email, people.PASSWORD))
            self._until = time.monotonic() + 240
        return self._api

    async def ask[T](self, what: Callable[[Api], Awaitable[T]]) -> T:
        """Ask as the partner; a service that was killed meanwhile is waited for."""
        me = await self.me()
        return await self.world.patiently(lambda: what(me))

    async def clock(self) -> dict[str, Any]:
        return dict(await self.ask(lambda me: me.get(f"/v1/partners/{self.partner_id}/clock")))

    async def advance(self, **how: str) -> str:
        job = await self.ask(lambda me: me.post(f"/v1/partners/{self.partner_id}/clock/advance", **how))
        return str(job["id"])

    async def until_ended(self, job_id: str) -> dict[str, Any]:
        async def look() -> dict[str, Any]:
            job: dict[str, Any] = await self.ask(lambda me: me.get(f"/v1/jobs/customers/{job_id}"))
            assert job["ended_at"], job
            return job

        return await eventually(look, within=150, every=1.0)

    async def trials(self) -> list[dict[str, Any]]:
        return await self.ask(lambda me: me.everything("/v1/subscriptions"))

    async def until_trials(self, count: int) -> list[dict[str, Any]]:
        async def look() -> list[dict[str, Any]]:
            trials = await self.trials()
            assert len(trials) == count
            return trials

        return await eventually(look, within=60, every=0.5)


async def a_sandbox(world: World, name: str) -> Play:
    domain = f"{name.lower()}-sandbox.com"
    body = {"company_name": f"{name} Sandbox", "country": "DE", "sandbox": True}
    admin = {"name": "Sandra Sand", "email": f"sandra@{domain}", "password": people.PASSWORD}
    partner = await (await world.operator()).post("/v1/partners", **body, admin=admin)
    assert partner["sandbox"] is True
    return Play(world, partner["id"], admin["email"])


async def told_of(world: World, partner_id: str, *topics: str) -> list[Stood]:
    """Each record once, in the order of telling: ids are made when something is told."""
    stood = await Topics(world.suite.kafka, "").everything(*topics)
    mine = {one.envelope.id: one for one in stood if str(one.envelope.partner_id) == partner_id}
    return [mine[event_id] for event_id in sorted(mine)]


async def customers_on_five_days(play: Play) -> list[str]:
    """Ten new customers a day, by the partner's own calendar; the companies' names."""
    names = []
    for day in range(DAYS):
        me = await play.me()
        for number in range(A_DAY):
            name = f"Castle {'ABCDE'[day]}{'ABCDEFGHIJ'[number]}"
            offer = OFFERS[number % len(OFFERS)]
            await me.post("/v1/customers", **people.customer(name, "Mia Maple", offer=offer, seats=5))
            names.append(name)
        await play.until_trials((day + 1) * A_DAY)
        await play.until_ended(await play.advance(by="P1D"))
    return names


async def kill_licensing_after_some_ticks(play: Play, job_id: str) -> None:
    async def some() -> bool:
        job = await play.ask(lambda me: me.get(f"/v1/jobs/customers/{job_id}"))
        return bool(job["done"] >= 5)

    await eventually(some, within=90, every=0.5)
    before = play.world.suite.restarts("licensing")
    play.world.suite.kill("licensing")
    await play.world.suite.until_restarted("licensing", before)


async def test_the_clock_is_moved_on_until_the_last_trial_has_ended(world: World) -> None:
    play, idle = await a_sandbox(world, "Sandcastle"), await a_sandbox(world, "Dune")
    neighbour = await world.partner()
    theirs = await neighbour.post("/v1/customers", **world.company("Neighbour"))
    their_trial = await world.trial_of(neighbour, theirs["id"])
    me = await play.me()
    programme = await me.post("/v1/programmes", serial_number="EXSP-2026-0003-CHARLIE")
    await me.post(f"/v1/programmes/{programme['id']}/activate", if_match=programme["version"])
    names = await customers_on_five_days(play)

    trials = await play.trials()
    began_at = datetime.fromisoformat((await play.clock())["now"])
    job_id = await play.advance(until=max(one["trial_ends_at"] for one in trials))
    await kill_licensing_after_some_ticks(play, job_id)
    job = await play.until_ended(job_id)

    assert (job["status"], job["done"]) == ("done", job["total"])
    await each_trial_ended_once_at_its_own_time(play, trials)
    await nothing_happened_out_of_order(play, began_at)
    await every_service_has_followed(play, job)
    await the_mails_say_that_they_are_play(play, names)
    await nothing_was_billed(play)
    assert (await neighbour.get(f"/v1/subscriptions/{their_trial['id']}"))["status"] == "trial"
    assert (await idle.clock())["ahead_seconds"] == 0
    with pytest.raises(Refused, match="not_a_sandbox"):
        await neighbour.post(f"/v1/partners/{(await neighbour.get('/v1/me'))['partner']['id']}/clock/advance", by="P1D")


async def each_trial_ended_once_at_its_own_time(play: Play, trials: list[dict[str, Any]]) -> None:
    ended = [(str(one.envelope.subject), one.envelope.effective_time) for one in await told_of(play.world, play.partner_id, *ENDS)]

    assert sorted(ended) == sorted((one["id"], datetime.fromisoformat(one["trial_ends_at"])) for one in trials)
    assert len({at for _, at in ended}) >= 2 * DAYS
    now = {one["offer"]: one["status"] for one in await play.trials()}
    assert now == {"sep-cloud": "expired", "email-security-professional": "active", "cloud-edge": "paused"}


async def nothing_happened_out_of_order(play: Play, began_at: datetime) -> None:
    """Whoever told it: what was told later happened later, by the partner's time; and all of it says that it is play.

    Within the first hour nothing is due but what the last day's customers still want, from when the clock ran.
    Who signed in meanwhile is no part of it.
    """
    told = await told_of(play.world, play.partner_id, *(record.topic for record in RECORDS))
    assert all(one.envelope.sandbox for one in told)
    topics, first = {fact.topic for fact in facts()} - {AuditRecorded.topic}, began_at + timedelta(hours=1)
    times = [one.envelope.effective_time for one in told if one.envelope.type in topics and one.envelope.effective_time > first]
    assert len(times) > len(await play.trials())
    assert times == sorted(times)


_CLOCK = "select tick, ahead, standing_at from clocks where partner_id = $1"


async def every_service_has_followed(play: Play, job: dict[str, Any]) -> None:
    suite = play.world.suite
    clocks = set()
    for service in FOLLOWERS:
        connection = await postgres.connect(suite.postgres, service)
        try:
            clocks |= {tuple(row) for row in await connection.fetch(_CLOCK, play.partner_id)}
        finally:
            await connection.close()
    ((_, ahead, standing_at),) = clocks
    assert standing_at is None
    assert ahead > timedelta(days=60)
    assert job["done"] >= 3 * DAYS


async def the_mails_say_that_they_are_play(play: Play, names: list[str]) -> None:
    mails = await asyncio.to_thread(play.world.suite.mails)
    mine = [mail for mail in mails if any(name in mail.text for name in names)]
    assert len({mail.headers["Message-ID"] for mail in mine}) == 2 * len(names)
    assert all(mail.headers["Subject"].startswith("[Sandbox] ") for mail in mine)


async def nothing_was_billed(play: Play) -> None:
    """Its trials were converted, and lines were rated: the sample billing consumer has none of it."""
    assert await told_of(play.world, play.partner_id, "billing.line_rated")
    assert not [line for line in await billed.lines(play.world.suite.home) if line["partner_id"] == play.partner_id]
