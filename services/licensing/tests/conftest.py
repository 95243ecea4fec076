"""The tests of licensing use its own database."""

from collections.abc import AsyncIterator

import pytest

from chassis.database import ApiDatabase, WorkerDatabase
from chassis_testing.clock import FixedClock
from licensing_testing.desk import Desk, a_desk


@pytest.fixture(scope="session")
def service_name() -> str:
    return "licensing"


@pytest.fixture
async def desk(api_database: ApiDatabase, worker_database: WorkerDatabase, clock: FixedClock) -> AsyncIterator[Desk]:
    """A partner administrator before the service, everything committed."""
    async with a_desk(api_database, worker_database, clock) as desk:
        yield desk
