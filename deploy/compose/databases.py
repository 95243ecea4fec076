# ruff: noqa: INP001 - run by its path, in a container
"""Roles, their passwords, databases and who may enter them: ``python databases.py SQL SECRETS``, where ``PGHOST`` (and ``PGPORT``) say.

The SQL is that of deploy/postgres, which every way of running Partnerdeck shares. Running it again changes nothing.
"""

import asyncio
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import asyncpg

SERVICES: Final = ("customers", "licensing", "reporting", "notifications")


async def prepare(sql: Path, secrets: Path) -> None:
    superuser = _read(secrets / "postgres/superuser")
    server = await asyncpg.connect(user="postgres", password=superuser, database="postgres", timeout=10)
    try:
        await server.execute(_read(sql / "roles.sql"))
        for login, password in _passwords(secrets):
            await server.execute(await server.fetchval("select format('alter role %I password %L', $1::text, $2::text)", login, password))
        databases = dict(_databases(sql))
        there = {row["datname"] for row in await server.fetch("select datname from pg_database")}
        for name in databases.keys() - there:
            await server.execute(databases[name])
    finally:
        await server.close()
    for name in databases:
        database = await asyncpg.connect(user="postgres", password=superuser, database=name, timeout=10)
        try:
            await database.execute(_read(sql / "database.sql"))
        finally:
            await database.close()


def _passwords(secrets: Path) -> Iterator[tuple[str, str]]:
    """Every login role with its password."""
    for service in SERVICES:
        yield f"{service}_owner", _read(secrets / "owners" / service)
        yield f"{service}_worker", _read(secrets / service / "worker")
        yield f"{service}_api", _read(secrets / service / "api")
    yield "billing", _read(secrets / "billing/database")


def _databases(sql: Path) -> Iterator[tuple[str, str]]:
    """Every database with the statement that makes it."""
    for line in _read(sql / "databases.sql").splitlines():
        if line.startswith("create database"):
            yield line.split()[2], line


def _read(file: Path) -> str:
    return file.read_text(encoding="utf-8")


if __name__ == "__main__":
    asyncio.run(prepare(*map(Path, sys.argv[1:])))
