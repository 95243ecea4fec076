"""The tests of licensing use its own database."""

import pytest


@pytest.fixture(scope="session")
def service_name() -> str:
    return "licensing"
