"""The principals, assembled once for all that is asked of them."""

from collections.abc import AsyncIterator

import httpx
import pytest

from authorisation.principals import Cast, assemble
from onebox.suite import Suite


@pytest.fixture(scope="session")
async def http(suite: Suite) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=suite.gateway, timeout=60) as client:
        yield client


@pytest.fixture(scope="session")
async def cast(suite: Suite, http: httpx.AsyncClient) -> Cast:
    return await assemble(suite, http)
