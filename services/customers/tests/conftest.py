"""The database of customers, and what the whole installation knows: offers and denied parties."""

from collections.abc import AsyncIterator

import pytest

from chassis.clock import SystemClock
from chassis.database import DatabaseSettings, WorkerDatabase
from chassis_testing.clock import FixedClock
from customers_testing.builders import the_known_world
from customers_testing.http import Web, running


@pytest.fixture(scope="session")
def service_name() -> str:
    return "customers"


_filled = set[str]()


@pytest.fixture
async def service_database(service_database: DatabaseSettings) -> DatabaseSettings:
    """Filled once per worker: shared tables are no partner's to write."""
    if service_database.name not in _filled:
        database = WorkerDatabase(service_database, SystemClock())
        async with database.work() as work:
            await the_known_world(work)
        await database.close()
        _filled.add(service_database.name)
    return service_database


@pytest.fixture
async def web(fresh_database: DatabaseSettings, clock: FixedClock) -> AsyncIterator[Web]:
    """The whole service over HTTP, nobody signed in."""
    async with running(fresh_database, clock) as nobody:
        yield nobody
