"""What two do at once happens once: conversions, activations, serial numbers (committed, on connections of their own)."""

import asyncio
from collections import Counter
from typing import Any

import pytest
from sqlalchemy import text

from chassis.database import Transaction
from chassis.due import DueWorker
from chassis.ids import new_id
from chassis_testing.waiting import eventually
from licensing.due import DUE
from licensing.rules import converting
from licensing.tables.subscriptions import Subscription
from licensing_testing.builders import SYMANTEC, a_matrix, a_programme, a_serial, a_trial, an_offer
from licensing_testing.desk import Desk


async def test_of_eight_that_convert_one_trial_one_does(desk: Desk) -> None:
    """LIC-11: one conversion, one line."""

    async def build(tx: Transaction) -> Subscription:
        await a_programme(tx)
        return await a_trial(tx)

    trial = await desk.set_up(build)
    await desk.knows(trial.customer_id)

    answers = await asyncio.gather(*(desk.post(f"/v1/subscriptions/{trial.id}/convert", if_match='"1"') for _ in range(8)))

    assert Counter(one.status_code for one in answers) == {200: 1, 409: 7}
    assert len((await desk.get("/v1/lines")).json()["items"]) == 1


async def test_of_two_partners_with_one_serial_number_one_gets_the_programme(desk: Desk) -> None:
    """LIC-07: it belongs to whoever activates it first."""
    code = await desk.set_up(a_serial)
    rivals = [desk, await desk.newcomer()]
    validated = [(await one.post("/v1/programmes", {"serial_number": code})).json()["id"] for one in rivals]

    answers = await asyncio.gather(
        *(one.post(f"/v1/programmes/{programme_id}/activate", if_match='"1"') for one, programme_id in zip(rivals, validated, strict=True))
    )

    assert sorted(one.status_code for one in answers) == [200, 409]
    assert {one.json()["code"] for one in answers if one.status_code == 409} == {"serial_taken"}


async def test_one_product_serial_number_converts_one_of_six_trials(desk: Desk) -> None:
    """LIC-10."""

    async def build(tx: Transaction) -> list[Subscription]:
        await a_matrix(tx, convert_trial="product_serial")
        offer = await an_offer(tx, product="sep")
        return [await a_trial(tx, offer=offer) for _ in range(6)]

    trials = await desk.set_up(build)
    for one in trials:
        await desk.knows(one.customer_id)
    code = await desk.set_up(lambda tx: a_serial(tx, kind="product", product="sep"))

    answers = await asyncio.gather(
        *(desk.post(f"/v1/subscriptions/{one.id}/convert", {"serial_number": code}, if_match='"1"') for one in trials)
    )

    assert Counter(one.status_code for one in answers) == {200: 1, 409: 5}
    assert {one.json()["code"] for one in answers if one.status_code == 409} == {"serial_taken"}


async def test_one_key_sent_eight_times_at_once_converts_once(desk: Desk) -> None:
    async def build(tx: Transaction) -> Subscription:
        await a_programme(tx)
        return await a_trial(tx)

    trial = await desk.set_up(build)
    await desk.knows(trial.customer_id)
    key = str(new_id())

    answers = await asyncio.gather(
        *(desk.post(f"/v1/subscriptions/{trial.id}/convert", if_match='"1"', idempotency_key=key) for _ in range(8))
    )

    assert {one.status_code for one in answers} <= {200, 409}
    assert {one.json()["code"] for one in answers if one.status_code == 409} <= {"in_flight"}
    assert len((await desk.get("/v1/lines")).json()["items"]) == 1


@pytest.mark.parametrize("first", ["the clock", "a person"])
async def test_a_trial_for_which_the_clock_and_a_person_reach_at_once_is_converted_or_has_ended(desk: Desk, first: str) -> None:
    """LIC-01, LIC-11: whoever waits for the trial sees what the other made of it."""

    async def build(tx: Transaction) -> Subscription:
        await a_programme(tx)
        return await a_trial(tx, offer=await an_offer(tx, trial={**SYMANTEC, "notify_before": []}))

    trial = await desk.set_up(build)
    await desk.knows(trial.customer_id)
    assert trial.trial_ends_at is not None
    desk.clock.at = trial.trial_ends_at
    due = DueWorker(DUE, desk.worker, desk.clock)
    path = f"/v1/subscriptions/{trial.id}"

    async with desk.worker.work() as work, work.item(desk.principal.partner_id) as held:
        await converting.lock(held, trial.id)
        reach = {"the clock": due.run, "a person": lambda: desk.post(f"{path}/convert", if_match="*")}
        reaching: dict[str, asyncio.Task[Any]] = {}
        for who in sorted(reach, key=lambda one: one != first):
            reaching[who] = asyncio.create_task(reach[who]())
            await eventually(lambda: _waiting(held, len(reaching)))
    answer = await reaching["a person"]
    await eventually(lambda: _ended(desk, path))
    due.stop()
    await reaching["the clock"]

    lines = (await desk.get("/v1/lines")).json()["items"]
    assert answer.status_code == 200 or answer.json()["code"] in {"not_a_trial", "busy"}
    assert (await desk.get(path)).json()["status"] == ("active" if answer.is_success else "expired")
    assert len(lines) == (1 if answer.is_success else 0)


async def _waiting(tx: Transaction, sessions: int) -> bool:
    """Whether so many sessions of this database wait for a lock."""
    waiting = text("""
        select count(distinct waits.pid) from pg_locks waits join pg_locks has using (pid)
         where not waits.granted and has.database = (select oid from pg_database where datname = current_database())
    """)
    return (await tx.session.execute(waiting)).scalar_one() >= sessions


async def _ended(desk: Desk, path: str) -> bool:
    """Whether nothing more is going to happen to the trial."""
    return (await desk.get(path)).json()["status"] != "trial"
