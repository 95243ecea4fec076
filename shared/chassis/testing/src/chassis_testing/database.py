"""Databases for tests: real, migrated once, cloned per worker, and left as they were found.

A feature test works in ``tx``, one partner's transaction under the partner's own role and
policies, which is always undone. A rival or rails test commits, in ``fresh_database``.
"""

import fcntl
import importlib
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import asyncpg
import pytest
from pydantic import SecretStr
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession, create_async_engine

from chassis.database import ApiDatabase, DatabaseSettings, Read, Transaction, Work, WorkerDatabase
from chassis.database.api import ENTER, entry
from chassis.database.migrate import migrate
from chassis.database.settings import Login
from chassis.database.transaction import Origin
from chassis.ids import new_id
from chassis.principal import Principal
from chassis_testing.clock import FixedClock
from chassis_testing.stack import Stack
from onebox import postgres as server
from onebox.postgres import PostgresAddress

_PASSWORD: Final = "only-for-tests"


@pytest.fixture(scope="session")
def service_name() -> str:
    """Whose database the tests of a folder use; its conftest says so."""
    raise LookupError("override the fixture service_name in this folder's conftest.py")


@pytest.fixture
def service_migrations(service_name: str) -> Path | None:
    """The service's own migrations, after the chassis'."""
    module = importlib.import_module(service_name)
    return Path(str(module.__file__)).parent / "migrations"


class Databases:
    """What this worker has made so far, by service: pytest keeps one value per session fixture, whichever folder asks."""

    def __init__(self, folder: Path, postgres: PostgresAddress, worker_id: str) -> None:
        self._folder = folder
        self._postgres = postgres
        self._worker_id = worker_id
        self._clones: dict[str, DatabaseSettings] = {}
        self._engines: dict[tuple[str, Login], AsyncEngine] = {}

    async def template(self, service: str, migrations: Path | None) -> str:
        name = f"template_{service}_{migrations.parent.name if migrations else 'rails'}"
        done = self._folder / f"{name}.done"
        with _exclusively(self._folder / "templates.lock"):
            if not done.exists():
                await server.prepare_roles(self._postgres, dict.fromkeys(server.LOGINS, _PASSWORD))
                await _create(self._postgres, name, service)
                await migrate(_settings(self._postgres, service, name), migrations)
                done.touch()
        return name

    async def clone(self, template: str, service: str) -> DatabaseSettings:
        if template not in self._clones:
            name = f"{template.removeprefix('template_')}_{self._worker_id}"
            self._clones[template] = await _clone(self._postgres, template, name, service)
        return self._clones[template]

    def engine(self, database: DatabaseSettings, login: Login) -> AsyncEngine:
        key = (database.name, login)
        if key not in self._engines:
            self._engines[key] = create_async_engine(database.url(login))
        return self._engines[key]

    async def close(self) -> None:
        for engine in self._engines.values():
            await engine.dispose()


@pytest.fixture(scope="session")
async def made_databases(stack: Stack, postgres: PostgresAddress, worker_id: str) -> AsyncIterator[Databases]:
    made = Databases(stack.folder, postgres, worker_id)
    yield made
    await made.close()


@pytest.fixture
async def template(made_databases: Databases, service_name: str, service_migrations: Path | None) -> str:
    """A migrated database that nobody connects to; made once per run, by the first worker that needs it."""
    return await made_databases.template(service_name, service_migrations)


@pytest.fixture
async def service_database(made_databases: Databases, template: str, service_name: str) -> DatabaseSettings:
    """The clone of one worker, shared by tests that undo what they do."""
    return await made_databases.clone(template, service_name)


@pytest.fixture
async def fresh_database(postgres: PostgresAddress, template: str, service_name: str) -> DatabaseSettings:
    """A clone for one test that commits."""
    return await _clone(postgres, template, f"{service_name}_{new_id().hex}", service_name)


@pytest.fixture
async def another_database(postgres: PostgresAddress, template: str, service_name: str) -> DatabaseSettings:
    """A second one for the same test: another installation's."""
    return await _clone(postgres, template, f"{service_name}_{new_id().hex}", service_name)


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock()


@pytest.fixture
async def api_database(fresh_database: DatabaseSettings, clock: FixedClock) -> AsyncIterator[ApiDatabase]:
    database = ApiDatabase(fresh_database, clock)
    await database.open()
    yield database
    await database.close()


@pytest.fixture
async def worker_database(fresh_database: DatabaseSettings, clock: FixedClock) -> AsyncIterator[WorkerDatabase]:
    database = WorkerDatabase(fresh_database, clock)
    await database.open()
    yield database
    await database.close()


@pytest.fixture
def api_engine(made_databases: Databases, service_database: DatabaseSettings) -> AsyncEngine:
    return made_databases.engine(service_database, "api")


@pytest.fixture
def worker_engine(made_databases: Databases, service_database: DatabaseSettings) -> AsyncEngine:
    return made_databases.engine(service_database, "worker")


@pytest.fixture
def principal() -> Principal:
    """A user of the partner whose transaction ``tx`` is."""
    return Principal(kind="partner", user_id=new_id(), partner_id=new_id(), gen=1)


@pytest.fixture
async def tx(api_engine: AsyncEngine, principal: Principal, service_name: str, clock: FixedClock) -> AsyncIterator[Transaction]:
    """A transaction of one partner, under its role and policies; always undone."""
    async with _undone(api_engine) as session:
        await session.execute(ENTER, entry(service_name, principal))
        yield _transaction(session, principal, service_name, clock)


@pytest.fixture
async def work(worker_engine: AsyncEngine, service_name: str, clock: FixedClock) -> AsyncIterator[Work]:
    """A worker's unit of work; always undone."""
    async with _undone(worker_engine) as session:
        yield Work(session, service=service_name, clock=clock)


@asynccontextmanager
async def as_stranger(tx: Transaction) -> AsyncIterator[Transaction]:
    """The same database seen by a user of another partner, for a while."""
    stranger = Principal(kind="partner", user_id=new_id(), partner_id=new_id(), gen=1)
    await tx.session.flush()
    await _become(tx.session, stranger.partner_id)
    try:
        yield Transaction(tx.session, partner_id=stranger.partner_id, now=tx.now, origin=_origin("stranger", tx.now), principal=stranger)
    finally:
        tx.session.expire_all()
        await _become(tx.session, tx.partner_id)


async def reading(tx: Transaction) -> Read:
    """What the partner of ``tx`` reads now, through its views, including what ``tx`` has not committed."""
    await tx.session.flush()
    connection = await tx.session.connection()
    raw = (await connection.get_raw_connection()).driver_connection
    assert isinstance(raw, asyncpg.Connection)
    principal = tx.principal or Principal(kind="partner", user_id=new_id(), partner_id=tx.partner_id, gen=1)
    return Read(raw, role="partner", principal=principal, now=tx.now)


@asynccontextmanager
async def _undone(engine: AsyncEngine) -> AsyncIterator[AsyncSession]:
    async with engine.connect() as connection:
        await _begin(connection)
        async with AsyncSession(connection, expire_on_commit=False, join_transaction_mode="create_savepoint") as session:
            yield session
        await connection.rollback()


async def _begin(connection: AsyncConnection) -> None:
    await connection.begin()


async def _become(session: AsyncSession, partner_id: UUID) -> None:
    await session.execute(
        text("select set_config('app.partner', :partner, true), set_config('app.actor', :partner, true)"), {"partner": str(partner_id)}
    )


def _transaction(session: AsyncSession, principal: Principal, service: str, clock: FixedClock) -> Transaction:
    return Transaction(session, partner_id=principal.tenant, now=clock.now(), origin=_origin(service, clock.now()), principal=principal)


def _origin(service: str, now: Any) -> Origin:
    return Origin(source=f"/{service}", real_now=now)


def _settings(postgres: PostgresAddress, service: str, database: str) -> DatabaseSettings:
    logins: tuple[Login, ...] = ("owner", "worker", "api")
    passwords = {login: SecretStr(_PASSWORD) for login in logins}
    return DatabaseSettings(service=service, host=postgres.host, port=postgres.port, name=database, passwords=passwords)


async def _create(postgres: PostgresAddress, name: str, service: str, template: str = "template0") -> None:
    """Anew where an earlier run over the same, kept server left one."""
    connection = await server.connect(postgres)
    try:
        await connection.execute(f'drop database if exists "{name}" with (force)')
        await connection.execute(f'create database "{name}" template "{template}" owner "{service}_owner"')
    finally:
        await connection.close()
    await server.prepare_database(postgres, name, service)


async def _clone(postgres: PostgresAddress, template: str, name: str, service: str) -> DatabaseSettings:
    await _create(postgres, name, service, template)
    return _settings(postgres, service, name)


@contextmanager
def _exclusively(path: Path) -> Iterator[None]:
    with path.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
