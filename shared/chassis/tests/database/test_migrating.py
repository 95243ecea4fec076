"""A schema is brought up while the service goes on, once, whoever else tries."""

import asyncio
from pathlib import Path

import pytest
from house.houses import House
from sqlalchemy import text

from chassis.database import ApiDatabase, DatabaseSettings, WorkerDatabase
from chassis.database.migrate import SchemaBusy, migrate
from chassis.ids import new_id
from chassis.principal import Principal
from chassis_testing.waiting import eventually
from onebox import postgres as server
from onebox.postgres import PostgresAddress

HOUSES = Path(__file__).parent.parent / "house" / "migrations"
ROOFS = """
import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("houses", sa.Column("roof", sa.Text))
"""


@pytest.fixture
def with_roofs(tmp_path: Path) -> Path:
    """The houses' migrations and one more."""
    migrations = tmp_path / "migrations"
    (migrations / "versions").mkdir(parents=True)
    (migrations / "env.py").write_text((HOUSES / "env.py").read_text())
    (migrations / "versions" / "0001_houses.py").write_text((HOUSES / "versions" / "0001_houses.py").read_text())
    (migrations / "versions" / "0002_roofs.py").write_text(ROOFS)
    return migrations


async def has_roofs(database: WorkerDatabase) -> bool:
    async with database.direct() as connection:
        return bool(await connection.fetchval("select true from pg_attribute where attrelid = 'houses'::regclass and attname = 'roof'"))


async def test_writers_pass_a_migration_that_waits_for_a_long_reader(
    fresh_database: DatabaseSettings,
    api_database: ApiDatabase,
    worker_database: WorkerDatabase,
    postgres: PostgresAddress,
    with_roofs: Path,
) -> None:
    watcher = await server.connect(postgres, fresh_database.name)
    waiting = "select count(*) from pg_stat_activity where usename = $1 and wait_event_type = 'Lock' and datname = current_database()"

    async def it_waits() -> bool:
        return bool(await watcher.fetchval(waiting, fresh_database.user("owner")))

    async def write() -> None:
        async with api_database.change(Principal(kind="partner", user_id=new_id(), partner_id=new_id(), gen=1)) as tx:
            tx.session.add(House(partner_id=tx.partner_id, id=tx.new_id(), customer_id=tx.new_id(), name="Villa"))

    async with worker_database.direct() as reader, reader.transaction():
        await reader.fetch("select * from houses")
        migrating = asyncio.create_task(migrate(fresh_database, with_roofs))
        for _ in range(3):
            await eventually(it_waits)
            await write()
        assert not migrating.done()
        assert not await has_roofs(worker_database)
    await migrating

    assert await has_roofs(worker_database)
    await watcher.close()


async def test_a_reader_that_never_ends_is_named_and_the_next_attempt_goes_on(
    fresh_database: DatabaseSettings, worker_database: WorkerDatabase, with_roofs: Path
) -> None:
    async with worker_database.direct() as reader, reader.transaction():
        await reader.fetch("select * from houses")
        with pytest.raises(SchemaBusy, match="lock timeout"):
            await migrate(fresh_database, with_roofs, patience=0)

    await migrate(fresh_database, with_roofs, patience=0)
    assert await has_roofs(worker_database)


async def test_two_that_start_together_do_it_once(
    fresh_database: DatabaseSettings, worker_database: WorkerDatabase, with_roofs: Path
) -> None:
    await asyncio.gather(*(migrate(fresh_database, with_roofs) for _ in range(3)))

    assert await has_roofs(worker_database)
    async with worker_database.work() as work:
        assert (await work.session.execute(text("select version_num from service_version"))).scalar_one() == "0002"
