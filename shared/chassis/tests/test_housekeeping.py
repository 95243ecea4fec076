"""What may not be kept for ever is forgotten: answers under idempotency keys after 48 hours."""

from datetime import timedelta

from chassis.database import WorkerDatabase
from chassis.housekeeping import Housekeeping
from chassis_testing.clock import FixedClock

PUT = """
insert into idempotency_keys (partner_id, user_id, key, fingerprint, status, headers, body, created_at)
values (gen_random_uuid(), gen_random_uuid(), $1, 'x', 201, '[]', 'Ada Lovelace', $2)
"""


async def test_an_answer_is_kept_for_two_days_and_no_longer(worker_database: WorkerDatabase, clock: FixedClock) -> None:
    async with worker_database.direct() as connection:
        for key, hours in (("old", 49), ("young", 47)):
            await connection.execute(PUT, key, clock.now() - timedelta(hours=hours))

    await Housekeeping(worker_database, clock).look()

    async with worker_database.direct() as connection:
        assert [row["key"] for row in await connection.fetch("select key from idempotency_keys")] == ["young"]
