"""Journeys run on the whole suite: every service, PostgreSQL and Kafka as processes, entered through the gateway."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest

from journeys.collector import Collector, collecting
from journeys.world import World
from onebox import people
from onebox.api import Api
from onebox.people import NORTHWIND
from onebox.suite import Suite, running_suite


@pytest.fixture(scope="session")
def collector() -> Iterator[Collector]:
    """Where the suite sends its traces: few, but those that a test asks for."""
    with collecting() as collector, pytest.MonkeyPatch.context() as environment:
        environment.setenv("PARTNERDECK_TRACES_URL", collector.url)
        environment.setenv("PARTNERDECK_TRACES_SHARE", "0.0001")
        yield collector


@pytest.fixture(scope="session")
async def suite(tmp_path_factory: pytest.TempPathFactory, collector: Collector) -> AsyncIterator[Suite]:
    """Started once for all journeys; the test that kills a process waits until it is back."""
    del collector
    home: Path = tmp_path_factory.mktemp("suite")
    async with running_suite(home) as suite:
        yield suite


@pytest.fixture(scope="session")
async def world(suite: Suite) -> AsyncIterator[World]:
    """A partner with an activated programme, signed in."""
    async with httpx.AsyncClient(base_url=suite.gateway, timeout=30) as http:
        operator = await Api(http).signed_in(*suite.operator)
        await operator.post("/v1/partners", **NORTHWIND.body())
        partner = await Api(http).signed_in(NORTHWIND.email, people.PASSWORD)
        programme = await partner.post("/v1/programmes", serial_number=NORTHWIND.serial_number)
        await partner.post(f"/v1/programmes/{programme['id']}/activate", if_match=programme["version"])
        yield World(suite=suite, http=http, operator=operator)
