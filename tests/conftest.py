"""Tests across services run on the whole suite: every service, PostgreSQL and Kafka as processes, entered through the gateway.

Their own modules are found beside them.
"""

import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from journeys.collector import Collector, collecting

from onebox.suite import Suite, running_suite


@pytest.fixture(scope="session")
def collector() -> Iterator[Collector]:
    """Where the suite sends its traces: a third of them."""
    with collecting() as collector, pytest.MonkeyPatch.context() as environment:
        environment.setenv("PARTNERDECK_TRACES_URL", collector.url)
        environment.setenv("PARTNERDECK_TRACES_SHARE", "0.3")
        yield collector


@pytest.fixture(scope="session")
async def suite(tmp_path_factory: pytest.TempPathFactory, collector: Collector) -> AsyncIterator[Suite]:
    """Started once for all journeys; the test that kills a process waits until it is back."""
    del collector
    home: Path = tmp_path_factory.mktemp("suite")
    async with running_suite(home) as suite:
        yield suite
