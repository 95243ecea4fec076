"""Bringing a service's schema up: the chassis' tables first, then the service's own.

Two histories in one database, each with a version table of its own, run by the owner under a
lock, so that two replicas that start together do it once. Each revision is a transaction. The
service goes on meanwhile: a statement that waits for a table makes everybody behind it wait,
so it waits for a second, lets them pass, and tries again.
"""

import asyncio
import time
from pathlib import Path
from typing import Any, Final

import structlog
from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from chassis.database.heads import CHASSIS, HISTORIES
from chassis.database.locks import Lock
from chassis.database.settings import DatabaseSettings

log = structlog.get_logger()

PATIENCE: Final = 300.0
_WAITS_FOR_LOCKS: Final = "1s"
_LETS_PASS: Final = 2.0
_LOCKED: Final = frozenset({"55P03", "40P01"})


class SchemaBusy(Exception):
    """Somebody held a table, or migrated, for as long as there was patience."""


async def migrate(settings: DatabaseSettings, migrations: Path | None, *, patience: float = PATIENCE) -> None:
    """Upgrade to the newest schema. Doing it twice changes nothing. ``patience`` in seconds.

    Raises:
        SchemaBusy: what was done so far stays, and the next attempt goes on from there.
    """
    deadline = time.monotonic() + patience
    engine = create_async_engine(settings.url("owner"), connect_args={"server_settings": {"lock_timeout": _WAITS_FOR_LOCKS}})
    try:
        async with engine.connect() as connection:
            await _alone(connection, deadline)
            await _patiently(connection, deadline, CHASSIS, HISTORIES[0], settings.service)
            if migrations is not None:
                await _patiently(connection, deadline, migrations, HISTORIES[1], settings.service)
    finally:
        await engine.dispose()


async def _alone(connection: AsyncConnection, deadline: float) -> None:
    while not (await connection.execute(text("select pg_try_advisory_lock(:lock)"), {"lock": Lock.MIGRATING})).scalar_one():
        await connection.commit()
        await _pause(deadline, "another process migrates")
    await connection.commit()


async def _patiently(connection: AsyncConnection, deadline: float, directory: Path, version_table: str, service: str) -> None:
    while True:
        try:
            await connection.run_sync(_upgrade, directory, version_table, service)
        except DBAPIError as failure:
            if getattr(failure.orig, "sqlstate", None) not in _LOCKED:
                raise
            await connection.rollback()
            await _pause(deadline, str(failure.orig))
        else:
            return


async def _pause(deadline: float, reason: str) -> None:
    if time.monotonic() >= deadline:
        raise SchemaBusy(reason)
    log.info("migration_waits", reason=reason)
    await asyncio.sleep(_LETS_PASS)


def _scripts(directory: Path) -> ScriptDirectory:
    config = Config()
    config.set_main_option("script_location", str(directory))
    config.set_main_option("path_separator", "os")
    return ScriptDirectory.from_config(config)


def _upgrade(connection: Connection, directory: Path, version_table: str, service: str) -> None:
    scripts = _scripts(directory)
    config = Config(attributes={"service": service})

    def up(revision: Any, _context: Any) -> Any:
        return scripts._upgrade_revs("head", revision)  # noqa: SLF001 (as alembic.command.upgrade does)

    with EnvironmentContext(config, scripts, fn=up) as environment:
        environment.configure(connection=connection, version_table=version_table, service=service, transaction_per_migration=True)
        with environment.begin_transaction():
            environment.run_migrations()
    connection.execute(text(f"grant select on {version_table} to {service}_worker, {service}_api"))
    connection.commit()
