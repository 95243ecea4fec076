"""A job does each of its items once, says what became of it, and ends when it is told to, or when its user may no longer (BEY-13)."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest
from house.painting import HEARD, KINDS, PAINT, Street, street
from house.relaying import a_partner
from sqlalchemy import func, select, text
from structlog.testing import capture_logs

from chassis import jobs
from chassis.access import tables
from chassis.database import ApiDatabase, WorkerDatabase
from chassis.due import DueWorker
from chassis.ids import new_id
from chassis.jobs import running
from chassis.jobs.ending import KEPT, forget_jobs
from chassis.jobs.kinds import TooManyItems
from chassis.jobs.running import due_work
from chassis_testing.clock import FixedClock
from chassis_testing.waiting import eventually


@pytest.fixture
async def here(
    api_database: ApiDatabase, worker_database: WorkerDatabase, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Street]:
    monkeypatch.setattr(running, "LONGEST_LAG", 3600.0)  # nobody relays here
    monkeypatch.setattr(running, "LONGEST_CHUNK", 60.0)
    async with street(api_database, worker_database, clock) as made:
        yield made


async def test_a_thousand_items_are_done_in_chunks_and_watched_to_their_end(here: Street) -> None:
    chosen = await here.built(*["house"] * 1000)

    answer = await here.post("/v1/houses/paint", {"houses": [*chosen, chosen[0]]}, x_request_id="painters-1")
    assert answer.status_code == 202
    assert answer.json() | {"status": "queued", "total": 1000, "done": 0} == answer.json()
    where = answer.headers["location"]
    assert where == f"/v1/jobs/licensing/{answer.json()['id']}"
    worker = DueWorker(due_work(KINDS), here.database, here.clock)
    assert await worker.work_one()
    assert (await here.get(where)).json() | {"status": "running", "total": 1000, "done": 50} == (await here.get(where)).json()
    await here.worked()

    job = await here.get(where)
    assert job.json() | {"status": "done", "done": 1000, "succeeded": 1000, "failed": 0, "reason": None} == job.json()
    assert job.json()["ended_at"] is not None
    assert await here.versions() == {2: 1000}
    assert (await here.lanes("house.built"))[1000:] == [2] * 1000
    (told,) = await here.facts("job.finished")
    assert json.loads(told) | {"kind": "licensing.paint", "status": "done", "total": 1000, "refused": []} == json.loads(told)
    async with here.database.direct() as connection:
        of_request = "select count(*) from outbox where headers::text like '%painters-1%'"
        assert (
            await connection.fetchval(of_request) == 1 + 1000 * 3 + 1
        )  # its start and end, and of each item a fact, a state, an audit entry


async def test_one_items_refusal_costs_nobody_else_and_is_said_as_a_problem(here: Street) -> None:
    chosen = await here.built(*["house"] * 60, "listed", *["house"] * 60, "listed")
    where = await here.started(chosen)
    await here.worked()

    job = (await here.get(where)).json()
    assert job | {"status": "done", "total": 122, "succeeded": 120, "failed": 2} == job
    failed = (await here.get(f"{where}/items", status="failed")).json()["items"]
    problem = {"code": "listed", "remedy": "Ask the office for monuments.", "rule": "HOU-7"}
    assert [(one["number"], one["id"]) for one in failed] == [(61, chosen[60]), (122, chosen[121])]
    assert failed[0]["problem"] == {"detail": "House 61 is listed.", **problem}
    told = json.loads((await here.facts("job.finished"))[0])
    assert told["refused"] == [{"item": chosen[60], "code": "listed"}, {"item": chosen[121], "code": "listed"}]
    assert len(await here.facts("house.built")) == 122 + 120


async def test_items_are_listed_in_pages_in_their_order(here: Street) -> None:
    chosen = await here.built(*["house"] * 30)
    where = await here.started(chosen)
    first = (await here.get(f"{where}/items", limit=20)).json()
    second = (await here.get(f"{where}/items", limit=20, cursor=first["next"])).json()

    assert [one["id"] for one in first["items"] + second["items"]] == chosen
    assert {one["status"] for one in first["items"]} == {"waiting"}
    assert second["next"] is None
    assert (await here.get(f"{where}/items", status="eaten")).status_code == 422


async def test_items_may_be_selected_where_they_are(here: Street) -> None:
    await here.built(*["house"] * 70)
    where = (await here.post("/v1/houses/paint-all")).headers["location"]
    await here.worked()

    assert (await here.get(where)).json()["succeeded"] == 70
    assert await here.names() == ["house, red"] * 70


async def test_a_dry_run_says_what_would_happen_and_changes_nothing(here: Street) -> None:
    where = await here.started(await here.built("house", "listed", "house"), dry_run=True)
    await here.worked()

    job = (await here.get(where)).json()
    assert job | {"dry_run": True, "status": "done", "succeeded": 2, "failed": 1} == job
    assert await here.names() == ["house", "house", "listed"]
    assert len(await here.facts("house.built")) == 3


async def test_more_than_one_job_takes_is_refused_before_anything_begins(here: Street) -> None:
    """BEY-13: blast-radius limit."""
    answer = await here.post("/v1/houses/paint", {"houses": [str(new_id()) for _ in range(2_001)]})

    assert (answer.status_code, answer.json()["code"], answer.json()["most"]) == (422, "too_many_items", 2_000)


async def test_what_is_too_much_is_not_written_before_it_is_refused(api_database: ApiDatabase) -> None:
    much = select(func.gen_random_uuid()).select_from(func.generate_series(1, 100_000).table_valued("number"))
    written = []

    async def start() -> None:
        async with api_database.change(a_partner()) as tx:
            try:
                await jobs.start(tx, replace(PAINT, most=20), much)
            finally:
                written.append(await tx.session.scalar(text("select count(*) from job_items")))

    with pytest.raises(TooManyItems):
        await start()
    assert written == [21]


async def test_the_same_request_twice_is_one_job(here: Street) -> None:
    body = {"houses": await here.built("house")}

    answers = [await here.post("/v1/houses/paint", body, idempotency_key="one") for _ in range(2)]

    assert answers[0].headers["location"] == answers[1].headers["location"]
    await here.worked()
    assert await here.versions() == {2: 1}


async def test_a_cancelled_job_ends_before_its_next_items(here: Street) -> None:
    where = await here.started(await here.built(*["house"] * 120))
    await DueWorker(due_work(KINDS), here.database, here.clock).work_one()

    cancelled = await here.post(f"{where}/cancel")
    await here.worked()

    assert cancelled.json() | {"status": "cancelled", "done": 50} == cancelled.json()
    assert cancelled.json()["reason"]["code"] == "cancelled"
    assert await here.versions() == {2: 50, 1: 70}
    assert [json.loads(one)["status"] for one in await here.facts("job.finished")] == ["cancelled"]
    assert (await here.post(f"{where}/cancel")).json()["code"] == "job_ended"


async def test_a_job_that_is_cancelled_while_a_worker_has_it_in_hand_ends_after_this_chunk(here: Street) -> None:
    where = await here.started(await here.built(*["slow"] * 120))
    working = asyncio.create_task(DueWorker(due_work(KINDS), here.database, here.clock).work_one())

    async def in_hand() -> bool:
        async with here.database.work() as work:
            return not (await work.session.execute(text("select id from due for update skip locked"))).all()

    await eventually(in_hand)
    assert (await here.post(f"{where}/cancel")).json()["status"] == "queued"
    await working

    assert (await here.get(where)).json() | {"status": "cancelled", "done": 50} == (await here.get(where)).json()


async def test_a_job_that_was_cancelled_before_a_worker_came_does_nothing(here: Street) -> None:
    where = await here.started(await here.built("house"))
    async with here.database.work() as in_hand:
        await in_hand.session.execute(text("select id from due for update"))
        await here.post(f"{where}/cancel")
    await here.worked()

    assert (await here.get(where)).json() | {"status": "cancelled", "done": 0} == (await here.get(where)).json()


async def test_a_chunk_that_takes_long_is_committed_as_far_as_it_has_come(here: Street, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that rights that change stop it within two seconds, and nobody waits long for what it has locked."""
    monkeypatch.setattr(running, "LONGEST_CHUNK", 0.02)
    where = await here.started(await here.built(*["slow"] * 50))
    await DueWorker(due_work(KINDS), here.database, here.clock).work_one()

    assert 0 < (await here.get(where)).json()["done"] < 50


async def test_who_may_do_it_no_longer_does_no_more_of_it(here: Street) -> None:
    where = await here.started(await here.built(*["house"] * 120))
    await DueWorker(due_work(KINDS), here.database, here.clock).work_one()

    await here.change(tables.roles, here.role, permissions=[])
    await here.worked()

    job = (await here.get(where)).json()
    assert (job["status"], job["done"], job["reason"]["code"]) == ("cancelled", 50, "not_allowed")


@pytest.mark.parametrize("taken", ["scope", "permission"])
async def test_an_api_key_that_may_do_it_no_longer_does_no_more_of_it(here: Street, taken: str) -> None:
    """MKT-17, BEY-13: whether its scope was taken, or its role's permission."""
    program = await here.a_program()
    where = await program.started(await here.built(*["house"] * 120))
    await DueWorker(due_work(KINDS), here.database, here.clock).work_one()

    if taken == "scope":
        await here.change(tables.users, program.principal.user_id, scopes=[])
    else:
        await here.change(tables.roles, here.role, permissions=[])
    await here.worked()

    job = (await program.get(where)).json()
    assert (job["status"], job["done"], job["reason"]["code"]) == ("cancelled", 50, "not_allowed")


@pytest.mark.parametrize(("column", "value"), [("status", "disabled"), ("gen", 2)])
async def test_whose_access_has_ended_does_no_more(here: Street, column: str, value: object) -> None:
    await here.started(await here.built(*["house"] * 60))
    await here.change(tables.users, here.principal.user_id, **{column: value})
    await here.worked()

    assert await here.versions() == {1: 60}
    assert [json.loads(one)["reason"] for one in await here.facts("job.finished")] == ["access_ended"]


async def test_a_job_waits_while_nobody_knows_whether_its_user_still_may(here: Street) -> None:
    """What is known of rights is younger than five seconds, or it is not gone by; nor is it where nothing has been heard yet."""
    where = await here.started(await here.built("house"))
    for age, done in ((None, 0), (timedelta(seconds=5), 0), (timedelta(seconds=1), 1)):
        here.clock.move(timedelta(seconds=10))
        async with here.database.work() as work:
            await work.session.execute(HEARD, {"at": age and here.clock.now() - age})
        await here.worked()
        assert (await here.get(where)).json()["done"] == done


async def test_what_nobody_expected_ends_the_job_and_says_where(here: Street) -> None:
    where = await here.started(await here.built("house", "haunted", "house"))
    await here.worked()

    job = (await here.get(where)).json()
    assert (job["status"], job["done"], job["reason"]["code"]) == ("failed", 1, "defect")
    assert "item 2" in job["reason"]["detail"]
    assert "ghost" not in (await here.get(where)).text
    assert await here.names() == ["haunted", "house", "house, blue"]
    async with here.database.direct() as connection:
        assert await connection.fetchval("select defect from jobs") == "LookupError: nobody expected a ghost"


async def test_an_item_that_must_wait_lets_the_job_wait_and_keeps_what_was_done(here: Street) -> None:
    chosen = await here.built("house", "wet")
    where = await here.started(chosen)
    await here.worked()
    assert (await here.get(where)).json() | {"status": "running", "done": 1} == (await here.get(where)).json()

    async with here.database.work() as work:
        await work.session.execute(text("update houses set name = 'dry' where name = 'wet'"))
    here.clock.move(timedelta(seconds=1))
    await here.worked()

    assert (await here.get(where)).json()["status"] == "done"
    assert await here.versions() == {2: 2}


async def test_what_the_world_does_to_a_chunk_is_tried_again(here: Street) -> None:
    where = await here.started(await here.built(*["house"] * 3))
    async with here.database.direct(idle_in_transaction_session_timeout="60s") as rival, rival.transaction():
        await rival.execute("select from houses order by id desc limit 1 for update")
        with capture_logs() as logged:
            await here.worked()
    assert [one["event"] for one in logged] == ["due_work_failed"]
    assert await here.versions() == {1: 3}

    here.clock.move(timedelta(seconds=1))
    await here.worked()
    assert (await here.get(where)).json()["succeeded"] == 3
    assert await here.versions() == {2: 3}


async def test_the_next_chunk_waits_while_what_was_told_is_not_out(here: Street, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "LONGEST_LAG", 1.0)
    where = await here.started(await here.built(*["house"] * 60))
    async with here.database.direct() as connection:
        await connection.execute("update outbox set created_at = clock_timestamp() - interval '1 minute'")
        await here.worked()
        assert (await here.get(where)).json()["done"] == 0

        async def it_goes_on() -> bool:
            await connection.execute("delete from outbox")
            here.clock.move(timedelta(seconds=1))
            await here.worked()
            return int((await here.get(where)).json()["done"]) == 60

        await eventually(it_goes_on, within=60)


async def test_a_job_is_seen_by_who_started_it_and_by_who_might_have_and_by_nobody_else(here: Street) -> None:
    where = await here.started(await here.built("house"))
    colleague, clerk, stranger = await here.a_user(), await here.a_user(permissions=()), await here.another_partner()

    for path in (where, f"{where}/items"):
        assert [(await one.get(path)).status_code for one in (here, colleague, clerk, stranger)] == [200, 200, 404, 404]
    for one in (clerk, stranger):
        assert (await one.post(f"{where}/cancel")).json()["code"] == "job_not_found"
    assert (await colleague.post(f"{where}/cancel")).json()["status"] == "cancelled"


async def test_an_operator_cancels_what_it_sees(here: Street) -> None:
    """BEY-13: as the partner whose job it is."""
    where = await here.started(await here.built("house"))
    operator = await here.an_operator()

    cancelled = await operator.post(f"{where}/cancel")

    assert (cancelled.status_code, cancelled.json()["status"]) == (200, "cancelled")


async def test_a_customer_that_the_user_may_not_change_is_refused_and_hidden_from_who_may_not_see_it(here: Street) -> None:
    """CUS-85: also in jobs."""
    mine, hidden, foreign = new_id(), new_id(), new_id()
    for customer in (mine, hidden):
        row = {"partner_id": here.principal.partner_id, "id": customer, "status": "active", "management_type": "co_managed", "tags": []}
        await here.put(tables.customers, **row)
    careful = await here.a_user(customers={str(hidden): "none"})
    answer = await careful.post("/v1/houses/knock", {"houses": [str(mine), str(hidden), str(foreign)]})
    where = answer.headers["location"]
    await here.worked()

    items = (await careful.get(f"{where}/items")).json()["items"]
    assert [(one["status"], (one["problem"] or {}).get("code")) for one in items] == [
        ("done", None),
        ("failed", "customer_not_found"),
        ("failed", "customer_not_found"),
    ]
    other = await here.a_user(customers={str(mine): "none"})
    assert str(mine) not in [one["id"] for one in (await other.get(f"{where}/items")).json()["items"]]


async def test_a_job_is_forgotten_thirty_days_after_its_end(here: Street) -> None:
    ended = await here.started(await here.built("house"))
    await here.worked()
    open_one = await here.started(await here.built("house"))
    here.clock.move(KEPT + timedelta(days=1))

    async with here.database.work() as work:
        assert await forget_jobs(work.session, here.clock.now()) == 1
    assert [(await here.get(where)).status_code for where in (ended, open_one)] == [404, 200]
