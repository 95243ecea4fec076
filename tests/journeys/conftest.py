"""Journeys are made by a partner with customers, through the gateway of the whole suite."""

from collections.abc import AsyncIterator

import httpx
import pytest

from journeys.world import World
from onebox import people
from onebox.api import Api
from onebox.people import NORTHWIND
from onebox.suite import Suite


@pytest.fixture(scope="session")
async def doorway(suite: Suite) -> AsyncIterator[httpx.AsyncClient]:
    """The way in, behind which there is a partner with an activated programme."""
    async with httpx.AsyncClient(base_url=suite.gateway, timeout=30) as http:
        operator = await Api(http).signed_in(*suite.operator)
        await operator.post("/v1/partners", **NORTHWIND.body())
        partner = await Api(http).signed_in(NORTHWIND.email, people.PASSWORD)
        programme = await partner.post("/v1/programmes", serial_number=NORTHWIND.serial_number)
        await partner.post(f"/v1/programmes/{programme['id']}/activate", if_match=programme["version"])
        yield http


@pytest.fixture
async def world(suite: Suite, doorway: httpx.AsyncClient) -> World:
    """The operator is signed in anew for each journey: a token is good for five minutes."""
    return World(suite=suite, http=doorway, operator=await Api(doorway).signed_in(*suite.operator))
