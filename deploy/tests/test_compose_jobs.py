"""The jobs of docker-compose.yml do their work on a real PostgreSQL, as often as they are run (BEY-16)."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest
from compose_file import CONTAINERS, ROOT, SERVICES

from onebox.postgres import PostgresAddress, connect
from onebox.stack import running_postgres

JOBS = ("migrate-customers", "bootstrap", "screening")


@pytest.fixture(scope="module")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("secrets")
    by_path("fresh_secrets", folder)
    return folder


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, secrets: Path) -> Iterator[PostgresAddress]:
    """A server of its own, because roles and their passwords belong to a whole server."""
    with running_postgres(tmp_path_factory.mktemp("server")) as running:
        (secrets / "postgres/superuser").chmod(0o600)
        (secrets / "postgres/superuser").write_text(running.address.password)
        by_path("databases", ROOT / "deploy/postgres", secrets, PGHOST=running.address.host, PGPORT=str(running.address.port))
        yield running.address


def by_path(name: str, *arguments: Path, **told: str) -> None:
    run([str(ROOT / f"deploy/compose/{name}.py"), *map(str, arguments)], told)


def run(arguments: list[str], told: dict[str, str]) -> None:
    subprocess.run([sys.executable, *arguments], check=True, env=os.environ | told, timeout=120)  # noqa: S603 - this interpreter


def test_secrets_are_made_once_and_stay(secrets: Path) -> None:
    files = sorted(file for file in secrets.rglob("*") if file.is_file())
    before = {file: file.read_bytes() for file in files}

    by_path("fresh_secrets", secrets)

    assert {file: file.read_bytes() for file in secrets.rglob("*") if file.is_file()} == before
    for shared, by in (("link_key", "notifications"), ("console_key", "console")):
        assert (secrets / "customers" / shared).read_text() == (secrets / by / shared).read_text()
    others = [content for file, content in before.items() if file.name not in {"link_key", "console_key"}]
    of_one = ("superuser", "operator", "billing", "signing key", "sealing keys")
    assert len(set(others)) == len(others) == 4 * len(("worker", "api", "owner")) + len(of_one)


async def test_every_login_enters_its_own_database_and_no_other(server: PostgresAddress, secrets: Path) -> None:
    by_path("databases", ROOT / "deploy/postgres", secrets, PGHOST=server.host, PGPORT=str(server.port))

    for service in SERVICES:
        password = (secrets / service / "api").read_text()
        login = {"host": server.host, "port": server.port, "user": f"{service}_api", "password": password}
        await (await asyncpg.connect(database=service, **login)).close()
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await asyncpg.connect(database="billing", **login)


async def test_the_jobs_fill_a_fresh_installation_and_change_nothing_the_second_time(server: PostgresAddress, secrets: Path) -> None:
    for job in JOBS * 2:
        container = CONTAINERS[job]
        told = container.told(secrets) | {"CUSTOMERS_DATABASE_HOST": server.host, "CUSTOMERS_DATABASE_PORT": str(server.port)}
        run(["-m", *container.command(secrets)], told)

    connection = await connect(server, "customers")
    try:
        assert await connection.fetchval("select count(*) from users where kind = 'operator'") == 1
    finally:
        await connection.close()
