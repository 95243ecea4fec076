"""Every history of migrations is one straight line, numbered without a gap, so that the newest file names the head."""

from importlib import import_module
from pathlib import Path

import pytest
from alembic.script import ScriptDirectory

from chassis.database.heads import head

HISTORIES = ("chassis", "customers", "licensing", "reporting", "notifications")


@pytest.fixture(params=HISTORIES)
def migrations(request: pytest.FixtureRequest) -> Path:
    module = import_module(request.param)
    return Path(str(module.__file__)).parent / "migrations"


def test_the_newest_file_names_the_head_that_alembic_finds(migrations: Path) -> None:
    assert ScriptDirectory(str(migrations)).get_current_head() == head(migrations)


def test_revisions_are_numbered_in_the_order_in_which_they_are_applied(migrations: Path) -> None:
    applied = [each.revision for each in ScriptDirectory(str(migrations)).walk_revisions()][::-1]
    assert [int(number) for number in applied] == list(range(1, len(applied) + 1))


def test_a_file_is_named_after_its_revision(migrations: Path) -> None:
    for each in ScriptDirectory(str(migrations)).walk_revisions():
        assert Path(each.path).name.startswith(f"{each.revision}_")


def test_a_newer_file_is_a_newer_head(tmp_path: Path) -> None:
    versions = tmp_path / "versions"
    versions.mkdir()
    for name in ("0009_before.py", "0010_after.py", "notes.py"):
        (versions / name).touch()
    assert head(tmp_path) == "0010"
