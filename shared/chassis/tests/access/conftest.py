"""A service that follows what customers tells, and one that plays customers, each with a database."""

from collections.abc import AsyncIterator

import pytest
from house.confirming import World, a_world

from chassis.database import DatabaseSettings
from chassis.ids import new_id
from chassis_testing.clock import FixedClock
from chassis_testing.database import _clone
from onebox.postgres import PostgresAddress


@pytest.fixture
async def world(
    fresh_database: DatabaseSettings, postgres: PostgresAddress, template: str, service_name: str, clock: FixedClock
) -> AsyncIterator[World]:
    there = await _clone(postgres, template, f"customers_{new_id().hex}", service_name)
    async with a_world(fresh_database, there, clock) as world:
        yield world
