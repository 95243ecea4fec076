"""A worker is killed in the middle of a job, again and again: the next one goes on at the first item that was not committed (BEY-13)."""

import asyncio
import json
import os
import sys
from pathlib import Path

from house.painting import Street, street
from sqlalchemy import text

from chassis.database import ApiDatabase, WorkerDatabase
from chassis_testing.clock import FixedClock
from chassis_testing.waiting import eventually

HERE = Path(__file__).parent.parent
ITEMS = 1_000


async def a_worker(database: WorkerDatabase) -> asyncio.subprocess.Process:
    settings = database.settings
    told = {
        "database": {"service": settings.service, "host": settings.host, "port": settings.port, "name": settings.name},
        "password": settings.password("worker"),
    }
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "house.job_process", json.dumps(told), env=os.environ | {"PYTHONPATH": str(HERE)}
    )


async def test_no_item_is_done_twice_and_none_left_out_however_often_its_worker_is_killed(
    api_database: ApiDatabase, worker_database: WorkerDatabase, clock: FixedClock
) -> None:
    async with street(api_database, worker_database, clock) as here:
        chosen = await here.built(*["slow"] * (ITEMS - 1), "listed")
        where = await here.started(chosen)
        for part in (0.1, 0.3, 0.6):
            await killed_after(here, where, int(ITEMS * part))
        last = await a_worker(worker_database)
        try:
            await eventually(lambda: done(here, where, ITEMS), within=90)
        finally:
            last.terminate()
            await last.wait()

        job = (await here.get(where)).json()
        assert job | {"status": "done", "succeeded": ITEMS - 1, "failed": 1} == job
        assert await here.versions() == {2: ITEMS - 1, 1: 1}
        assert len(await here.facts("house.built")) == ITEMS + ITEMS - 1
        assert len(await here.facts("job.finished")) == 1
        async with worker_database.work() as work:
            outcomes = await work.session.execute(text("select status, count(*) from job_items group by status"))
            assert dict(map(tuple, outcomes)) == {"done": ITEMS - 1, "failed": 1}


async def killed_after(here: Street, where: str, items: int) -> None:
    """A worker that is killed while it is doing items beyond these."""
    process = await a_worker(here.database)
    await eventually(lambda: done(here, where, items), within=60, every=0.01)
    process.kill()
    await process.wait()


async def done(here: Street, where: str, items: int) -> bool:
    return int((await here.get(where)).json()["done"]) >= items
