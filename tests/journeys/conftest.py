"""Journeys are made by a partner with customers, through the gateway of the whole suite."""

from collections.abc import AsyncIterator

import httpx
import pytest

from journeys.world import World
from onebox.people import NORTHWIND
from onebox.suite import Suite


@pytest.fixture(scope="session")
async def world(suite: Suite) -> AsyncIterator[World]:
    """A partner with an activated programme."""
    async with httpx.AsyncClient(base_url=suite.gateway, timeout=30) as http:
        world = World(suite=suite, http=http)
        await (await world.operator()).post("/v1/partners", **NORTHWIND.body())
        partner = await world.partner()
        programme = await partner.post("/v1/programmes", serial_number=NORTHWIND.serial_number)
        await partner.post(f"/v1/programmes/{programme['id']}/activate", if_match=programme["version"])
        yield world
