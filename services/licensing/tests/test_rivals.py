"""What two do at once happens once: conversions, activations, serial numbers (committed, on connections of their own)."""

import asyncio
from collections import Counter

from chassis.database import Transaction
from chassis.due import DueWorker
from chassis.ids import new_id
from chassis_testing.waiting import eventually
from licensing.due import DUE
from licensing.tables.subscriptions import Subscription
from licensing_testing.builders import a_matrix, a_programme, a_serial, a_trial, an_offer
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


async def test_a_trial_that_is_converted_at_its_end_is_converted_or_has_ended(desk: Desk) -> None:
    """LIC-01, LIC-11: the clock and a person at once, and neither waits for the other for ever."""

    async def build(tx: Transaction) -> list[Subscription]:
        await a_programme(tx)
        return [await a_trial(tx, offer=offer) for offer in [await an_offer(tx)] for _ in range(8)]

    begun = await desk.set_up(build)
    for one in begun:
        await desk.knows(one.customer_id)
    desk.clock.at = max(one.trial_ends_at for one in begun if one.trial_ends_at)
    due = DueWorker(DUE, desk.worker, desk.clock)
    working = asyncio.create_task(due.run())

    answers = await asyncio.gather(*(desk.post(f"/v1/subscriptions/{one.id}/convert", if_match="*") for one in begun))

    async def shown() -> dict[str, str] | None:
        standing = {one["id"]: one["status"] for one in (await desk.get("/v1/subscriptions")).json()["items"]}
        return None if "trial" in standing.values() else standing

    ended = await eventually(shown)
    due.stop()
    await working
    converted = {str(one.id) for one, answer in zip(begun, answers, strict=True) if answer.is_success}
    assert {answer.json()["code"] for answer in answers if not answer.is_success} <= {"not_a_trial", "busy"}
    assert ended == {str(one.id): "active" if str(one.id) in converted else "expired" for one in begun}
    assert {one["subscription_id"] for one in (await desk.get("/v1/lines")).json()["items"]} == converted
