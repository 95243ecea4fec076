"""A PostgreSQL of its own with a disk so small that it can be filled: a tablespace on a file system in memory, seen by it alone."""

import secrets
import shutil
import signal
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import pytest

from onebox import postgres as server
from onebox.ports import free_ports
from onebox.postgres import PostgresAddress
from onebox.processes import spawn, stop

SIZE = "96m"
_MOUNTING = 'mount -t tmpfs -o size=$0,mode=0777 tmpfs "$1" && shift && exec "$@"'


@dataclass(frozen=True, slots=True)
class SmallDisk:
    address: PostgresAddress
    place: Path

    async def fill(self) -> None:
        """Leave no room at all."""
        with pytest.raises(asyncpg.DiskFullError):
            await self._run("copy (select repeat(md5(n::text), 30000) from generate_series(1, 200) n) to '{place}/ballast'")

    async def make_room(self) -> None:
        await self._run("copy (select 1) to '{place}/ballast'")

    async def room_for(self, database: str) -> None:
        """A tablespace on the small disk, and an empty database in it."""
        await self._run("create tablespace small location '{place}/space'")
        await self._run(f'create database "{database}" template template0 tablespace small')

    async def _run(self, statement: str) -> None:
        connection = await server.connect(self.address)
        try:
            await connection.execute(statement.format(place=self.place))
        finally:
            await connection.close()


@asynccontextmanager
async def small_disk(folder: Path) -> AsyncIterator[SmallDisk]:
    """Skips where this user may not mount anything, not even for himself."""
    place = folder / "small"
    place.mkdir()
    alone = ["unshare", "--user", "--map-root-user", "--mount", "--", "sh", "-c", _MOUNTING, SIZE, str(place)]
    if shutil.which("unshare") is None or subprocess.run([*alone, "true"], capture_output=True, check=False).returncode:  # noqa: ASYNC221, S603 (at once)
        pytest.skip("a small disk needs user namespaces in which one may mount (unshare --user --mount)")
    installation = server.fetch()
    address = PostgresAddress("127.0.0.1", free_ports(1)[0], "postgres", secrets.token_urlsafe(24))
    server.initialise(installation, folder / "data", address.password)
    unprivileged = ["unshare", "--user", "--map-user=1000", "--map-group=1000", "--"]
    started = server.command(installation, folder / "data", address.port, lasting=False)
    command = started[started.index(str(installation / "bin" / "postgres")) :]
    making = ["sh", "-c", 'mkdir -m 0700 "$0/space" && exec "$@"', str(place)]
    process = spawn([*alone, *unprivileged, *making, *command], folder / "postgres.log")
    try:
        await server.ready(address)
        yield SmallDisk(address, place)
    finally:
        stop(process, signal.SIGINT)
