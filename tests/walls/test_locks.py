"""Advisory locks share one space of numbers: each number has one meaning, and stands in one place."""

import re
from pathlib import Path

import pytest

from chassis.database.locks import Lock

ROOT = Path(__file__).parents[2]
BARE = re.compile(r"pg_\w*advisory\w*\(\s*(?P<number>\d[\d_]*)", re.IGNORECASE)
MIGRATIONS = {path: path.read_text() for path in ROOT.glob("*/*/src/*/migrations/versions/*.py")}
SOURCES = [*ROOT.glob("shared/*/src/**/*.py"), *ROOT.glob("services/*/src/**/*.py"), *ROOT.glob("deploy/*/src/**/*.py")]


def test_no_two_locks_have_one_number() -> None:
    assert len({lock.value for lock in Lock.__members__.values()}) == len(Lock.__members__)


def test_numbers_stand_in_one_module_and_otherwise_only_in_migrations() -> None:
    bare = {str(path.relative_to(ROOT)) for path in SOURCES if path not in MIGRATIONS and BARE.search(path.read_text())}

    assert bare == set()


def test_what_a_migration_locks_is_the_lock_that_it_means() -> None:
    locked = {int(found["number"]) for text in MIGRATIONS.values() for found in BARE.finditer(text)}

    assert locked == {Lock.BELL}


@pytest.mark.parametrize("planted", ["select pg_advisory_xact_lock(7041777)", "PG_TRY_ADVISORY_LOCK_SHARED( 7_041_777 )"])
def test_a_bare_number_is_seen(planted: str) -> None:
    assert BARE.search(planted)
