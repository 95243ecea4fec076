"""The gateway's tests stand on a stage: the gateway and four services on real ports."""

import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from gateway_stage import Stage, a_stage


@pytest.fixture(scope="session")
async def standing_stage() -> AsyncIterator[Stage]:
    async with a_stage() as made:
        yield made


@pytest.fixture
def stage(standing_stage: Stage) -> Stage:
    """The stage of the whole run, as if nobody had played on it. A test that stops a service asks for ``fresh_stage``."""
    for service in standing_stage.services.values():
        service.reset()
    return standing_stage


@pytest.fixture
async def fresh_stage() -> AsyncIterator[Stage]:
    async with a_stage() as made:
        yield made
