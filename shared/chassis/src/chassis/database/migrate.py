"""Bringing a service's schema up: the chassis' tables first, then the service's own.

Two histories in one database, each with a version table of its own, run by the owner under a
lock, so that two replicas that start together do it once.
"""

from pathlib import Path
from typing import Any, Final

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine

from chassis.database.heads import CHASSIS, HISTORIES
from chassis.database.settings import DatabaseSettings

_LOCK: Final = 7_041_776


async def migrate(settings: DatabaseSettings, migrations: Path | None) -> None:
    """Upgrade to the newest schema. Doing it twice changes nothing."""
    engine = create_async_engine(settings.url("owner"))
    try:
        async with engine.connect() as connection:
            await connection.execute(text("select pg_advisory_lock(:lock)"), {"lock": _LOCK})
            await connection.commit()
            await connection.run_sync(_upgrade, CHASSIS, HISTORIES[0], settings.service)
            if migrations is not None:
                await connection.run_sync(_upgrade, migrations, HISTORIES[1], settings.service)
    finally:
        await engine.dispose()


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
        environment.configure(connection=connection, version_table=version_table, service=service)
        with environment.begin_transaction():
            environment.run_migrations()
    connection.execute(text(f"grant select on {version_table} to {service}_worker, {service}_api"))
    connection.commit()
