"""What is due and what is parked is shown in figures, by kind, and no longer when it is gone."""

from datetime import timedelta

from house.consuming import Log, building

from chassis import due
from chassis.backlogs import Backlogs
from chassis.consumers import Consumer
from chassis.consumers.batches import Batches
from chassis.database import ApiDatabase, WorkerDatabase
from chassis.ids import new_id
from chassis.metrics import exposition
from chassis.principal import Principal
from chassis_testing.clock import FixedClock


def shown() -> set[str]:
    return {line for line in exposition().decode().splitlines() if line.startswith(("due_", "consumer_parked"))}


async def test_backlogs_are_shown_while_they_last(
    api_database: ApiDatabase, worker_database: WorkerDatabase, clock: FixedClock, principal: Principal
) -> None:
    async with api_database.change(principal) as tx:
        for slot, ago in (("late", 90), ("later", 60), ("in time", -60)):
            await due.plan(tx, "house.build", new_id(), slot=slot, at=clock.now() - timedelta(seconds=ago))
    await Batches(worker_database, Consumer(group="houses", handlers=[building]), prefix="").apply([Log().built("no garden")])
    backlogs = Backlogs(worker_database, clock)

    await backlogs.look()
    assert shown() == {
        'due_backlog_items{kind="house.build"} 2.0',
        'due_failing_items{kind="house.build"} 0.0',
        'due_oldest_seconds{kind="house.build"} 90.0',
        'consumer_parked_records{consumer="houses",standing="parked"} 1.0',
    }

    async with worker_database.direct() as connection:
        await connection.execute("delete from due; delete from parked")
    await backlogs.look()
    assert shown() == set()
