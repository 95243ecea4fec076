"""The reporting service's tests use its own database, and tell it what the other services would."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(scope="session")
def service_name() -> str:
    return "reporting"
