"""The chassis is tested with a small service of its own, in the name of licensing."""

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def service_name() -> str:
    return "licensing"


@pytest.fixture(scope="session")
def service_migrations() -> Path:
    return Path(__file__).parent / "house" / "migrations"
