"""The chassis is tested with a small service of its own, houses, in the name of licensing."""

import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))


@pytest.fixture(scope="session")
def service_name() -> str:
    return "licensing"


@pytest.fixture(scope="session")
def service_migrations() -> Path:
    return HERE / "house" / "migrations"
